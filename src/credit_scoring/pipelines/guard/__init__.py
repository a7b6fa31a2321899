"""Guard: live degradation of the challenger overrides the routing."""

from credit_scoring.pipelines.guard.pipeline import create_pipeline

__all__ = ["create_pipeline"]
