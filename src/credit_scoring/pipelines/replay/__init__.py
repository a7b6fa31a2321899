"""Replay: the decision log verified, and its decisions decided again."""

from credit_scoring.pipelines.replay.pipeline import create_pipeline

__all__ = ["create_pipeline"]
