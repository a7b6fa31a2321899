"""Reading settings from environment variables: named, checked, never shown."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from credit_scoring.errors import SettingsError

PREFIX = "CREDIT_SCORING_"

Model = TypeVar("Model", bound=BaseModel)


def variable(field: str) -> str:
    """Name the environment variable of a setting."""
    return PREFIX + field.upper()


def read_settings(kind: type[Model], environment: Mapping[str, str]) -> Model:
    """Read settings; what is not set has its default.

    Args:
        kind: Has one field for each setting.
        environment: Usually ``os.environ``; other names in it do not matter.

    Raises:
        SettingsError: If a value is not allowed. The message never holds the
            value: it may be a secret.
    """
    given = {
        field: environment[variable(field)]
        for field in kind.model_fields
        if variable(field) in environment
    }
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{variable(str(entry['loc'][0]))}: {entry['msg']}"
            for entry in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"settings not allowed: {wrong}") from None
