"""The contract: what each column of an application is, said once."""

import keyword
import re
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_scoring.contract.dates import ISO, DateFormat
from credit_scoring.digests import sha256_of_json

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# `source_row` stands beside the columns in files, `has_history` in applications.
_RESERVED_NAMES = frozenset({"source_row", "has_history"})
_SHOWN = 8


class Role(StrEnum):
    """What a column may be used for."""

    ID = "id"
    APPLICATION = "application"
    HISTORY = "history"
    PROTECTED = "protected"
    TARGET = "target"
    DATE = "date"


class Column(BaseModel):
    """One column: where it comes from, what it may hold, what it means.

    ``format``, ``date_formats``, ``file_values``, ``missing_values`` and
    ``set_aside`` say how files write it. A request has JSON's own values: a
    share as a number (0.1065 for 10.65%), a date as YYYY-MM-DD, a label.

    Attributes:
        format: How files write numbers: ``percent`` 10.65% (read as 0.1065),
            ``grouped`` $1,234.50, ``decimal_comma`` 1.234,50.
        date_formats: How files write dates; one of these each.
        file_values: Text in the file -> the number or code that it stands for.
        missing_values: Texts in the file that mean that nothing is known.
        set_aside: Text in the file -> why its row is neither used nor wrong.
        ordered: The categories rise or fall with their codes.
    """

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
    format: Literal["percent", "grouped", "decimal_comma"] | None = None
    date_formats: tuple[DateFormat, ...] = Field(default=(ISO,), min_length=1)
    file_values: dict[str, float] = Field(default_factory=dict)
    missing_values: tuple[str, ...] = ()
    set_aside: dict[str, str] = Field(default_factory=dict)
    ordered: bool = False

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

    @model_validator(mode="after")
    def _written_readably(self) -> Self:
        if self.format is not None and self.type not in ("integer", "number"):
            raise ValueError(f"a {self.type} has no number format")
        if self.type != "date" and self.date_formats != (ISO,):
            raise ValueError(f"a {self.type} has no date formats")
        if self.missing_values and not self.nullable:
            raise ValueError("missing_values mean missing, so the column is nullable")
        if self.ordered and self.categories is None:
            raise ValueError("only categories are ordered")
        texts = [*self.file_values, *self.missing_values, *self.set_aside]
        if self.role is Role.ID and texts:
            raise ValueError("an id is read as it is written")
        if any(text != text.strip() or not text for text in texts):
            raise ValueError("texts of the file are given without blanks around them")
        if len(set(texts)) != len(texts):
            raise ValueError("a text of the file stands for two things")
        self._check_file_values()
        return self

    def _check_file_values(self) -> None:
        if self.categories is None:
            if self.type in ("string", "date") and self.file_values:
                raise ValueError(f"a {self.type} without categories has no file_values")
            return
        unknown = sorted(set(self.file_values.values()) - set(self.categories))
        if unknown:
            raise ValueError(f"file_values lead to {unknown}, not in categories")

    def _check_pattern(self, pattern: str) -> None:
        if self.type != "string" or self.categories:
            raise ValueError("only a string without categories has a pattern")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error


class Move(BaseModel):
    """What an applicant can do about a column's value.

    Attributes:
        direction: Where the value can be moved: ``down`` or ``up``.
        advice: How, as an applicant would read it.
        to: Farthest value that makes sense, or the column that has it; without it
            the column's own range is the limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    direction: Literal["down", "up"]
    advice: str = Field(min_length=1)
    to: float | str | None = None


class Recourse(BaseModel):
    """What applicants can do for another decision, and what they cannot.

    Attributes:
        columns: Column -> how it can be moved; no other column ever is.
        cannot_be_changed: What cannot be changed, and until when, as an applicant
            would read it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, Move] = Field(default_factory=dict)
    cannot_be_changed: str | None = None


# Fields that contracts have had since their digests are in use. They count in a
# digest only where they say something, so that older ones keep theirs.
_LATER_COLUMN_FIELDS = (
    "format",
    "date_formats",
    "file_values",
    "missing_values",
    "set_aside",
    "ordered",
)
_LATER_FIELDS = ("known_after_decision", "left_out", "undecided", "recourse")


class Contract(BaseModel):
    """The columns of a data set, with their roles, ranges and meaning.

    Attributes:
        name: Short name.
        version: Rises with every change of meaning.
        title: For people.
        columns: API name -> column.
        known_after_decision: Columns of the file that hold what became of a
            loan. None of them may be an input, under whatever name.
        left_out: Column of the file -> why it is not used.
        recourse: What applicants can do for another decision.
        undecided: Column of the file -> what a person must decide about it. No
            run uses a contract while one is left.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    title: str
    columns: dict[str, Column]
    known_after_decision: tuple[str, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict)
    undecided: dict[str, str] = Field(default_factory=dict)
    recourse: Recourse = Field(default_factory=Recourse)

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if self.undecided:
            raise ValueError(
                f"{len(self.undecided)} questions wait for a person: "
                f"{', '.join(list(self.undecided)[:_SHOWN])}; answer each in the "
                "columns, then delete it under undecided"
            )
        return self

    @model_validator(mode="after")
    def _known_when_deciding(self) -> Self:
        later = {_folded(source) for source in self.known_after_decision}
        offered = [
            name
            for name in self.input_names
            if _folded(name) in later or _folded(self.columns[name].source) in later
        ]
        if offered:
            raise ValueError(
                f"{len(offered)} input columns are known only after the decision: "
                f"{', '.join(offered[:_SHOWN])}; take them out of columns, as "
                "known_after_decision names them"
            )
        return self

    @model_validator(mode="after")
    def _used_or_left_out(self) -> Self:
        used = {column.source for column in self.columns.values()}
        both = sorted(used & self.left_out.keys())
        if both:
            raise ValueError(f"left_out names columns that are used: {both[:_SHOWN]}")
        return self

    @model_validator(mode="after")
    def _can_be_moved(self) -> Self:
        for name, move in self.recourse.columns.items():
            for named in (name, move.to):
                if isinstance(named, str) and not self._is_movable(named):
                    raise ValueError(
                        f"recourse names {named!r}, which is no number or ordered "
                        "code that decides"
                    )
        return self

    def _is_movable(self, name: str) -> bool:
        if name not in self.input_names:
            return False
        column = self.columns[name]
        coded = column.categories is not None and not column.ordered
        return column.type in ("integer", "number") and not coded

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
        said = _without_defaults(self, _LATER_FIELDS)
        said["columns"] = {
            name: _without_defaults(column, _LATER_COLUMN_FIELDS)
            for name, column in self.columns.items()
        }
        return sha256_of_json(said)


def _without_defaults(model: BaseModel, fields: tuple[str, ...]) -> dict[str, Any]:
    dump = model.model_dump(mode="json")
    kinds = type(model).model_fields
    for name in fields:
        if getattr(model, name) == kinds[name].get_default(call_default_factory=True):
            del dump[name]
    return dump


def _folded(name: str) -> str:
    return name.strip().casefold()
