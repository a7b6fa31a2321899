"""Candidates of both families, from one pipeline under two namespaces."""

from credit_scoring.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
