"""Settings: defaults, refusals with a hint, and a table that is complete."""

from pathlib import Path

import pytest

from credit_scoring.errors import SettingsError
from credit_scoring.serving.settings import (
    Settings,
    check_routing,
    known_names,
    load_settings,
    settings_table,
)

TABLE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_without_variables_every_setting_has_its_default() -> None:
    assert load_settings({"PATH": "/bin"}) == Settings()


def test_a_variable_sets_its_setting() -> None:
    settings = load_settings({"CREDIT_SCORING_MAX_BATCH_ROWS": "12"})
    assert settings.max_batch_rows == 12


def test_a_misspelt_name_is_refused_with_a_near_match() -> None:
    with pytest.raises(SettingsError, match=r"CREDIT_SCORING_ROUTING\?"):
        load_settings({"CREDIT_SCORING_ROUTNG": "champion"})


def test_an_unknown_name_is_refused_without_a_guess() -> None:
    with pytest.raises(SettingsError, match=r"CREDIT_SCORING_QQ$"):
        load_settings({"CREDIT_SCORING_QQ": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROUTING", "roulette-secret"),
        ("MAX_BODY_BYTES", "12-secret"),
        ("MAX_BATCH_ROWS", "0"),
        ("CHALLENGER_SHARE", "1.5"),
        ("ROUTING_SALT", ""),
        ("BODY_TIMEOUT_MS", ""),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"CREDIT_SCORING_{name}") as raised:
        load_settings({f"CREDIT_SCORING_{name}": value})
    assert "secret" not in str(raised.value)


def test_the_documentation_has_every_setting() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert settings_table() in text
    assert all(f"`{name}`" in text for name in known_names())


@pytest.mark.parametrize("routing", ["shadow", "split"])
def test_a_routing_that_needs_a_challenger_is_refused_without_one(routing: str) -> None:
    settings = load_settings({"CREDIT_SCORING_ROUTING": routing})
    with pytest.raises(SettingsError, match="has no challenger: set it to champion"):
        check_routing(settings, has_challenger=False)
    check_routing(settings, has_challenger=True)
    check_routing(Settings(), has_challenger=False)
