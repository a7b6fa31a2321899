"""Materialization: histories from the accepted rows into the feature store."""

from credit_scoring.pipelines.materialization.pipeline import create_pipeline

__all__ = ["create_pipeline"]
