"""Replay: the decision log verified, and its decisions decided again."""
