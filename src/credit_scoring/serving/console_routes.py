"""The routes where people look: the console, and what it asks besides deciding."""

from typing import TYPE_CHECKING

from credit_scoring.serving.answers import Role
from credit_scoring.serving.app import Route
from credit_scoring.serving.console_page import console_routes
from credit_scoring.serving.histories import Histories, NoHistories
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.published import Release, contract_file, models_file
from credit_scoring.serving.published_answers import CONTRACT_PATH, MODEL_PATH
from credit_scoring.serving.runners import Runner
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.what_if import (
    APPROVAL_PATH,
    WHAT_IF_PATH,
    Trial,
    WhatIf,
    WhatIfApproval,
)

if TYPE_CHECKING:
    from credit_scoring.serving.assembly import Models


def routes_for_people(
    models: "Models",
    settings: Settings,
    metrics: ServiceMetrics,
    *,
    histories: Histories | None,
    release: Release,
) -> tuple[Route, ...]:
    """Make the routes.

    Args:
        models: Loaded, verified and warm.
        settings: From the environment.
        metrics: Counts what is tried.
        histories: Completes applications that come without their history.
        release: What is packed beside the models.
    """
    return (
        *_what_if_routes(models, settings, metrics, histories or NoHistories()),
        *_published_routes(models, settings, release),
        *console_routes(),
    )


def _what_if_routes(
    models: "Models", settings: Settings, metrics: ServiceMetrics, histories: Histories
) -> tuple[Route, ...]:
    """Make the routes that try without deciding."""
    trial = Trial(
        champion=models.champion,
        contract=models.contract,
        decoder=models.decoder,
        histories=histories,
        settings=settings,
        metrics=metrics.what_if,
    )

    def gate(most: int, route: str) -> Gate:
        return Gate(most, route=route, metrics=metrics.pressure)

    what_if = WhatIf(trial, gate(settings.max_waiting, WHAT_IF_PATH))
    approval = WhatIfApproval(trial, gate(settings.max_waiting_batches, APPROVAL_PATH))
    return (
        Route(WHAT_IF_PATH, "POST", what_if),
        Route(APPROVAL_PATH, "POST", approval),
    )


def _published_routes(
    models: "Models", settings: Settings, release: Release
) -> tuple[Route, ...]:
    """Make the routes that say what the service is."""
    runners: dict[Role, Runner] = {"champion": models.champion}
    if models.challenger is not None:
        runners["challenger"] = models.challenger
    contract = contract_file(
        models.contract, models.decoder, settings, release.examples
    )
    held = models_file(
        runners,
        models.papers,
        routing=settings.routing,
        promotion=release.promotion,
    )
    return (Route(CONTRACT_PATH, "GET", contract), Route(MODEL_PATH, "GET", held))
