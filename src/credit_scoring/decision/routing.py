"""Routing: which arm an applicant belongs to, the same everywhere and for ever."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.digests import salted_shares

Arm = Literal["champion", "challenger"]


class Split(BaseModel):
    """A share of the applicants whom the challenger decides.

    The arm depends on the loan id, the salt and the share alone, so that every
    worker, every restart and every batch agree. With a larger share nobody leaves
    the challenger's arm; with another salt everybody is drawn anew.

    Attributes:
        share: Challenger's share of the applicants, in [0, 1].
        salt: Names the experiment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(ge=0, le=1)
    salt: str = Field(min_length=1)

    def arm(self, loan_id: str) -> Arm:
        """Give the arm of one applicant."""
        return self.arms((loan_id,))[0]

    def arms(self, loan_ids: Sequence[str]) -> list[Arm]:
        """Give the arm of each applicant, in their order."""
        points = salted_shares(loan_ids, self.salt)
        return ["challenger" if point < self.share else "champion" for point in points]
