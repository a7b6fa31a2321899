"""Which models a Bento is made of."""

from pathlib import Path

import msgspec
import pytest

from credit_scoring.serving.models import ReleasedModels, read_released_models


def test_the_release_is_read(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text('{"champion": "credit_scoring:v1-a", "challenger": null}')
    assert read_released_models(path) == ReleasedModels("credit_scoring:v1-a", None)


def test_before_packaging_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="`kedro run` makes it"):
        read_released_models(tmp_path / "bentos" / "models.json")


def test_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text('{"winner": "credit_scoring:v1-a"}')
    with pytest.raises(msgspec.ValidationError, match="winner"):
        read_released_models(path)
