"""A simulated year: held-out applicants as a stream through the real engine."""
