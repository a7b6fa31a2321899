"""Values as YAML."""

import json
from typing import Any


def said(value: Any) -> str:
    """Write a value as JSON, which is YAML; codes of categories stay numbers."""
    if isinstance(value, dict):
        parts = [
            f"{k if isinstance(k, int) else said(k)}: {said(v)}"
            for k, v in value.items()
        ]
        return "{" + ", ".join(parts) + "}"
    return json.dumps(value, ensure_ascii=False)
