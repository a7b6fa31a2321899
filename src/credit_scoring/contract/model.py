"""The contract: what each column of an application is, said once."""

import keyword
import re
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_scoring.digests import sha256_of_json

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# `source_row` stands beside the columns in files, `has_history` in applications.
_RESERVED_NAMES = frozenset({"source_row", "has_history"})


class Role(StrEnum):
    """What a column may be used for."""

    ID = "id"
    APPLICATION = "application"
    HISTORY = "history"
    PROTECTED = "protected"
    TARGET = "target"
    DATE = "date"


class Column(BaseModel):
    """One column: where it comes from, what it may hold, what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1)
    type: Literal["string", "integer", "number", "date"]
    role: Role
    description: str = Field(min_length=1)
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    categories: dict[int, str] | None = None
    pattern: str | None = None
    nullable: bool = False
    sentinels: tuple[float, ...] = ()
    recode: dict[int, int] = Field(default_factory=dict)
    recode_reason: str | None = None
    example: float | int | str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.minimum, self.maximum
        if low is not None and high is not None and low > high:
            raise ValueError("minimum is above maximum")
        if self.recode and not self.recode_reason:
            raise ValueError("a recode needs a recode_reason: the written rule")
        if self.recode and self.categories is not None:
            unknown = sorted(set(self.recode.values()) - set(self.categories))
            if unknown:
                raise ValueError(f"recode leads to {unknown}, not in categories")
        again = {
            code
            for code in self.recode.values()
            if self.recode.get(code, code) != code or code in self.sentinels
        }
        if again:
            raise ValueError(
                f"recode leads to {sorted(again)}, which would be read again as "
                "something else"
            )
        if self.sentinels and not self.nullable:
            raise ValueError("a sentinel means missing, so the column is nullable")
        return self

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        bounded = self.minimum is not None or self.maximum is not None
        if self.type in ("string", "date") and (bounded or self.sentinels):
            raise ValueError(f"a {self.type} has no minimum, maximum or sentinels")
        if self.type == "date" and self.categories is not None:
            raise ValueError("a date has no categories")
        if self.type in ("string", "date") and self.recode:
            raise ValueError(f"a {self.type} has no recode")
        if self.categories == {}:
            raise ValueError("categories are empty: leave them out instead")
        if self.type == "string" and self.role is not Role.ID and not self.categories:
            raise ValueError("a string other than the id needs categories")
        if self.pattern is not None:
            self._check_pattern(self.pattern)
        return self

    def _check_pattern(self, pattern: str) -> None:
        if self.type != "string" or self.categories:
            raise ValueError("only a string without categories has a pattern")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error


class Contract(BaseModel):
    """The columns of a data set, with their roles, ranges and meaning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    title: str
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _named_well(self) -> Self:
        for name in self.columns:
            if not _NAME.fullmatch(name) or keyword.iskeyword(name):
                raise ValueError(f"column name {name!r} is not like credit_limit_1")
            if name in _RESERVED_NAMES:
                raise ValueError(f"column name {name!r} has another meaning here")
        return self

    @model_validator(mode="after")
    def _one_id_one_target(self) -> Self:
        for role in (Role.ID, Role.TARGET):
            count = len(self.names(role))
            if count != 1:
                raise ValueError(f"expected one column of role {role}, found {count}")
        if self.id_name != "loan_id" or self.columns["loan_id"].type != "string":
            raise ValueError("the column of role id must be a string named loan_id")
        target = self.columns[self.target_name]
        if target.type != "integer" or target.nullable:
            raise ValueError("the target must be an integer that is not nullable")
        sources = [column.source for column in self.columns.values()]
        if len(set(sources)) != len(sources):
            raise ValueError("two columns have the same source")
        return self

    def names(self, *roles: Role) -> tuple[str, ...]:
        """Name the columns that have one of the roles, in contract order."""
        return tuple(n for n, column in self.columns.items() if column.role in roles)

    @property
    def id_name(self) -> str:
        """The column that identifies a loan."""
        return self.names(Role.ID)[0]

    @property
    def target_name(self) -> str:
        """The column that holds bad = 1 or good = 0."""
        return self.names(Role.TARGET)[0]

    @property
    def input_names(self) -> tuple[str, ...]:
        """The columns a feature may use: application and history."""
        return self.names(Role.APPLICATION, Role.HISTORY)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the contract's canonical JSON."""
        return sha256_of_json(self.model_dump(mode="json"))
