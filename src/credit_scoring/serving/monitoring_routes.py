"""The routes that say how the decisions go, and the watch behind them."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from credit_scoring.errors import ArtifactError
from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.serving.app import Route
from credit_scoring.serving.live import LiveMonitor
from credit_scoring.serving.live_window import LiveWindow, WindowLimits
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.monitoring import (
    REPORT_PATH,
    Monitoring,
    MonitoringReport,
    Observed,
)
from credit_scoring.serving.override import OverrideWatch
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.settings import Settings

if TYPE_CHECKING:
    from credit_scoring.serving.assembly import Models

_LOG = logging.getLogger(__name__)


def live_monitor(
    models: "Models", settings: Settings, metrics: ServiceMetrics
) -> LiveMonitor:
    """Watch how far the champion's decisions move from its reference.

    Without a reference in the artifact the figures say so.
    """
    try:
        features = models.champion.engine.features.names
        bins = ReferenceBins.of_reference(models.reference, features)
    except ArtifactError as error:
        _LOG.warning("there are no live figures: %s", error)
        window = None
    else:
        limits = WindowLimits(
            minutes=settings.live_window_minutes,
            most=settings.live_window_decisions,
        )
        shared = Path(settings.metrics_dir) if settings.metrics_dir else None
        window = LiveWindow(bins, limits, folder=shared)
    return LiveMonitor(
        window,
        metrics.live,
        tally=metrics.tally,
        folder=Path(settings.monitoring_dir),
        least=settings.live_window_least,
    )


def monitoring_routes(
    models: "Models",
    settings: Settings,
    metrics: ServiceMetrics,
    *,
    live: LiveMonitor,
    override: OverrideWatch,
) -> tuple[Route, Route]:
    """Make the routes that say how the decisions go.

    Args:
        models: Loaded, verified and warm.
        settings: From the environment.
        metrics: What the service counts.
        live: Watches the champion's decisions.
        override: Says who decides in place of the routing.
    """
    runners = (models.champion, models.challenger)
    observed = Observed(
        models=[runner.model for runner in runners if runner is not None],
        settings=settings,
        live=live,
        tally=metrics.tally,
        registry=metrics.registry,
        override=override,
    )
    gate = Gate(
        settings.max_waiting_batches, route=REPORT_PATH, metrics=metrics.pressure
    )
    report = MonitoringReport(live, Path(settings.monitoring_dir), gate)
    return (
        Route("/monitoring", "GET", Monitoring(observed)),
        Route(REPORT_PATH, "GET", report),
    )
