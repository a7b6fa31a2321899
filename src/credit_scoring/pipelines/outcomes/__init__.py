"""Outcomes: what became of the loans, joined with the decisions."""

from credit_scoring.pipelines.outcomes.pipeline import create_pipeline

__all__ = ["create_pipeline"]
