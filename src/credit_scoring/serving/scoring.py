"""From applications to answers: which model decides, and what is said of it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import Decision
from credit_scoring.serving.answers import (
    DecisionAnswer,
    FeatureSource,
    new_decision_id,
    now,
)
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.runners import Runner


class Scoring:
    """Decides on applications with the champion.

    The challenger stands by, loaded and warm; no routing sends it anything yet.
    """

    def __init__(
        self,
        *,
        champion: Runner,
        challenger: Runner | None,
        metrics: ServiceMetrics,
        clock: Callable[[], datetime] = now,
        new_id: Callable[[], str] = new_decision_id,
    ) -> None:
        """Compose the runners.

        Args:
            champion: Decides.
            challenger: Stands by; None if there is none.
            metrics: Counts the decisions.
            clock: Gives the time of a decision.
            new_id: Gives each decision its identifier.
        """
        self.champion = champion
        self.challenger = challenger
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id

    async def decide(
        self, application: Application, *, explain: bool
    ) -> DecisionAnswer:
        """Decide on one application.

        Args:
            application: Valid under the contract; without its history it is
                referred to a person.
            explain: Give the reasons of an approval, too.
        """
        if not application.has_history:
            return self._answer(application, self._without_history(), "degraded")
        decision = await self.champion.submit(application, explain=explain)
        return self._answer(application, decision, "request")

    def decide_many(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[DecisionAnswer | Exception]:
        """Decide on many applications with one computation.

        Returns:
            In the order given; the error of a row that failed is in its place.
        """
        complete = [one for one in applications if one.has_history]
        outcomes = iter(self.champion.compute(complete, explain=explain))
        return [
            self._answer_or_error(application, next(outcomes))
            if application.has_history
            else self._answer(application, self._without_history(), "degraded")
            for application in applications
        ]

    def _without_history(self) -> Decision:
        return self.champion.engine.decide_without_history()

    def _answer_or_error(
        self, application: Application, outcome: Decision | Exception
    ) -> DecisionAnswer | Exception:
        if isinstance(outcome, Exception):
            return outcome
        return self._answer(application, outcome, "request")

    def _answer(
        self, application: Application, decision: Decision, source: FeatureSource
    ) -> DecisionAnswer:
        role = self.champion.model.role
        self._metrics.count_decision(role, decision.decision, source)
        return answer_of(
            self.champion,
            application,
            decision,
            source=source,
            stamp=Stamp(self._new_id(), self._clock()),
        )


class Stamp(NamedTuple):
    """What tells one decision from another on the same application."""

    decision_id: str
    scored_at: datetime


def answer_of(
    runner: Runner,
    application: Application,
    decision: Decision,
    *,
    source: FeatureSource,
    stamp: Stamp,
) -> DecisionAnswer:
    """Say a runner's decision as clients see it."""
    return DecisionAnswer(
        decision_id=stamp.decision_id,
        loan_id=application.loan_id,
        pd=decision.pd,
        score=decision.score,
        band=decision.band,
        decision=decision.decision,
        reasons=decision.reasons,
        model=runner.model,
        policy_version=runner.engine.policy_version,
        feature_source=source,
        scored_at=stamp.scored_at,
    )
