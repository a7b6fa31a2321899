"""The challenger in the shadow: it scores after the answer, and nobody waits."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import Decision
from credit_scoring.serving.answers import DecisionAnswer
from credit_scoring.serving.left_out import LeftOutError, LeftOutLog, kind_of
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runners import Runner

_MOST_TOGETHER = 64
# Those who arrive meanwhile are scored together, and their answers have left.
_COLLECTING_SECONDS = 0.01
_CATCHING_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ShadowDecision:
    """What the challenger would have decided; nobody was told.

    Attributes:
        application: What both models read.
        answer: The champion's decision, as it was answered.
        challenger: The challenger's; its reasons are those of a decision that is
            not approve.
        runner: The challenger that decided.
    """

    application: Application
    answer: DecisionAnswer
    challenger: Decision
    runner: Runner


ShadowListener = Callable[[Sequence[ShadowDecision]], None]


def nobody(decisions: Sequence[ShadowDecision]) -> None:
    """Take shadow decisions and do nothing."""


class Shadow:
    """Scores answered applications once more, on a thread of its own.

    A challenger that fails, hangs or lags fills the bounded queue and no more:
    what does not fit is counted and forgotten.
    """

    def __init__(
        self,
        challenger: Runner | None,
        metrics: RoutingMetrics,
        *,
        most_waiting: int,
        listener: ShadowListener = nobody,
    ) -> None:
        """Cast the shadow.

        Args:
            challenger: Its ``compute`` is called on the thread. None if it cannot
                be used, which is counted for each application.
            metrics: Counts and compares.
            most_waiting: Most applications that wait for the challenger.
            listener: Told of the decisions that were computed together, on the
                shadow's thread; what it raises is logged and harms nothing.
        """
        self._challenger = challenger
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._listener = listener
        self._log = LeftOutLog("the challenger's shadow")
        self._waiting: deque[tuple[Application, DecisionAnswer]] = deque()
        self._scoring = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def follow(self, application: Application, answer: DecisionAnswer) -> None:
        """Score an application that the champion has decided; on any thread.

        Args:
            application: With its history.
            answer: The champion's decision.
        """
        if self._challenger is None:
            self._leave_out(LeftOutError("missing"))
            return
        if len(self._waiting) >= self._most_waiting:
            self._leave_out(LeftOutError("lagging"))
            return
        self._waiting.append((application, answer))
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._start(self._challenger)

    def close(self) -> None:
        """Let the challenger catch up, for a moment; what is left is forgotten."""
        gives_up = time.monotonic() + _CATCHING_UP_SECONDS
        while (self._waiting or self._scoring) and time.monotonic() < gives_up:
            time.sleep(_COLLECTING_SECONDS)

    def _start(self, challenger: Runner) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work,
                    args=(challenger,),
                    name="credit-scoring-shadow",
                    daemon=True,
                )
                self._thread.start()

    def _work(self, challenger: Runner) -> None:
        while True:
            self._wake.wait()
            time.sleep(_COLLECTING_SECONDS)
            # Cleared before the queue is read: whoever comes later wakes it again.
            self._wake.clear()
            while self._waiting:
                self._scoring = True
                self._score(challenger)
                self._scoring = False

    def _score(self, challenger: Runner) -> None:
        number = min(len(self._waiting), _MOST_TOGETHER)
        together = [self._waiting.popleft() for _ in range(number)]
        try:
            outcomes = challenger.compute(
                [application for application, _ in together], explain=False
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it stays here
            outcomes = [error] * number
        decided = []
        for (application, answer), outcome in zip(together, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self._leave_out(outcome)
            else:
                one = ShadowDecision(application, answer, outcome, challenger)
                decided.append(one)
                self._compare(one)
        if decided:
            self._tell(decided)

    def _tell(self, decided: Sequence[ShadowDecision]) -> None:
        try:
            self._listener(decided)
        except Exception as error:  # noqa: BLE001 - a side part harms nothing
            self._log.add(error)

    def _compare(self, decision: ShadowDecision) -> None:
        ours, theirs = decision.answer, decision.challenger
        if ours.pd is None or ours.score is None:
            return  # without its history nobody scored it
        if theirs.pd is None or theirs.score is None:
            return
        self._metrics.compare(
            ours.decision,
            theirs.decision,
            pd_=theirs.pd - ours.pd,
            score=theirs.score - ours.score,
        )

    def _leave_out(self, error: Exception) -> None:
        self._metrics.count_left_out(kind_of(error))
        self._log.add(error)
