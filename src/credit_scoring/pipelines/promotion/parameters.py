"""Parameters of the promotion pipeline."""

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.registry.evidence import CutOffTargets
from credit_scoring.registry.gate_parameters import GateParameters


class PromotionParameters(BaseModel):
    """What a candidate must reach, and what its run says of the data.

    Attributes:
        data_source: Where the raw data comes from, as MLflow shows it.
        gates: What every gate asks.
        cut_off_targets: Targets whose cut-offs are tabulated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_source: str = Field(min_length=1)
    gates: GateParameters
    cut_off_targets: CutOffTargets = CutOffTargets()
