"""``GET /monitoring`` and its report: what the service sees of itself."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from prometheus_client import CollectorRegistry

from credit_scoring.feature_store.observer import CircuitState
from credit_scoring.monitoring.publication import (
    Finding,
    Summary,
    Verdict,
    read_report,
)
from credit_scoring.serving.answers import ModelAnswer
from credit_scoring.serving.live import LiveFigures, LiveMonitor
from credit_scoring.serving.messages import Receive, Reply, Scope, json_reply
from credit_scoring.serving.override import OverrideWatch
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.problems import invalid_parameter, no_report
from credit_scoring.serving.readings import Readings, read_metrics, shared_folder
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.tally import Tally

REPORT_PATH = "/monitoring/report"
# So old an answer may be: the figures are of all workers and cost a few
# milliseconds, which nobody may spend by asking often.
_KEPT_SECONDS = 1.0
_CIRCUIT = {0: CircuitState.CLOSED, 1: CircuitState.HALF_OPEN, 2: CircuitState.OPEN}
# The report is one file of our own making with its scripts in it. It may run them,
# in an origin of its own, and neither load nor send anything.
_REPORT_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
        b"style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        b"base-uri 'none'; form-action 'none'; sandbox allow-scripts allow-downloads",
    ),
)


class RoutingNow(msgspec.Struct, frozen=True):
    """Which model decides."""

    mode: Annotated[
        Literal["champion", "shadow", "split"], Meta(description="As configured.")
    ]
    challenger_share: Annotated[
        float | None, Meta(description="In `split` alone, else null.")
    ]
    overridden: Annotated[
        bool, Meta(description="Whether the champion decides on everybody meanwhile.")
    ]
    why: Annotated[str, Meta(description="Why it is, or is no longer; may be empty.")]


class DecisionCounts(msgspec.Struct, frozen=True):
    """Decisions since the server was started, of all workers."""

    total: int
    by_decision: dict[str, int]
    by_role: dict[str, int]
    by_feature_source: dict[str, int]


class StoreState(msgspec.Struct, frozen=True):
    """The store of histories; null figures if the service has none."""

    hits: int | None
    misses: int | None
    errors: int | None
    circuit: Annotated[
        str | None,
        Meta(description="`closed`: it is asked; `half_open`; `open`: it is not."),
    ]


class Degradation(msgspec.Struct, frozen=True):
    """What went on with less than it should have, since the server was started."""

    without_history: Annotated[
        int, Meta(description="Decisions referred for want of a history.")
    ]
    store: StoreState
    challenger_fallbacks: dict[str, int]
    shadow_left_out: dict[str, int]
    computed_by_xgboost: dict[str, int]
    unrecorded: Annotated[
        int, Meta(description="Decisions refused as the log could not be written.")
    ]
    overloads: dict[str, int]
    idempotency: dict[str, int]


class PublishedVerdict(msgspec.Struct, frozen=True):
    """What the monitoring run published last."""

    verdict: Annotated[
        Verdict | None, Meta(description="Null if there is none; `reason` says why.")
    ]
    reason: str | None
    computed_at: datetime | None = None
    last_success_at: datetime | None = None
    window_since: datetime | None = None
    window_until: datetime | None = None
    decisions: int | None = None
    findings: list[Finding] = []
    figures: dict[str, float | None] = {}
    report: Annotated[
        str | None, Meta(description="Path of the newest report, if there is one.")
    ] = None


class MonitoringAnswer(msgspec.Struct, frozen=True):
    """The state of the service and of its models, of all workers."""

    as_of: Annotated[datetime, Meta(tz=True)]
    models: list[ModelAnswer]
    routing: RoutingNow
    decisions: DecisionCounts
    problems: Annotated[
        dict[str, int],
        Meta(description="Requests answered by a problem, by its name."),
    ]
    live: LiveFigures
    degradation: Degradation
    monitoring: PublishedVerdict


@dataclass(frozen=True)
class Observed:
    """What is looked at.

    Attributes:
        models: That are loaded.
        settings: Say who decides.
        live: The live window and the published verdict.
        tally: Counts what is noted in this worker.
        registry: Holds this worker's metrics.
        override: Says whether the champion decides on everybody.
    """

    models: Sequence[ModelAnswer]
    settings: Settings
    live: LiveMonitor
    tally: Tally
    registry: CollectorRegistry
    override: OverrideWatch


class Monitoring:
    """Answers with the state of now, at most a second old."""

    def __init__(self, observed: Observed) -> None:
        """Look at a service."""
        self._observed = observed
        self._asking = asyncio.Lock()
        self._reply: Reply | None = None
        self._made_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive) -> Reply:
        """Answer.

        Raises:
            ProblemError: If there is a parameter.
        """
        if scope["query_string"]:
            raise invalid_parameter("there is no parameter")
        async with self._asking:
            if self._reply is None or time.monotonic() - self._made_at > _KEPT_SECONDS:
                self._reply = json_reply(await self._look())
                self._made_at = time.monotonic()
            return self._reply

    async def _look(self) -> MonitoringAnswer:
        seen = self._observed
        seen.tally.flush()
        if shared_folder() is None:
            readings = read_metrics(seen.registry)
        else:
            readings = await asyncio.to_thread(read_metrics, seen.registry)
        return MonitoringAnswer(
            as_of=datetime.now(UTC),
            models=list(seen.models),
            routing=_routing(seen.settings, seen.override),
            decisions=_decisions(readings),
            problems=readings.by("credit_scoring_problems_total", "problem"),
            live=seen.live.figures(),
            degradation=_degradation(readings),
            monitoring=_published(seen.live.summary()),
        )


class MonitoringReport:
    """Answers with the newest report."""

    def __init__(self, live: LiveMonitor, folder: Path, gate: Gate) -> None:
        """Find reports in the folder in which runs publish."""
        self._live = live
        self._folder = folder
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive) -> Reply:
        """Answer.

        Raises:
            ProblemError: If there is no report, or a parameter.
        """
        if scope["query_string"]:
            raise invalid_parameter("there is no parameter")
        summary = self._live.summary()
        if not isinstance(summary, Summary):
            raise no_report(summary)
        if summary.report is None:
            raise no_report("the last monitoring run made no report")
        with self._gate:
            found = await asyncio.to_thread(read_report, self._folder, summary.report)
        if found is None:
            raise no_report("the report of the last monitoring run is not there")
        return Reply(200, found, _REPORT_HEADERS)


def _routing(settings: Settings, override: OverrideWatch) -> RoutingNow:
    share = settings.challenger_share if settings.routing == "split" else None
    overridden = override.overridden
    return RoutingNow(settings.routing, share, overridden, override.state.why)


def _decisions(readings: Readings) -> DecisionCounts:
    name = "credit_scoring_decisions_total"
    return DecisionCounts(
        total=readings.total(name) or 0,
        by_decision=readings.by(name, "decision"),
        by_role=readings.by(name, "role"),
        by_feature_source=readings.by(name, "feature_source"),
    )


def _degradation(readings: Readings) -> Degradation:
    sources = readings.by("credit_scoring_decisions_total", "feature_source")
    return Degradation(
        without_history=sources.get("degraded", 0),
        store=_store(readings),
        challenger_fallbacks=readings.by(
            "credit_scoring_challenger_fallbacks_total", "kind"
        ),
        shadow_left_out=readings.by("credit_scoring_shadow_left_out_total", "kind"),
        computed_by_xgboost=readings.by("credit_scoring_model_fallbacks_total", "role"),
        unrecorded=readings.total("credit_scoring_decision_log_errors_total") or 0,
        overloads=readings.by("credit_scoring_overloads_total", "route"),
        idempotency=readings.by(
            "credit_scoring_idempotency_degradations_total", "step"
        ),
    )


def _store(readings: Readings) -> StoreState:
    name = "credit_scoring_feature_store"
    circuit = readings.total(f"{name}_circuit_state")
    if circuit is None:
        return StoreState(None, None, None, None)
    lookups = readings.by(f"{name}_lookups_total", "result")
    return StoreState(
        hits=lookups.get("hit", 0),
        misses=lookups.get("miss", 0),
        errors=readings.total(f"{name}_errors_total") or 0,
        circuit=_CIRCUIT[circuit].value if circuit in _CIRCUIT else None,
    )


def _published(summary: Summary | str) -> PublishedVerdict:
    if not isinstance(summary, Summary):
        return PublishedVerdict(verdict=None, reason=summary)
    return PublishedVerdict(
        verdict=summary.verdict,
        reason=None,
        computed_at=summary.computed_at,
        last_success_at=summary.last_success_at,
        window_since=summary.window_since,
        window_until=summary.window_until,
        decisions=summary.decisions,
        findings=summary.findings,
        figures=summary.figures,
        report=REPORT_PATH if summary.report else None,
    )
