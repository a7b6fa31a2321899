"""Settings of the live figures, and of what monitoring runs publish."""

from pydantic import Field

from credit_scoring.feature_store.settings import HistorySettings


class MonitoringSettings(HistorySettings):
    """How long the live window is, and where runs publish."""

    monitoring_dir: str = Field(
        default="data/08_reporting/monitoring",
        min_length=1,
        description=(
            "Folder in which `kedro run --pipelines monitoring` publishes its verdict "
            "and report; a relative one is below the folder in which the server was "
            "started."
        ),
        json_schema_extra={"allowed": "path"},
    )
    live_window_minutes: float = Field(
        default=1440.0,
        ge=1,
        le=60 * 24 * 31,
        description="Decisions that are older are not in the live window.",
    )
    live_window_decisions: int = Field(
        default=10_000,
        ge=100,
        le=10_000_000,
        description=(
            "The live window is the newest decisions, about so many, if there are as "
            "many in its time."
        ),
    )
    live_window_least: int = Field(
        default=500,
        ge=1,
        le=1_000_000,
        description="With fewer decisions in the live window it has no PSI.",
    )
