from pathlib import Path

import pytest

from credit_scoring.digests import sha256_of_file
from credit_scoring.registry.image_labels import image_labels, label_instruction


def test_an_image_names_code_models_promotion_and_packages(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==1\n")
    versions = {"champion": {"version": 3, "git_dirty": False, "data_digest": "d"}}
    models = {"champion": "credit_scoring:v3-0", "challenger": None}
    labels = image_labels(models, versions, {"digest": "r"}, lock)
    assert labels["credit_scoring.champion.model"] == "credit_scoring:v3-0"
    assert labels["credit_scoring.champion.version"] == "3"
    assert labels["credit_scoring.champion.data_digest"] == "d"
    assert labels["credit_scoring.promotion_record"] == "r"
    assert labels["credit_scoring.packages_digest"] == sha256_of_file(lock)
    assert labels["org.opencontainers.image.revision"]
    assert not any("challenger" in name for name in labels)


def test_labels_are_one_instruction_in_order() -> None:
    text = label_instruction({"b": "2", "a": "credit_scoring:v1-0"})
    assert text == 'LABEL a="credit_scoring:v1-0" \\\n    b="2"\n'


@pytest.mark.parametrize("value", ['"; RUN x', "{{ x }}", "$HOME", "a\nRUN b", "`x`"])
def test_no_value_is_more_than_a_value(value: str) -> None:
    text = label_instruction({"a": value})
    assert text.count("\n") == 1
    assert text.count('"') == 2
    assert not set(text) & set("{}$`")
