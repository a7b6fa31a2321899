"""Features of any contract: its columns as they are, its categories as flags.

A number is a feature as it is, and missing stays missing. Categories whose codes
rise or fall in meaning (``ordered``) are a number, too; others are one flag each.
Dates are left out. Nothing is known of directions, so none is monotone.
"""

import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from credit_scoring.digests import canonical_json
from credit_scoring.errors import FeatureError
from credit_scoring.features import arithmetic
from credit_scoring.features.arithmetic import equal_to
from credit_scoring.features.definition import Feature, FeatureSet, Values

NAME = "generic"


@dataclass(frozen=True)
class InputColumn:
    """What a generic feature needs to know of a column.

    Attributes:
        name: In the contract.
        description: In the contract; its first sentence is in the reason.
        flags: Code -> label of the categories that become flags, none for a
            number.
    """

    name: str
    description: str
    flags: Mapping[int, str]


def generic_feature_set(columns: Sequence[InputColumn]) -> FeatureSet:
    """Make the features of columns that nobody wrote features for.

    Raises:
        FeatureError: If there is no column.
    """
    if not columns:
        raise FeatureError("the contract has no input column to make features of")
    features = [item for column in columns for item in _features(column)]
    reasons = {c.name.upper(): _reason(c.description) for c in columns}
    code = [inspect.getsource(m) for m in (arithmetic, sys.modules[__name__])]
    said = [asdict(c) | {"flags": sorted(c.flags.items())} for c in columns]
    return FeatureSet(
        name=NAME,
        features=features,
        reasons=reasons,
        source="\n".join([*code, canonical_json(said).decode()]),
    )


def _features(column: InputColumn) -> list[Feature]:
    if not column.flags:
        return [_feature(column, f"{column.name}_value", _as_it_is, "as it is")]
    slugs = {code: _slug(label) for code, label in column.flags.items()}
    if len(set(slugs.values())) < len(slugs):
        slugs = {code: f"code_{code}".replace("-", "minus_") for code in slugs}
    return [
        _feature(column, f"{column.name}_is_{slugs[code]}", _flag(code), f"is {label}")
        for code, label in sorted(column.flags.items())
    ]


def _feature(
    column: InputColumn, name: str, function: Callable[..., Values], what: str
) -> Feature:
    return Feature(
        name=name,
        function=function,
        inputs=(column.name,),
        direction=0,
        reason=column.name.upper(),
        description=f"{_first_sentence(column.description)}: {what}.",
    )


def _as_it_is(values: Values) -> Values:
    return values + 0.0


def _flag(code: int) -> Callable[[Values], Values]:
    wanted = float(code)

    def flag(codes: Values) -> Values:
        return equal_to(codes, wanted)

    return flag


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "other"


def _first_sentence(description: str) -> str:
    return re.split(r"[.;]\s|[.;]$", description.strip(), maxsplit=1)[0]


def _reason(description: str) -> str:
    return f"{_first_sentence(description)}: what we know of it goes with higher risk."
