"""Challenge: champion against challenger on realised outcomes, and its verdict."""

from credit_scoring.pipelines.challenge.pipeline import create_pipeline

__all__ = ["create_pipeline"]
