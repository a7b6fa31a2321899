"""History: who was champion on a day, and why."""

from credit_scoring.pipelines.history.pipeline import create_pipeline

__all__ = ["create_pipeline"]
