"""Nodes of the challenge pipeline."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from credit_scoring.challenge.concluding import ask_registry, carry_out
from credit_scoring.challenge.looking import take_look
from credit_scoring.challenge.looks import Look
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.challenge.report import challenge_page
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.registry.mlflow_reports import log_report
from credit_scoring.registry.promotion_access import open_promotions

logger = logging.getLogger(__name__)


def challenge_champion(
    matured_outcomes: pd.DataFrame,
    outcomes_report: Mapping[str, Any],
    past_looks: Sequence[Look],
    challenge: ChallengeParameters,
    promotion: PromotionParameters,
) -> dict[str, Any]:
    """Compare champion and challenger, judge, and do it if that is asked.

    Args:
        matured_outcomes: Decisions with their status.
        outcomes_report: Says of which moment the outcomes are.
        past_looks: All looks so far.
        challenge: What is compared, and what decides.
        promotion: What promotion asks of a candidate.

    Returns:
        ``report``; ``page``; ``looks``, with this one unless the data are those of
        the last; ``record``: the promotion record that stands afterwards.

    Raises:
        ChallengeError: If there is no challenger, or the exposure is not known.
        PromotionError: If the history cannot be believed, or roles changed meanwhile.
    """
    promotions = open_promotions(challenge.registered_model)
    asked = ask_registry(promotions, challenge, promotion.gates)
    as_of = str(outcomes_report["as_of"])
    looked = take_look(matured_outcomes, asked, past=past_looks, as_of=as_of)
    report, verdict = looked.report, looked.judged.verdict
    logger.info("verdict: %s; %s", verdict, looked.judged.why)
    if challenge.carry_out and verdict != "keep":
        record = carry_out(promotions, looked, asked.roles)
        report |= {"carried_out": True, "record": record["digest"]}
    return {
        "report": report,
        "page": challenge_page(report, looked.comparison, looked.same),
        "looks": looked.looks,
        "record": promotions.log.head(),
    }


def log_challenge(challenge_report: Mapping[str, Any], challenge_page: str) -> None:
    """Log the report to MLflow, as a run of its own below this one."""
    figures = {
        f"{name}_{figure}": float(one[figure])
        for name, one in challenge_report["measures"].items()
        for figure in ("gain", "low", "high", "power", "rows")
    }
    log_report(
        "challenge",
        figures,
        files={"challenge_report.html": challenge_page.encode()},
        facts={"challenge_report.json": challenge_report},
    )
