"""Packaging: champion and challenger into BentoML, and the Bento built."""

from credit_scoring.pipelines.packaging.pipeline import create_pipeline

__all__ = ["create_pipeline"]
