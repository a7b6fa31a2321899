"""Less discriminatory alternatives: what else the data would have allowed."""

from credit_scoring.pipelines.alternatives.pipeline import create_pipeline

__all__ = ["create_pipeline"]
