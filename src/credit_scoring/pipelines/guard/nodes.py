"""Nodes of the guard pipeline."""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from credit_scoring.challenge.guard import GuardParameters, watch
from credit_scoring.routing_state.state import change_state

logger = logging.getLogger(__name__)
WHO = "the guard pipeline"


def guard_routing(
    matured_outcomes: pd.DataFrame,
    outcomes_report: Mapping[str, Any],
    routing_state: Path,
    guard: GuardParameters,
) -> dict[str, Any]:
    """Ask every rule, and override the routing if one fires.

    Args:
        matured_outcomes: Decisions with their status.
        outcomes_report: Says of which moment they are.
        routing_state: Folder of the routing's state, which every worker heeds.
        guard: The rules.

    Returns:
        ``as_of``, ``findings``, ``fired``, and ``override``: the entry that holds
        from now on, or None.

    Raises:
        RoutingStateError: If the override cannot be written.
    """
    as_of = str(outcomes_report["as_of"])
    findings = watch(matured_outcomes, guard, as_of=datetime.fromisoformat(as_of))
    fired = [finding for finding in findings if finding.fired]
    override = None
    if fired:
        why = "; ".join(map(str, fired))
        logger.warning("%s: %s", "overridden" if guard.carry_out else "fired", why)
        if guard.carry_out:
            override = change_state(routing_state, "override", why=why, who=WHO)
    return {
        "as_of": as_of,
        "findings": [finding.as_json() for finding in findings],
        "fired": [finding.rule for finding in fired],
        "override": override,
    }
