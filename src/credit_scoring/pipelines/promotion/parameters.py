"""Parameters of the promotion pipeline."""

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.registry.evidence import CutOffTargets
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.versions import MODEL_NAME


class PromotionParameters(BaseModel):
    """What a candidate must reach, and what its run says of the data.

    Attributes:
        registered_model: Name of the model in MLflow and BentoML, and of the
            Bento.
        data_source: Where the raw data comes from, as MLflow shows it.
        gates: What every gate asks.
        cut_off_targets: Targets whose cut-offs are tabulated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    registered_model: str = Field(default=MODEL_NAME, pattern=r"^[a-z][a-z0-9_]*$")
    data_source: str = Field(min_length=1)
    gates: GateParameters
    cut_off_targets: CutOffTargets = CutOffTargets()
