"""The documentation names every kind of fault."""

from pathlib import Path

from credit_scoring.feature_store.observer import Fault

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "feature-store.md"


def test_each_kind_of_fault_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not [fault for fault in Fault if f"| `{fault.value}` |" not in text]
