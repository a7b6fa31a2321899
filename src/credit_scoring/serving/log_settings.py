"""Settings of the logs of decisions and outcomes, and the folders they lead to."""

from pathlib import Path

from pydantic import Field

from credit_scoring.environment import variable
from credit_scoring.errors import SettingsError
from credit_scoring.feature_store.settings import HistorySettings


class LogSettings(HistorySettings):
    """Where decisions and outcomes are written down, and for how long."""

    decision_log_dir: str = Field(
        default="logs/decisions",
        min_length=1,
        description=(
            "Folder of the decision log; a relative one is below the folder in which "
            "the server was started. Keep it on a disk of its own."
        ),
        json_schema_extra={"allowed": "path"},
    )
    decision_log_fsync: bool = Field(
        default=False,
        description=(
            "Whether an answer waits until the disk has its decision: then a loss of "
            "power loses none either. A killed process loses none in any case."
        ),
        json_schema_extra={"allowed": "`true`, `false`"},
    )
    decision_log_segment_bytes: int = Field(
        default=256 * 1024**2,
        ge=64 * 1024,
        le=1024**4,
        description=(
            "A segment of the decision log that is as large is closed, and another "
            "begun; each UTC day begins another, too."
        ),
    )
    decision_log_retention_months: int = Field(
        default=25,
        ge=1,
        le=1200,
        description=(
            "Segments of the decision log that ended longer ago are removed, which "
            "the log's index notes."
        ),
    )
    outcomes_dir: str = Field(
        default="logs/outcomes",
        min_length=1,
        description=(
            "Folder of the log of outcomes, which is kept as the decision log is, "
            "and always waits for the disk."
        ),
        json_schema_extra={"allowed": "path"},
    )


def prepared_log_folders(settings: LogSettings) -> dict[str, Path]:
    """Make the folder of the decision log, before any worker starts.

    That of outcomes is made when the first one comes.

    Returns:
        Setting -> absolute path: workers run in another folder than the server.

    Raises:
        SettingsError: If it cannot be made, or both logs have the same.
    """
    decisions = Path(settings.decision_log_dir).absolute()
    outcomes = Path(settings.outcomes_dir).absolute()
    if decisions == outcomes:
        raise SettingsError(
            f"{variable('outcomes_dir')} is the folder of the decision log; each log "
            "needs its own"
        )
    try:
        decisions.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{variable('decision_log_dir')}: the folder cannot be made: "
            f"{error.strerror}"
        ) from None
    return {"decision_log_dir": decisions, "outcomes_dir": outcomes}
