"""Features: one pure function each, the same in pipeline, batch and service."""
