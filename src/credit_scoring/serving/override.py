"""The override: every worker heeds the state of routing within a second."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from credit_scoring.contract.request import Application
from credit_scoring.decision.routing import Arm
from credit_scoring.routing_state.state import FILE, RoutingState, read_state
from credit_scoring.serving.answers import DecisionAnswer
from credit_scoring.serving.routing import ChampionDecides, Decided, Router

_LOG = logging.getLogger(__name__)

# A decision never rests on an older look than twice this.
LOOK_SECONDS = 0.25
_NEVER = -1.0e9
_Mark = tuple[int, int, int] | None


class OverrideMetrics:
    """Whether this server is overridden."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metric; once in a registry."""
        self._gauge = Gauge(
            "credit_scoring_routing_override",
            "1 while an override sends everybody to the champion, else 0",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.show(overridden=False)

    def show(self, *, overridden: bool) -> None:
        """Show what holds."""
        self._gauge.set(int(overridden))


class OverrideWatch:
    """Looks at the state of routing, on a thread of its own and before decisions.

    A file that is not believed is an override, and so is one that vanishes after it
    was seen: only an entry that says so clears it.
    """

    def __init__(
        self,
        folder: Path,
        metrics: OverrideMetrics,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Look for the first time.

        Args:
            folder: Holds the state.
            metrics: Shows what holds.
            clock: Seconds that only rise.
        """
        self._folder = folder
        self._metrics = metrics
        self._clock = clock
        self._mark: _Mark = None
        self._looked = _NEVER
        self._looking = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.state = RoutingState(overridden=False)
        self.look()

    @property
    def overridden(self) -> bool:
        """Whether the champion decides on everybody; never older than half a second."""
        if self._clock() - self._looked > 2 * LOOK_SECONDS:
            self.look()
        return self.state.overridden

    def look(self) -> None:
        """Look whether the file changed, and read it if it did."""
        with self._looking:
            mark = _mark_of(self._folder / FILE)
            if mark != self._mark:
                if mark is None:
                    gone = f"{FILE} is gone, which clears nothing"
                    self._take(RoutingState(overridden=True, why=gone))
                else:
                    self._take(read_state(self._folder))
                self._mark = mark
            self._looked = self._clock()

    def start(self) -> None:
        """Go on looking without decisions, for the metric."""
        self._thread = threading.Thread(
            target=self._watch, name="credit-scoring-override", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * LOOK_SECONDS)

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look()

    def _take(self, state: RoutingState) -> None:
        if state.overridden != self.state.overridden:
            _LOG.error(
                "routing: %s; %s",
                "the champion decides on everybody"
                if state.overridden
                else "as configured again",
                state.why,
            )
        self.state = state
        self._metrics.show(overridden=state.overridden)


def _mark_of(path: Path) -> _Mark:
    """Tell one content of a file from another; None if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError:
        return (0, 0, 0)  # read_state says why
    return (found.st_ino, found.st_mtime_ns, found.st_size)


class Overridable:
    """The configured routing, or the champion alone while an override holds."""

    def __init__(
        self, configured: Router, champion: ChampionDecides, watch: OverrideWatch
    ) -> None:
        """Stand before the configured routing.

        Args:
            configured: What the settings ask for.
            champion: Decides while an override holds; the challenger neither
                decides nor follows then.
            watch: Knows whether one does.
        """
        self._configured = configured
        self._champion = champion
        self._watch = watch

    async def decide(self, application: Application, *, explain: bool) -> Decided:
        """Decide on one application; the arm stays the one that was drawn."""
        if not self._watch.overridden:
            return await self._configured.decide(application, explain=explain)
        decided = await self._champion.decide(application, explain=explain)
        return decided._replace(arm=self._configured.arm(application))

    def decide_many(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decided | Exception]:
        """Decide on many; the arms stay those that were drawn."""
        if not self._watch.overridden:
            return self._configured.decide_many(applications, explain=explain)
        outcomes = self._champion.decide_many(applications, explain=explain)
        return [
            one
            if isinstance(one, Exception)
            else one._replace(arm=self._configured.arm(application))
            for application, one in zip(applications, outcomes, strict=True)
        ]

    def arm(self, application: Application) -> Arm:
        """Give the arm that was drawn."""
        return self._configured.arm(application)

    def answered(self, application: Application, answer: DecisionAnswer) -> None:
        """Let the challenger follow, unless an override holds."""
        if not self._watch.overridden:
            self._configured.answered(application, answer)

    def close(self) -> None:
        """Let what was begun come to an end."""
        self._configured.close()
