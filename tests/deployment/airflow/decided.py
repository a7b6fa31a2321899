"""Applications that the service decides on, as the project's release has it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from credit_scoring.contract.model import Role
from credit_scoring.serving.assembly import load_models
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.settings import Settings

from ...pipelines.monitoring.test_run import decide
from .deployed import Deployed

# When today's decisions are a window that is over.
TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}T02:00:00+00:00"
CURRENT = "bentos/releases/current.json"


def decide_on(scheduled: Deployed, log: Path, applications: pd.DataFrame) -> None:
    """Let the service decide on raw applications, into a log."""
    models = load_models(champion_folder(scheduled), None)
    names = models.contract.names(Role.APPLICATION, Role.HISTORY)
    rows = validated(scheduled, applications)[["loan_id", *names]]
    whole = rows.astype(dict.fromkeys(names, "int64")).to_dict("records")
    decide(models, Settings(decision_log_dir=str(log)), whole)


def champion_folder(scheduled: Deployed) -> ModelFolder:
    """The artifact that the release names."""
    digest = scheduled.read(CURRENT)["versions"]["champion"]["artifact_digest"]
    for family in ("scorecard", "boosting"):
        folder = scheduled.project / "data/09_release" / family / "artifact"
        found = ModelFolder(folder, "credit_scoring", "1")
        if load_models(found, None).champion.model.digest == digest:
            return found
    raise AssertionError("the release names no artifact of the project")


def validated(scheduled: Deployed, applications: pd.DataFrame) -> pd.DataFrame:
    """Held-out applications under the contract's names, changed as the raw ones are."""
    file = scheduled.project / "data/02_intermediate/validated_applications.parquet"
    rows = pd.read_parquet(file)
    rows["loan_id"] = rows["loan_id"].astype(str)
    rows = rows.set_index("loan_id").loc[applications["ID"].tolist()].reset_index()
    rows["credit_limit"] = applications["LIMIT_BAL"].astype(float).tolist()
    months = zip(
        range(1, 7), ("PAY_0", *(f"PAY_{n}" for n in range(2, 7))), strict=True
    )
    for month, raw in months:
        rows[f"repayment_status_{month}"] = applications[raw].astype(int).tolist()
    return rows
