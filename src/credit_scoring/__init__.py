"""Credit scoring from raw data to a watched decision."""

__version__ = "0.1.0"
