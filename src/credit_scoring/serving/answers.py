"""What the service says about an application: the decision as clients see it."""

import os
import time
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from credit_scoring.decision.decisions import Reason
from credit_scoring.decision.uncertainty import PdInterval
from credit_scoring.serving.problems import Problem

FeatureSource = Literal["request", "store", "degraded"]
Role = Literal["champion", "challenger"]

# The two bits 10, then two that are random.
_UUID_VARIANTS = "89ab"


class ModelAnswer(msgspec.Struct, frozen=True, gc=False):
    """The model that decided, exactly."""

    name: Annotated[str, Meta(description="Registered name.")]
    version: Annotated[str, Meta(description="Registered version.")]
    role: Annotated[
        Role,
        Meta(description="Its role when it decided."),
    ]
    digest: Annotated[str, Meta(description="SHA-256 of the model's artifact.")]


class DecisionAnswer(msgspec.Struct, frozen=True, gc=False):
    """One decision."""

    decision_id: Annotated[
        str,
        Meta(
            pattern="^[0-9a-f]{32}$",
            description="Identifies this decision: a UUID of version 7 in hex.",
        ),
    ]
    loan_id: Annotated[str, Meta(description="As the request said.")]
    pd: Annotated[
        float | None,
        Meta(
            description=(
                "Probability of default, in (0, 1); null if it could not be computed."
            )
        ),
    ]
    score: Annotated[
        float | None,
        Meta(description="Points; higher is safer. Null together with `pd`."),
    ]
    band: Annotated[
        str | None, Meta(description="Score band of the policy. Null with `score`.")
    ]
    decision: Annotated[
        str,
        Meta(
            description="`refer`: a person decides.",
            extra_json_schema={"enum": ["approve", "refer", "decline"]},
        ),
    ]
    reasons: Annotated[
        tuple[Reason, ...],
        Meta(
            max_length=4,
            description=(
                "The strongest first; empty for an approval unless `?reasons=true`."
            ),
        ),
    ]
    model: ModelAnswer
    policy_version: Annotated[
        str, Meta(description="Version of the policy that turned score to decision.")
    ]
    feature_source: Annotated[
        FeatureSource,
        Meta(
            description=(
                "Where the statement history came from: the `request`, the `store`, "
                "or `degraded`: from nowhere."
            )
        ),
    ]
    scored_at: Annotated[datetime, Meta(tz=True, description="RFC 3339, in UTC.")]
    pd_interval: (
        Annotated[
            PdInterval | None,
            Meta(
                description=(
                    "With `?interval=true` alone: where the bad rate of applicants "
                    "with the same margin lies, at least so often as `level` says. "
                    "Null without a PD, or if the model was made without intervals."
                )
            ),
        ]
        | UnsetType
    ) = UNSET


class RowProblem(msgspec.Struct, frozen=True):
    """Stands in a batch's answer at the place of an application refused."""

    error: Problem


BatchEntry = DecisionAnswer | RowProblem


def new_decision_id() -> str:
    """Make an identifier that sorts by time: a UUID of version 7 as 32 hex digits.

    Source: RFC 9562, section 5.7.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = os.urandom(10)
    digits = random.hex()
    variant = _UUID_VARIANTS[random[-1] & 0b11]
    return f"{milliseconds:012x}7{digits[:3]}{variant}{digits[3:18]}"


def now() -> datetime:
    """Give the time of a decision."""
    return datetime.now(UTC)
