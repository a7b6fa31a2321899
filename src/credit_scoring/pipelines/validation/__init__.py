"""Validation: rows that keep the contract, typed; the others with reasons."""

from credit_scoring.pipelines.validation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
