"""Monitoring: the decision log by window, judged and published."""

from credit_scoring.pipelines.monitoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
