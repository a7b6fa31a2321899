"""The policy: cut-offs, bands and rules that turn a score into a decision."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from credit_scoring.digests import sha256_of_json
from credit_scoring.errors import PolicyError

Code = r"^[A-Z][A-Z0-9_]*$"
HISTORY_UNAVAILABLE = "HISTORY_UNAVAILABLE"


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )


class Condition(_Frozen):
    """A test of one value, which a missing value never passes; or of all features.

    Attributes:
        column: Contract column that is looked at ...
        feature: ... or feature.
        at_least: The value is this or more ...
        at_most: ... or this or less ...
        equals: ... or exactly this.
        outside_training: Instead of all these: so many features or more have a
            value beyond all that the model saw in training, or are missing and
            never were.
    """

    column: str | None = None
    feature: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    equals: float | None = None
    outside_training: int | None = Field(default=None, ge=1)

    @model_serializer(mode="wrap")
    def _without_what_older_policies_lack(
        self, handler: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        # A policy keeps the version that it had before there was this test.
        values: dict[str, Any] = handler(self)
        if self.outside_training is None:
            values.pop("outside_training", None)
        return values

    @model_validator(mode="after")
    def _one_value_one_test(self) -> Self:
        if self.outside_training is not None:
            values = self.model_dump(exclude={"outside_training"}, exclude_none=True)
            if values:
                raise ValueError(
                    f"outside_training stands alone, not beside {', '.join(values)}"
                )
            return self
        if (self.column is None) == (self.feature is None):
            raise ValueError("a condition names one of column and feature")
        tests = (self.at_least, self.at_most, self.equals)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("a condition has one of at_least, at_most and equals")
        return self

    @property
    def subject(self) -> str | None:
        """Name of the column or feature that is looked at; None if it is not one."""
        return self.column or self.feature


class Rule(_Frozen):
    """A decision that the score cannot soften."""

    code: str = Field(pattern=Code)
    outcome: Literal["refer", "decline"]
    text: str = Field(min_length=1)
    when: Condition


class Band(_Frozen):
    """A range of scores with one decision; the last band has no lower end."""

    code: str = Field(min_length=1)
    from_: float | None = Field(default=None, alias="from")


class Policy(_Frozen):
    """Cut-offs, bands and rules; the most severe outcome holds.

    A score at or above `approve_from` is approved, one below `decline_below`
    declined, one between them referred to a person.
    """

    approve_from: float
    decline_below: float
    bands: tuple[Band, ...] = Field(min_length=1)
    rules: tuple[Rule, ...] = ()
    history_unavailable_text: str = Field(min_length=1)

    @model_validator(mode="after")
    def _nothing_contradicts(self) -> Self:
        if self.decline_below > self.approve_from:
            raise ValueError("decline_below is above approve_from")
        edges = [band.from_ for band in self.bands]
        if edges[-1] is not None or None in edges[:-1]:
            raise ValueError("the last band, and no other, has no 'from'")
        limits = [edge for edge in edges if edge is not None]
        if limits != sorted(set(limits), reverse=True):
            raise ValueError("bands go from the highest score to the lowest")
        for limit in (self.approve_from, self.decline_below):
            if limit not in limits:
                raise ValueError(f"no band starts at the cut-off {limit}")
        fine = [limit for limit in limits if np.rint(limit * 10) / 10 != limit]
        if fine:
            raise ValueError(f"scores have tenths of a point, so {fine} cannot be met")
        return self

    @model_validator(mode="after")
    def _codes_are_distinct(self) -> Self:
        for what, codes in (
            ("bands", [band.code for band in self.bands]),
            ("rules", [*self.rule_codes, HISTORY_UNAVAILABLE]),
        ):
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{what} have the same code: {', '.join(twice)}")
        return self

    @property
    def rule_codes(self) -> tuple[str, ...]:
        """Codes of the rules, in order."""
        return tuple(rule.code for rule in self.rules)

    @cached_property
    def version(self) -> str:
        """Version of the policy: the head of its digest, 16 hex digits."""
        return sha256_of_json(self.model_dump(mode="json", by_alias=True))[:16]

    @property
    def needs_training_range(self) -> bool:
        """Whether a rule looks at what the model saw in training."""
        return any(rule.when.outside_training is not None for rule in self.rules)

    def columns(self) -> tuple[str, ...]:
        """Name the contract columns that the rules look at, sorted."""
        named = {r.when.column for r in self.rules if r.when.column is not None}
        return tuple(sorted(named))

    def check_names(
        self,
        *,
        columns: Iterable[str],
        features: Iterable[str],
        reasons: Iterable[str],
    ) -> None:
        """Make sure that every rule can be asked, and its code is its own.

        Args:
            columns: Contract columns that a decision may use.
            features: Names of the features.
            reasons: Codes of the model's reason groups.

        Raises:
            PolicyError: If a rule looks at something else, or shares its code.
        """
        known = {"column": set(columns), "feature": set(features)}
        for rule in self.rules:
            if rule.when.outside_training is not None:
                continue
            kind = "column" if rule.when.column is not None else "feature"
            if rule.when.subject not in known[kind]:
                raise PolicyError(
                    f"rule {rule.code} looks at the {kind} {rule.when.subject!r}, "
                    f"which is none of the {len(known[kind])} that a decision may use"
                )
        shared = sorted({*self.rule_codes, HISTORY_UNAVAILABLE} & set(reasons))
        if shared:
            raise PolicyError(
                f"codes of rules and of reason groups at once: {', '.join(shared)}"
            )
