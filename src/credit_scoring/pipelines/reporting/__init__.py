"""The validation report of each candidate."""

from credit_scoring.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
