"""Parameters of the reporting pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Move(_Frozen):
    """How some columns change; results are held within the contract's range.

    Attributes:
        columns: Contract columns.
        factor: Multiplies each value; then
        add: is added.
        from_value: Only values that are at least this change; None for all.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    factor: float = 1
    add: float = 0
    from_value: float | None = None


class Stress(_Frozen):
    """A change of the portfolio, and what it means in plain words."""

    text: str = Field(min_length=1)
    moves: tuple[Move, ...] = Field(min_length=1)


class SignOff(_Frozen):
    """Somebody whose consent a model needs before it is used.

    Attributes:
        role: Who.
        of: What they answer for.
        name: Who signed; None as long as nobody has.
        date: When.
    """

    role: str = Field(min_length=1)
    of: str = Field(min_length=1)
    name: str | None = None
    date: str | None = None


class ReportingParameters(_Frozen):
    """What a validation report shows beside the evidence of the gates.

    Attributes:
        purpose: What the model is used for, in plain words.
        owner: Who answers for it.
        segment_columns: Contract columns to cut the portfolio by, those behind the
            strongest features.
        segment_parts: Parts of a number.
        interval_groups: Groups of neighbouring margins in which intervals of the
            PD are compared with outcomes.
        sensitivity: Share by which each number is raised alone.
        stresses: Name -> a change; None takes one of another environment away.
        sign_offs: Who has to consent.
    """

    purpose: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    segment_columns: int = Field(default=6, ge=0)
    segment_parts: int = Field(default=4, ge=2)
    interval_groups: int = Field(default=18, ge=1)
    sensitivity: float = Field(default=0.1, gt=0)
    stresses: dict[str, Stress | None] = {}
    sign_offs: tuple[SignOff, ...] = ()
