"""The whole simulation: two years through the real engine, many for the alarms."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.simulation.noticing import (
    Codes,
    Reference,
    first_alarm,
    look_at_windows,
)
from credit_scoring.simulation.roles import Contender, contender, open_registry
from credit_scoring.simulation.stale import write_stale
from credit_scoring.simulation.stream import Held, draw_month
from credit_scoring.simulation.year import NOT_WELL, Happened, Plan, Year

# Half the odds of bad that there are now.
STALE_SHIFT = 0.7
TITLES = {
    "better": "A better challenger, no drift",
    "worse": "A worse challenger, and drift",
}


class Models(NamedTuple):
    """Where the pipelines left the two candidates.

    Attributes:
        boosting: Folder with ``artifact`` and ``judgement.json``.
        scorecard: The same.
    """

    boosting: Path
    scorecard: Path


class Asked(NamedTuple):
    """What the simulation asks.

    Attributes:
        challenge: What a look at the challenger asks.
        gates: What promotion asks.
        monitoring: What the monitoring pipeline asks.
        alpha: Chance of an alarm in a window without drift.
        years: Years that false alarms and delays are counted in.
    """

    challenge: ChallengeParameters
    gates: GateParameters
    monitoring: MonitoringParameters
    alpha: float
    years: int


def simulate(
    folder: Path, models: Models, held: Held, plan: Plan, asked: Asked
) -> dict[str, Any]:
    """Live through both years, and count alarms over many.

    Args:
        folder: Stores and logs are written below it; it should be empty.
        models: The two candidates.
        held: The population.
        plan: With the drift, which the first year goes without.
        asked: What is asked.

    Returns:
        A JSON value: ``plan``, ``noticing``, ``years`` by name.
    """
    boosting, scorecard = map(_contender, models)
    write_stale(scorecard.artifact, folder / "stale", shift=STALE_SHIFT)
    pairs = {
        "better": (contender(folder / "stale", None), boosting),
        "worse": (boosting, scorecard),
    }
    plans = {"better": replace(plan, drift=None), "worse": plan}
    years = {}
    for name, pair in pairs.items():
        place = folder / name
        promotions = open_registry(place / "store", pair)
        by = (asked.challenge, asked.gates, asked.monitoring)
        happened = Year(place, promotions, held, plans[name], asked=by).live()
        years[name] = _described(name, happened, plans[name], asked)
    return {
        "plan": asdict(plan),
        "noticing": count_alarms(boosting.artifact, held, plan, asked),
        "years": years,
    }


def _contender(folder: Path) -> Contender:
    return contender(folder / "artifact", folder / "judgement.json")


def _described(name: str, happened: Happened, plan: Plan, asked: Asked) -> Any:
    drift_at = None if plan.drift is None else plan.drift.month * plan.size
    alarm = first_alarm(happened.windows, alpha=asked.alpha, after=drift_at or 0)
    return {
        "title": TITLES[name],
        "primary": asked.challenge.deciding,
        "drift_at": drift_at,
        "noticed_at": None if alarm is None else alarm.end,
        "noticed_in": None if alarm is None else alarm.name,
        "monitoring_noticed_at": _first_not_well(happened, after=drift_at or 0),
        **asdict(happened),
    }


def _first_not_well(happened: Happened, *, after: int) -> int | None:
    """Count the decisions until the monitoring pipeline first warns."""
    windows = (one for one in happened.monitored if one["end"] > after)
    return next((one["end"] for one in windows if one["verdict"] in NOT_WELL), None)


def count_alarms(
    artifact: Path, held: Held, plan: Plan, asked: Asked
) -> Mapping[str, Any]:
    """Count false alarms without drift, and decisions until one with it.

    The engine decides on each held-out application once; a year draws from these
    decisions, which are to the bit what it would decide again.

    Args:
        artifact: The champion's.
        held: The population.
        plan: Length of a year, windows, drift.
        asked: Level of the alarm, and how many years.
    """
    champion = load_artifact(artifact)
    decided = champion.engine.decide(held.columns, explain=False)
    reference = Reference.of_artifact(
        champion.reference, champion.engine.features.names
    )
    codes = reference.codes(decided.score, decided.features)
    quiet = [
        _windows(codes, reference, held, replace(plan, drift=None, seed=seed))
        for seed in range(1000, 1000 + asked.years)
    ]
    alarms = [sum(w.p_value < asked.alpha for w in windows) for windows in quiet]
    found: dict[str, Any] = {
        "alpha": asked.alpha,
        "years": asked.years,
        "windows": sum(map(len, quiet)),
        "false_windows": sum(alarms),
        "false_years": sum(count > 0 for count in alarms),
        "median_delay": None,
        "longest_delay": None,
    }
    if plan.drift is None:
        return found
    delays = []
    begin = plan.drift.month * plan.size
    for seed in range(2000, 2000 + asked.years):
        windows = _windows(codes, reference, held, replace(plan, seed=seed))
        alarm = first_alarm(windows, alpha=asked.alpha, after=begin)
        delays.append(np.inf if alarm is None else alarm.end - begin)
    for name, delay in (("median", median(delays)), ("longest", max(delays))):
        found[f"{name}_delay"] = None if np.isinf(delay) else int(delay)
    return found


def _windows(codes: Codes, reference: Reference, held: Held, plan: Plan) -> Any:
    rows = [
        draw_month(held, month, size=plan.size, drift=plan.drift, seed=plan.seed)
        for month in range(plan.months)
    ]
    return look_at_windows(codes[np.concatenate(rows)], reference, size=plan.window)
