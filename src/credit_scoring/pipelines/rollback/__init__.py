"""Rollback: an earlier champion again, with evidence, and the Bento built."""

from credit_scoring.pipelines.rollback.pipeline import create_pipeline

__all__ = ["create_pipeline"]
