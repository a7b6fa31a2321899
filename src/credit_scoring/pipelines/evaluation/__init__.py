"""What each candidate is worth, and the two beside each other."""

from credit_scoring.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
