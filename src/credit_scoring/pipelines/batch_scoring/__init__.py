"""Batch scoring: files of applications of any size to decisions."""

from credit_scoring.pipelines.batch_scoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
