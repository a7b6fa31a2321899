"""Monitoring: whether what is decided now is like what the model was made for."""
