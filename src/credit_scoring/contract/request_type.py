"""The request as a msgspec type, generated from the contract."""

from datetime import date
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.rules import (
    allowed_codes,
    code_of_label,
    is_contiguous,
)

# The order of an application's fields; `RequestDecoder` slices by it.
_ROLES = (Role.ID, Role.APPLICATION, Role.HISTORY, Role.PROTECTED, Role.DATE)


class Application(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False
):
    """One application as it was requested; a subclass has the contract's columns.

    Values are as written: undocumented codes and sentinels are read when
    `RequestDecoder.columns` makes numbers of them. A column that was not given
    is ``msgspec.UNSET``, a missing value None.
    """

    loan_id: str

    @property
    def has_history(self) -> bool:
        """Whether the history columns were given (all of them, or none).

        Raises:
            NotImplementedError: If the type was not made by `application_type`, which
                knows the columns.
        """
        raise NotImplementedError


def request_columns(contract: Contract) -> dict[str, Column]:
    """Take the columns of a request, in the order of an application's fields."""
    return {n: contract.columns[n] for role in _ROLES for n in contract.names(role)}


def application_type(contract: Contract) -> type[Application]:
    """Generate the type of the contract's applications.

    What it accepts keeps the contract. It refuses some values that also keep
    it, such as a sentinel outside the range; the slower check knows those.
    """
    fields: list[Any] = []
    for name, column in request_columns(contract).items():
        kind = _field_type(column) | None if column.nullable else _field_type(column)
        if column.role in (Role.ID, Role.APPLICATION):
            fields.append((name, kind))
        else:
            fields.append((name, kind | UnsetType, UNSET))
    history = contract.names(Role.HISTORY)
    first = history[0] if history else "loan_id"

    def has_history(application: Application) -> bool:
        return getattr(application, first) is not UNSET

    generated = msgspec.defstruct(
        "Application",
        fields,
        bases=(Application,),
        namespace={"has_history": property(has_history, doc="Whether it was given.")},
        module=__name__,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
    )
    return cast("type[Application]", generated)


def _field_type(column: Column) -> Any:
    if column.type == "date":
        return date
    if column.type == "string":
        if column.categories is not None:
            return Literal[tuple(code_of_label(column))]
        # msgspec searches for a pattern; `$` alone would allow a line break after.
        pattern = None if column.pattern is None else rf"(?a)\A(?:{column.pattern})\Z"
        return Annotated[str, Meta(pattern=pattern)]
    if column.categories is None:
        whole = 1 if column.type == "integer" else None
        bounds = Meta(ge=column.minimum, le=column.maximum, multiple_of=whole)
        return Annotated[float, bounds]
    codes = allowed_codes(column)
    if is_contiguous(codes):
        # As float, so that 2.0 is the whole number 2, as in JSON Schema.
        return Annotated[float, Meta(ge=codes[0], le=codes[-1], multiple_of=1)]
    return Literal[tuple(int(code) for code in codes if code.is_integer())]
