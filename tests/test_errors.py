import inspect
from pathlib import Path

import pytest

from credit_scoring import errors
from credit_scoring.errors import CreditScoringError, FieldError, InvalidRequestError


def test_every_error_has_the_one_base() -> None:
    found = [
        e
        for _, e in inspect.getmembers(errors, inspect.isclass)
        if issubclass(e, Exception)
    ]
    assert len(found) > 5
    assert all(issubclass(e, CreditScoringError) for e in found)


def test_each_error_is_explained() -> None:
    page = Path(__file__).parents[1] / "docs" / "reference" / "errors.md"
    text = page.read_text(encoding="utf-8")
    found = [
        (name, said.__bases__[-1].__name__, " ".join(str(said.__doc__).split()))
        for name, said in inspect.getmembers(errors, inspect.isclass)
        if issubclass(said, CreditScoringError) and said is not CreditScoringError
    ]
    lost = [
        name
        for name, also, doc in found
        if f"| `{name}` | `{also}` | {doc.partition(' Attributes:')[0]} | " not in text
    ]
    assert lost == []


def test_an_invalid_request_names_each_field() -> None:
    wrong = (FieldError("a", "expected a number"), FieldError("b", "unknown field"))
    with pytest.raises(
        InvalidRequestError, match="a: expected a number; b: unknown field"
    ) as raised:
        raise InvalidRequestError(wrong)
    assert raised.value.errors == wrong


def test_the_message_of_an_invalid_request_is_bounded() -> None:
    error = InvalidRequestError(tuple(FieldError(f"f{i}", "x") for i in range(999)))
    assert len(str(error)) < 100
    assert len(error.errors) == 999
