"""Measures of a model: discrimination, calibration, stability, with intervals."""
