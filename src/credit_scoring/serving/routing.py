"""Routing: which model decides on an application, and which one follows."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.routing import Arm, Split
from credit_scoring.serving.answers import DecisionAnswer
from credit_scoring.serving.left_out import LeftOutError, LeftOutLog, kind_of
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runners import Runner
from credit_scoring.serving.shadow import Shadow


class Decided(NamedTuple):
    """A decision, the runner that made it, and the arm that was drawn.

    Attributes:
        runner: Decided; the champion, too, on an arm of a challenger left out.
        decision: What it gave.
        arm: What routing drew for the applicant.
    """

    runner: Runner
    decision: Decision
    arm: Arm


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

    def arm(self, application: Application) -> Arm:
        """Give the arm of an applicant on whom no model decides."""

    def answered(self, application: Application, answer: DecisionAnswer) -> None:
        """Hear what was decided, on any thread; it must return at once."""

    def close(self) -> None:
        """Let what was begun come to an end, in bounded time."""


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
        decision = await champion.submit(application, explain=explain)
        return Decided(champion, decision, "champion")

    def decide_many(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decided | Exception]:
        """Let the champion decide on many."""
        champion = self._champion
        return [
            o if isinstance(o, Exception) else Decided(champion, o, "champion")
            for o in champion.compute(applications, explain=explain)
        ]

    def arm(self, application: Application) -> Arm:
        """Give the one arm there is."""
        return "champion"

    def answered(self, application: Application, answer: DecisionAnswer) -> None:
        """Let the challenger follow."""
        if self._shadow is not None:
            self._shadow.follow(application, answer)

    def close(self) -> None:
        """Let the challenger catch up."""
        if self._shadow is not None:
            self._shadow.close()


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
        arm = self.arm(application)
        if arm == "challenger":
            try:
                challenger = self._usable_challenger()
                decision = await challenger.submit(application, explain=explain)
                return Decided(challenger, decision, arm)
            except Exception as error:  # noqa: BLE001 - the champion decides instead
                self._fall_back(error)
        champion = self._champion
        decision = await champion.submit(application, explain=explain)
        return Decided(champion, decision, arm)

    def decide_many(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decided | Exception]:
        """Let the runner of each applicant's arm decide."""
        arms = self._split.arms([one.loan_id for one in applications])
        champions = [row for row, arm in enumerate(arms) if arm == "champion"]
        challengers = [row for row, arm in enumerate(arms) if arm == "challenger"]
        decided: dict[int, Decided | Exception] = {}
        theirs = self._challenge([applications[row] for row in challengers], explain)
        for row, outcome in zip(challengers, theirs, strict=True):
            if isinstance(outcome, Exception) or self._challenger is None:
                champions.append(row)
            else:
                decided[row] = Decided(self._challenger, outcome, "challenger")
        ours = self._champion.compute(
            [applications[row] for row in champions], explain=explain
        )
        for row, outcome in zip(champions, ours, strict=True):
            decided[row] = (
                outcome
                if isinstance(outcome, Exception)
                else Decided(self._champion, outcome, arms[row])
            )
        return [decided[row] for row in range(len(applications))]

    def arm(self, application: Application) -> Arm:
        """Draw the arm of an applicant."""
        return self._split.arm(application.loan_id)

    def answered(self, application: Application, answer: DecisionAnswer) -> None:
        """Nobody follows."""

    def close(self) -> None:
        """Nothing goes on by itself."""

    def _challenge(
        self, applications: Sequence[Application], explain: bool
    ) -> list[Decision | Exception]:
        outcomes: list[Decision | Exception]
        try:
            challenger = self._usable_challenger()
            outcomes = challenger.compute(applications, explain=explain)
        except Exception as error:  # noqa: BLE001 - the champion decides instead
            outcomes = [error] * len(applications)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                self._fall_back(outcome)
        return outcomes

    def _usable_challenger(self) -> Runner:
        if self._challenger is None:
            raise LeftOutError("missing")
        return self._challenger

    def _fall_back(self, error: Exception) -> None:
        self._metrics.count_fallback(kind_of(error))
        self._log.add(error)
