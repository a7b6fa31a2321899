"""Outcomes: what became of the loans that were decided on."""
