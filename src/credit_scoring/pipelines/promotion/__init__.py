"""Promotion: candidates registered, judged at the gates, and given roles."""

from credit_scoring.pipelines.promotion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
