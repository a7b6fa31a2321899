"""Applications for benchmarks: as many as are asked for, that behave as real ones."""
