"""One look: select, compare, judge, and write down what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from credit_scoring.challenge.comparing import Comparison, compare
from credit_scoring.challenge.judging import Judged, judge_challenge
from credit_scoring.challenge.looks import Look, add_look, looks_of
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.challenge.report import challenge_report
from credit_scoring.challenge.selection import Pair, select_decisions
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.versions import CHALLENGER, CHAMPION, RegisteredVersion

Roles = Mapping[str, RegisteredVersion]


@dataclass(frozen=True)
class Asked:
    """What a look asks.

    Attributes:
        challenge: What is compared, and what decides.
        gates: What promotion asks of a candidate.
        roles: ``champion`` and ``challenger``.
        evidence: The challenger as the last signed record judged it; None if none
            ever did.
    """

    challenge: ChallengeParameters
    gates: GateParameters
    roles: Roles
    evidence: Mapping[str, Any] | None

    @property
    def pair(self) -> Pair:
        """The two models."""
        return Pair(self.roles[CHAMPION].digest, self.roles[CHALLENGER].digest)


@dataclass(frozen=True)
class Looked:
    """What a look saw.

    Attributes:
        judged: The verdict.
        comparison: Every measure.
        report: As a JSON value.
        looks: All looks so far, of whatever models.
        same: Those on this pair, this one the last.
    """

    judged: Judged
    comparison: Comparison
    report: dict[str, Any]
    looks: list[Look]
    same: list[Look]


def take_look(
    matured: pd.DataFrame, asked: Asked, *, past: Sequence[Look], as_of: str
) -> Looked:
    """Compare champion and challenger on all outcomes known by now, and judge.

    Args:
        matured: Decisions with their status.
        asked: What to compare, and what decides.
        past: All looks so far.
        as_of: Moment of the outcomes.

    Raises:
        ChallengeError: If the exposure is not beside the decisions.
    """
    parameters, pair = asked.challenge, asked.pair
    costs = asked.gates.profit.costs
    selected = select_decisions(matured, pair, parameters, exposure=costs.exposure)
    comparison = compare(selected, parameters, costs)
    judged = judge_challenge(
        selected,
        comparison,
        parameters=parameters,
        gates=asked.gates,
        evidence=asked.evidence,
    )
    look: Look = {
        "as_of": as_of,
        "champion": pair.champion,
        "challenger": pair.challenger,
        "design": parameters.design,
        "data": selected.digest,
        "measures": {name: one.as_json() for name, one in comparison.measures.items()},
        "verdict": judged.verdict,
    }
    looks = add_look(past, look)
    same = looks_of(looks, look)
    report = challenge_report(
        selected,
        comparison,
        judged,
        parameters=parameters,
        roles={alias: _shown(holder) for alias, holder in asked.roles.items()},
        looks=same,
        as_of=as_of,
    )
    return Looked(judged, comparison, report, looks, same)


def _shown(holder: RegisteredVersion) -> dict[str, Any]:
    return {
        "version": holder.version,
        "family": holder.family,
        "artifact_digest": holder.digest,
    }
