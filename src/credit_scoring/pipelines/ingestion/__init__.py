"""Ingestion: the raw file under the contract's names, still as text."""

from credit_scoring.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
