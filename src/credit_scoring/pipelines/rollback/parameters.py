"""Parameters of the rollback pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class RollbackParameters(BaseModel):
    """Which champion returns, and why.

    Attributes:
        version: Registered version; None for the champion before this one.
        why: Recorded and signed; a rollback without a reason is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int | None = Field(default=None, ge=1)
    why: str = Field(default="", max_length=1000)
