"""From applications to answers: which model decides, and what is said of it."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET

from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import Decision
from credit_scoring.serving.answers import (
    DecisionAnswer,
    FeatureSource,
    new_decision_id,
    now,
)
from credit_scoring.serving.histories import Histories, NoHistories
from credit_scoring.serving.live import LiveListener, hear_nothing
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording import Answered, Recorder, Unrecorded
from credit_scoring.serving.request_ids import UNTRACED, Traces
from credit_scoring.serving.routing import ChampionDecides, Decided, Router
from credit_scoring.serving.runners import Runner


class Scoring:
    """Decides on applications, each with the model that routing chooses."""

    def __init__(  # noqa: PLR0913 - one for each collaborator
        self,
        *,
        champion: Runner,
        router: Router | None = None,
        metrics: ServiceMetrics,
        recorder: Recorder | None = None,
        histories: Histories | None = None,
        live: LiveListener = hear_nothing,
        clock: Callable[[], datetime] = now,
        new_id: Callable[[], str] = new_decision_id,
    ) -> None:
        """Compose the runners.

        Args:
            champion: Says what holds where no model decides.
            router: Chooses the runner that decides; None for the champion, always.
            metrics: Counts the decisions.
            recorder: Keeps each decision before it is answered; None keeps none.
            histories: Completes applications that come without their history;
                without it they are referred.
            live: Hears of each decision of the champion.
            clock: Gives the time of a decision.
            new_id: Gives each decision its identifier.
        """
        self.champion = champion
        self._router = ChampionDecides(champion) if router is None else router
        self._metrics = metrics
        self._recorder = recorder or Unrecorded()
        self._histories = histories or NoHistories()
        self._live = live
        self._clock = clock
        self._new_id = new_id

    async def decide(
        self,
        application: Application,
        *,
        explain: bool,
        interval: bool = False,
        traces: Traces = UNTRACED,
    ) -> DecisionAnswer:
        """Decide on one application.

        Args:
            application: Valid under the contract; without its history, and
                with none in the store, it is referred to a person.
            explain: Give the reasons of an approval, too.
            interval: Give the interval of the PD.
            traces: What the record says of the request.

        Raises:
            ProblemError: If the decision could not be recorded.
        """
        source: FeatureSource = "request"
        if not application.has_history:
            completed = await self._histories.complete(application)
            source = "degraded" if completed is None else "store"
            application = completed or application
        if source == "degraded":
            decided = self._without_history(application)
        else:
            decided = await self._router.decide(application, explain=explain)
        answered = self._answered(
            application, decided, source, explain=explain, interval=interval
        )
        if traces is not UNTRACED:
            answered = answered._replace(traces=traces)
        await self._recorder.record(answered)
        self._settle(answered)
        if source == "request":
            self._histories.remember(application)
        return answered.answer

    async def complete(
        self, applications: Sequence[Application]
    ) -> tuple[list[Application], frozenset[int]]:
        """Give the applications of a batch the histories that they lack.

        Returns:
            The applications in the order given, and the places of those whose
            history came from the store.
        """
        lacking = [
            place
            for place, application in enumerate(applications)
            if not application.has_history
        ]
        completed = list(applications)
        if not lacking:
            return completed, frozenset()
        found = await self._histories.complete_many(
            [applications[place] for place in lacking]
        )
        stored = {
            place: application
            for place, application in zip(lacking, found, strict=True)
            if application is not None
        }
        for place, application in stored.items():
            completed[place] = application
        return completed, frozenset(stored)

    def decide_many(
        self,
        applications: Sequence[Application],
        *,
        explain: bool,
        interval: bool = False,
        stored: Collection[int] = frozenset(),
        traces: Traces = UNTRACED,
    ) -> list[DecisionAnswer | Exception]:
        """Decide on many applications with one computation.

        Args:
            applications: As `complete` gives them.
            explain: Give the reasons of approvals, too.
            interval: Give the intervals of the PDs.
            stored: Places of those whose history came from the store.
            traces: What the records say of the request.

        Returns:
            In the order given; the error of a row that failed is in its place.

        Raises:
            ProblemError: If the decisions could not be recorded.
        """
        complete = [one for one in applications if one.has_history]
        computed = iter(self._router.decide_many(complete, explain=explain))
        outcomes = [
            self._answered_or_error(
                application,
                next(computed),
                "store" if place in stored else "request",
                explain=explain,
                interval=interval,
            )
            if application.has_history
            else self._answered(
                application,
                self._without_history(application),
                "degraded",
                explain=explain,
                interval=interval,
            )
            for place, application in enumerate(applications)
        ]
        answered = [one for one in outcomes if not isinstance(one, Exception)]
        self._recorder.record_many([one._replace(traces=traces) for one in answered])
        for one in answered:
            self._settle(one)
        return [o if isinstance(o, Exception) else o.answer for o in outcomes]

    def remember(
        self, applications: Sequence[Application], stored: Collection[int]
    ) -> None:
        """Keep the histories that came with a batch for later applications.

        Args:
            applications: Those that were decided.
            stored: Places of those whose history came from the store.
        """
        for place, application in enumerate(applications):
            if application.has_history and place not in stored:
                self._histories.remember(application)

    def _without_history(self, application: Application) -> Decided:
        decision = self.champion.engine.decide_without_history()
        return Decided(self.champion, decision, self._router.arm(application))

    def _answered_or_error(
        self,
        application: Application,
        outcome: Decided | Exception,
        source: FeatureSource,
        *,
        explain: bool,
        interval: bool,
    ) -> Answered | Exception:
        if isinstance(outcome, Exception):
            return outcome
        return self._answered(
            application, outcome, source, explain=explain, interval=interval
        )

    def _answered(
        self,
        application: Application,
        decided: Decided,
        source: FeatureSource,
        *,
        explain: bool,
        interval: bool,
    ) -> Answered:
        runner, decision, arm = decided
        answer = answer_of(
            runner,
            application,
            decision,
            source=source,
            stamp=Stamp(self._new_id(), self._clock()),
            interval=interval,
        )
        return Answered(application, decision, answer, arm=arm, explained=explain)

    def _settle(self, answered: Answered) -> None:
        """Do what follows once a decision is recorded."""
        answer = answered.answer
        self._metrics.count_decision(answer)
        if answer.model.role == "champion":
            self._live(answered.decision)
        if answer.feature_source != "degraded":
            self._router.answered(answered.application, answer)


class Stamp(NamedTuple):
    """What tells one decision from another on the same application."""

    decision_id: str
    scored_at: datetime


def answer_of(  # noqa: PLR0913 - what was decided, and how it was asked for
    runner: Runner,
    application: Application,
    decision: Decision,
    *,
    source: FeatureSource,
    stamp: Stamp,
    interval: bool = False,
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
        pd_interval=runner.engine.pd_interval(decision) if interval else UNSET,
    )
