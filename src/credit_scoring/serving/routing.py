"""Routing: which model decides on an application, and which one follows."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.routing import Split
from credit_scoring.serving.answers import DecisionAnswer
from credit_scoring.serving.left_out import LeftOutError, LeftOutLog, kind_of
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runners import Runner
from credit_scoring.serving.shadow import Shadow


class Decided(NamedTuple):
    """A decision, and the runner that made it."""

    runner: Runner
    decision: Decision


class Router(Protocol):
    """Finds the runner that decides on an application."""

    async def decide(self, application: Application, *, explain: bool) -> Decided:
        """Decide on one application.

        Args:
            application: Must carry its history.
            explain: Give the reasons of an approval, too.
        """

    def decide_many(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decided | Exception]:
        """Decide on many; a row that fails has its error in its place."""

    def answered(self, application: Application, answer: DecisionAnswer) -> None:
        """Hear what was decided, on any thread; it must return at once."""


class ChampionDecides:
    """The champion decides, always; the challenger may follow in the shadow."""

    def __init__(self, champion: Runner, shadow: Shadow | None = None) -> None:
        """Route everybody to the champion.

        Args:
            champion: Decides.
            shadow: Scores what the champion has decided.
        """
        self._champion = champion
        self._shadow = shadow

    async def decide(self, application: Application, *, explain: bool) -> Decided:
        """Let the champion decide on one application."""
        champion = self._champion
        return Decided(champion, await champion.submit(application, explain=explain))

    def decide_many(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decided | Exception]:
        """Let the champion decide on many."""
        return decided_by(self._champion, applications, explain=explain)

    def answered(self, application: Application, answer: DecisionAnswer) -> None:
        """Let the challenger follow."""
        if self._shadow is not None:
            self._shadow.follow(application, answer)


class ChallengerDecides:
    """The challenger decides on its share; where it cannot, the champion does."""

    def __init__(
        self,
        *,
        champion: Runner,
        challenger: Runner | None,
        split: Split,
        metrics: RoutingMetrics,
    ) -> None:
        """Split the applicants.

        Args:
            champion: Decides on its arm, and wherever the challenger cannot.
            challenger: Decides on its arm; it must come back in bounded time,
                with a decision or with an error. None if it cannot be used.
            split: Who belongs to the challenger.
            metrics: Counts the fallbacks.
        """
        self._champion = champion
        self._challenger = challenger
        self._split = split
        self._metrics = metrics
        self._log = LeftOutLog("the challenger")

    async def decide(self, application: Application, *, explain: bool) -> Decided:
        """Let the runner of the applicant's arm decide."""
        if self._split.arm(application.loan_id) == "challenger":
            try:
                challenger = self._usable_challenger()
                decision = await challenger.submit(application, explain=explain)
                return Decided(challenger, decision)
            except Exception as error:  # noqa: BLE001 - the champion decides instead
                self._fall_back(error)
        champion = self._champion
        return Decided(champion, await champion.submit(application, explain=explain))

    def decide_many(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decided | Exception]:
        """Let the runner of each applicant's arm decide."""
        outcomes: list[Decided | Exception] = [LeftOutError("missing")] * len(
            applications
        )
        arms = self._split.arms([one.loan_id for one in applications])
        champions = [row for row, arm in enumerate(arms) if arm == "champion"]
        challengers = [row for row, arm in enumerate(arms) if arm == "challenger"]
        theirs = self._challenge([applications[row] for row in challengers], explain)
        for row, outcome in zip(challengers, theirs, strict=True):
            outcomes[row] = outcome
            if isinstance(outcome, Exception):
                self._fall_back(outcome)
                champions.append(row)
        ours = decided_by(
            self._champion, [applications[row] for row in champions], explain=explain
        )
        for row, outcome in zip(champions, ours, strict=True):
            outcomes[row] = outcome
        return outcomes

    def answered(self, application: Application, answer: DecisionAnswer) -> None:
        """Nobody follows."""

    def _challenge(
        self, applications: Sequence[Application], explain: bool
    ) -> list[Decided | Exception]:
        try:
            challenger = self._usable_challenger()
            return decided_by(challenger, applications, explain=explain)
        except Exception as error:  # noqa: BLE001 - the champion decides instead
            return [error] * len(applications)

    def _usable_challenger(self) -> Runner:
        if self._challenger is None:
            raise LeftOutError("missing")
        return self._challenger

    def _fall_back(self, error: Exception) -> None:
        self._metrics.count_fallback(kind_of(error))
        self._log.add(error)


def decided_by(
    runner: Runner, applications: Sequence[Application], *, explain: bool
) -> list[Decided | Exception]:
    """Let a runner decide on many; a row that fails has its error in its place."""
    return [
        outcome if isinstance(outcome, Exception) else Decided(runner, outcome)
        for outcome in runner.compute(applications, explain=explain)
    ]
