"""Features, splits and the model's input."""

from credit_scoring.pipelines.feature_engineering.pipeline import create_pipeline

__all__ = ["create_pipeline"]
