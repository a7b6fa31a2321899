"""Parameters of the batch scoring pipeline."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from credit_scoring.batch.running import CHUNK_ROWS
from credit_scoring.cluster import ClusterParameters
from credit_scoring.decision.routing import Split


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


class BatchScoringParameters(BaseModel):
    """How files are scored.

    Attributes:
        reasons: ``given``: as `/predict` gives them; ``all``: of approvals, too;
            ``none``.
        routing: ``champion`` decides, always; ``split``: the challenger on its share.
        challenger_share: Share of the applicants of the challenger, in [0, 1].
        routing_salt: Names the experiment.
        decision_log: Put the decisions into the decision log.
        scored_at: Time of all decisions, without a zone in UTC; None is the time
            when the job begins.
        chunk_rows: Rows that are finished together.
        threads: How many decide at a time; None for one each core.
        cluster: Workers of Dask that decide in place of these threads; None for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reasons: Literal["given", "all", "none"] = "given"
    routing: Literal["champion", "split"] = "champion"
    challenger_share: float = Field(default=0.1, ge=0, le=1)
    routing_salt: str = Field(default="champion-challenger", min_length=1)
    decision_log: bool = True
    scored_at: Annotated[datetime, AfterValidator(_in_utc)] | None = None
    chunk_rows: int = Field(default=CHUNK_ROWS, ge=1, le=1 << 24)
    threads: int | None = Field(default=None, ge=1, le=1024)
    cluster: ClusterParameters | None = None

    @property
    def split(self) -> Split | None:
        """Who belongs to the challenger; None if nobody does."""
        if self.routing == "champion":
            return None
        return Split(share=self.challenger_share, salt=self.routing_salt)
