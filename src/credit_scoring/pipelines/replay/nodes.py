"""Nodes of the replay pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from credit_scoring.errors import ReplayError
from credit_scoring.pipelines.replay.parameters import ReplayParameters
from credit_scoring.replay.artifacts import RegisteredArtifacts
from credit_scoring.replay.replaying import Selection, replay_log
from credit_scoring.replay.report import COLUMNS
from credit_scoring.wording import counted

_NAMED = 5


def decide_again(decision_log: Path, replay: ReplayParameters) -> dict[str, Any]:
    """Verify the decision log, and decide again on what is in it.

    Args:
        decision_log: Folder of the log.
        replay: Which decisions.

    Returns:
        ``report``: counts, faults of the chain, models; ``differences``: a row for
        each.

    Raises:
        DecisionLogError: If the log cannot be read.
        ReplayError: If there is no such decision.
    """
    selection = Selection(
        decision_id=replay.decision_id, since=replay.since, until=replay.until
    )
    found = replay_log(
        decision_log,
        RegisteredArtifacts(replay.registered_model),
        selection=selection,
        most_differences=replay.most_differences,
    )
    report = found.as_json()
    if replay.decision_id is not None and not found.counts.decisions:
        faults = "".join(f"; {fault}" for fault in report["chain"]["faults"][:_NAMED])
        raise ReplayError(
            f"no decision of the log has the decision_id that was asked for{faults}"
        )
    table = pd.DataFrame(found.rows(), columns=list(COLUMNS))
    return {"report": report, "differences": table}


def require_reproduction(replay_report: Mapping[str, Any]) -> None:
    """Stop the run if anything was changed, or is decided otherwise now.

    Raises:
        ReplayError: Names the first records by segment and line.
    """
    chain, differences = replay_report["chain"], replay_report["differences"]
    if replay_report["reproduced"]:
        return
    first = [*chain["faults"][:_NAMED], *differences["first"][:_NAMED]]
    raise ReplayError(
        f"{counted(chain['fault_count'], 'fault')} of the log's chain, and "
        f"{counted(differences['count'], 'difference')}; all are in replay_report and "
        f"replay_differences. First: {'; '.join(first)}"
    )
