"""What the service says of itself, as clients see it."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from credit_scoring.serving.answers import ModelAnswer

CONTRACT_PATH = "/contract"
MODEL_PATH = "/model"


class CategoryAnswer(msgspec.Struct, frozen=True):
    """One code of a column: what a request says, and what it means."""

    value: int | str
    label: str


class MoveAnswer(msgspec.Struct, frozen=True):
    """What an applicant can do about a column."""

    direction: str
    advice: str


class ColumnAnswer(msgspec.Struct, frozen=True):
    """One column of an application."""

    name: str
    source: Annotated[str, Meta(description="Its name in files.")]
    type: str
    role: str
    description: str
    unit: str | None
    minimum: float | None
    maximum: float | None
    categories: tuple[CategoryAnswer, ...] | None
    pattern: str | None
    nullable: bool
    required: Annotated[
        bool,
        Meta(description="History columns are given all together or not at all."),
    ]
    example: float | int | str | None
    actionable: MoveAnswer | None


class LimitsAnswer(msgspec.Struct, frozen=True):
    """How much one request may hold."""

    batch_rows: int
    batch_bytes: int


class ContractAnswer(msgspec.Struct, frozen=True):
    """What an application is."""

    name: str
    title: str
    version: int
    digest: str
    columns: tuple[ColumnAnswer, ...]
    cannot_be_changed: str | None
    examples: Annotated[
        tuple[dict[str, Any], ...], Meta(description="Applications to try.")
    ]
    limits: LimitsAnswer


class BandAnswer(msgspec.Struct, frozen=True):
    """A range of scores; the last one has no lower end."""

    code: str
    from_: float | None = msgspec.field(name="from")


class RuleAnswer(msgspec.Struct, frozen=True):
    """What no score can soften."""

    code: str
    outcome: str
    text: str


class PolicyAnswer(msgspec.Struct, frozen=True):
    """How a score becomes a decision."""

    version: str
    approve_from: float
    decline_below: float
    bands: tuple[BandAnswer, ...]
    rules: tuple[RuleAnswer, ...]
    base_score: float
    base_odds: float
    pdo: Annotated[float, Meta(description="Points that double the odds.")]


class HeldAnswer(msgspec.Struct, frozen=True):
    """A model that is loaded."""

    model: ModelAnswer
    family: str
    reference_score: Annotated[
        float | None,
        Meta(description="Score of the applicants that reasons compare with."),
    ]
    card: Annotated[str | None, Meta(description="The model card, Markdown.")]
    provenance: dict[str, Any] | None


class ModelsAnswer(msgspec.Struct, frozen=True):
    """The models of the service, and how they came to decide."""

    champion: HeldAnswer
    challenger: HeldAnswer | None
    routing: str
    policy: PolicyAnswer
    promotion: Annotated[
        dict[str, Any] | None,
        Meta(description="The record of the promotion that is packed in the Bento."),
    ]
