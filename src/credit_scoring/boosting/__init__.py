"""Monotone gradient boosting: fitting, compiled tree walking, exact reasons."""
