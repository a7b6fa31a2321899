"""Putting the service together: artifacts to runners to routes."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credit_scoring import __version__
from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder, request_json_schema
from credit_scoring.decision.routing import Split
from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import Artifact, load_artifact
from credit_scoring.serving import published
from credit_scoring.serving.answers import ModelAnswer, Role
from credit_scoring.serving.apart import Patience, RunnerApart
from credit_scoring.serving.app import Route, ScoringApp
from credit_scoring.serving.console_routes import routes_for_people
from credit_scoring.serving.examples import (
    decided_examples,
    example_body,
    invalid_example,
)
from credit_scoring.serving.histories import Histories
from credit_scoring.serving.idempotency import Idempotency, LocalAnswers
from credit_scoring.serving.idempotency_metrics import IdempotencyMetrics
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.monitoring_routes import live_monitor, monitoring_routes
from credit_scoring.serving.openapi import Described, Json, api_document
from credit_scoring.serving.outcomes import Outcomes, outcome_log
from credit_scoring.serving.override import Overridable, OverrideWatch
from credit_scoring.serving.predict import Predict, PredictBatch
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.recording import (
    LogRecorder,
    Recorder,
    Unrecorded,
    log_recorder,
)
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.remote import RemoteRunner
from credit_scoring.serving.right_of_way import RightOfWay
from credit_scoring.serving.routing import (
    ChallengerDecides,
    ChampionDecides,
    Router,
)
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runners import InProcessRunner, Runner
from credit_scoring.serving.scoring import Scoring
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.shadow import Shadow, ShadowListener, nobody
from credit_scoring.serving.start_page import start_page

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Models:
    """The models of the service: loaded, verified and warm.

    Attributes:
        contract: The champion's: requests are read under it.
        decoder: Reads requests.
        champion: Decides.
        challenger: Stands by; None if there is none, or it cannot be used.
        feature_version: Of the champion's features.
        fallbacks: Roles whose margins XGBoost computes, as the compiled trees do
            not agree with it.
        reference: Distributions of the champion's training applications.
        papers: What the artifact of each role says of its model.
    """

    contract: Contract
    decoder: RequestDecoder
    champion: Runner
    challenger: Runner | None
    feature_version: str = ""
    fallbacks: tuple[Role, ...] = ()
    reference: Mapping[str, Any] = field(default_factory=dict)
    papers: Mapping[Role, published.ModelPapers] = field(default_factory=dict)


def load_models(champion: ModelFolder, challenger: ModelFolder | None) -> Models:
    """Load and warm up the models.

    A challenger that cannot be used is left out and logged: it must not keep the
    champion from deciding.

    Raises:
        ArtifactError: If the champion's artifact is not what it was when made.
    """
    artifact = load_artifact(champion.folder, compiled=True)
    artifact.warm_up()
    contract = artifact.contract
    decoder = RequestDecoder(contract)
    other = _challenger(challenger, contract) if challenger else None
    artifacts: dict[Role, Artifact | None] = {"champion": artifact, "challenger": other}
    papers = published.papers_of(artifacts)
    return Models(
        contract=contract,
        decoder=decoder,
        champion=_runner(artifact, champion, "champion", decoder),
        challenger=(
            _runner(other, challenger, "challenger", decoder)
            if challenger and other
            else None
        ),
        feature_version=artifact.manifest.feature_version,
        fallbacks=tuple(
            role
            for role, loaded in artifacts.items()
            if loaded is not None and _says_fallback(role, loaded)
        ),
        reference=artifact.reference,
        papers=papers,
    )


def _says_fallback(role: Role, artifact: Artifact) -> bool:
    if artifact.fallback:
        _LOG.error(
            "XGBoost computes the margins of the %s, which is slower: %s",
            role,
            artifact.fallback,
        )
    return bool(artifact.fallback)


def _challenger(challenger: ModelFolder, contract: Contract) -> Artifact | None:
    try:
        artifact = load_artifact(challenger.folder, compiled=True)
        if artifact.contract.digest != contract.digest:
            raise ArtifactError(
                f"its contract {artifact.contract.digest[:12]} is not the champion's, "
                f"{contract.digest[:12]}"
            )
        artifact.warm_up()
    except ArtifactError as error:
        _LOG.error("the challenger is left out: %s", error)
        return None
    return artifact


def _runner(
    artifact: Artifact, registered: ModelFolder, role: Role, decoder: RequestDecoder
) -> InProcessRunner:
    model = ModelAnswer(
        name=registered.name,
        version=registered.version,
        role=role,
        digest=artifact.digest,
    )
    return InProcessRunner(engine=artifact.engine, decoder=decoder, model=model)


def decision_recorder(
    models: Models, settings: Settings, metrics: LogMetrics
) -> LogRecorder:
    """Keep the decisions of the models as the settings say."""
    runners = [r for r in (models.champion, models.challenger) if r is not None]
    return log_recorder(models.contract, runners, settings, metrics)


def scoring_app(  # noqa: PLR0913 - one for each collaborator
    models: Models,
    settings: Settings,
    metrics: ServiceMetrics,
    *,
    recorder: Recorder | None = None,
    histories: Histories | None = None,
    release: published.Release = published.NOTHING_PACKED,
) -> ScoringApp:
    """Make the routes of the service.

    Args:
        models: Loaded, verified and warm.
        settings: From the environment.
        metrics: Counts requests and decisions.
        recorder: Keeps each decision before it is answered; None keeps none.
        histories: Completes applications that come without their history.
        release: What is packed beside the models.
    """
    recorder = recorder or Unrecorded()
    watch = OverrideWatch(Path(settings.routing_dir), metrics.override)
    routing = Overridable(
        router(models, settings, metrics.routing, listener=recorder.record_shadows),
        ChampionDecides(models.champion),
        watch,
    )
    live = live_monitor(models, settings, metrics)
    scoring = Scoring(
        champion=models.champion,
        router=routing,
        metrics=metrics,
        recorder=recorder,
        histories=histories,
        live=live.hear,
    )
    _observe(models, metrics)
    answers = idempotency(settings, metrics.idempotency)
    predict, batch = _deciders(scoring, models.decoder, answers, metrics, settings)
    outcomes = _outcomes(models.contract, settings, metrics)
    routes = (
        Route("/", "GET", start_page),
        Route("/predict", "POST", predict),
        Route("/predict/batch", "POST", batch),
        Route("/outcomes", "POST", outcomes),
        *monitoring_routes(models, settings, metrics, live=live, override=watch),
        *routes_for_people(
            models, settings, metrics, histories=histories, release=release
        ),
    )

    async def catch_up() -> None:
        watch.stop()
        await asyncio.to_thread(routing.close)
        await asyncio.to_thread(outcomes.close)

    closing = (catch_up, answers.close)
    return ScoringApp(routes, metrics, starting=watch.start, closing=closing)


def _deciders(
    scoring: Scoring,
    decoder: RequestDecoder,
    answers: Idempotency,
    metrics: ServiceMetrics,
    settings: Settings,
) -> tuple[Predict, PredictBatch]:
    """Make what answers with decisions, each behind a gate of its own."""
    way = RightOfWay()
    predict = Predict(
        scoring=scoring,
        decoder=decoder,
        settings=settings,
        idempotency=answers,
        gate=Gate(settings.max_waiting, route="/predict", metrics=metrics.pressure),
        way=way,
    )
    batch = PredictBatch(
        scoring=scoring,
        decoder=decoder,
        settings=settings,
        gate=Gate(
            settings.max_waiting_batches,
            route="/predict/batch",
            metrics=metrics.pressure,
        ),
        way=way,
    )
    return predict, batch


def _outcomes(
    contract: Contract, settings: Settings, metrics: ServiceMetrics
) -> Outcomes:
    """Make what keeps outcomes, behind a gate of its own."""
    return Outcomes(
        log=outcome_log(contract, settings),
        settings=settings,
        metrics=metrics,
        gate=Gate(
            settings.max_waiting_batches, route="/outcomes", metrics=metrics.pressure
        ),
    )


def _observe(models: Models, metrics: ServiceMetrics) -> None:
    """Show the models in the metrics, and count the champion's computations."""
    for role in models.fallbacks:
        metrics.count_fallback(role)
    for runner in (models.champion, models.challenger):
        if runner is not None:
            metrics.show_model(runner.model)
    if isinstance(models.champion, InProcessRunner):
        models.champion.observe = metrics.count_computation


def router(
    models: Models,
    settings: Settings,
    metrics: RoutingMetrics,
    *,
    listener: ShadowListener = nobody,
) -> Router:
    """Make the routing that the settings ask for.

    A challenger that is in the release and cannot be used is left out and counted.

    Args:
        models: Champion, and challenger if there is one.
        settings: Say who decides.
        metrics: Counts fallbacks and differences.
        listener: Told what the challenger decides in the shadow.
    """
    challenger = models.challenger
    if settings.routing == "split":
        patience = Patience(
            timeout_ms=settings.challenger_timeout_ms,
            most_waiting=settings.challenger_waiting,
        )
        # A service of its own is bounded by itself.
        if challenger is not None and not isinstance(challenger, RemoteRunner):
            challenger = RunnerApart(challenger, patience)
        return ChallengerDecides(
            champion=models.champion,
            challenger=challenger,
            split=Split(share=settings.challenger_share, salt=settings.routing_salt),
            metrics=metrics,
        )
    if settings.routing == "shadow":
        shadow = Shadow(
            challenger,
            metrics,
            most_waiting=settings.challenger_waiting,
            listener=listener,
        )
        return ChampionDecides(models.champion, shadow)
    return ChampionDecides(models.champion)


def idempotency(settings: Settings, metrics: IdempotencyMetrics) -> Idempotency:
    """Keep answers in this process, and in Redis if the settings name one."""
    seconds = settings.idempotency_ttl_hours * 3600
    local = LocalAnswers(
        most=settings.idempotency_answers, seconds=seconds, metrics=metrics
    )
    if settings.redis_url is None:
        return Idempotency(local, metrics)
    from credit_scoring.serving.redis_answers import RedisAnswers

    shared = RedisAnswers(
        settings.redis_url.get_secret_value(),
        prefix=f"credit_scoring:{settings.redis_namespace}:answer:",
        seconds=seconds,
        timeout_ms=settings.idempotency_timeout_ms,
    )
    return Idempotency(local, metrics, shared)


def describe(
    models: Models, applications: Sequence[Json], *, version: str | None
) -> Json:
    """Describe the routes as an OpenAPI document.

    Args:
        models: The champion decides on the examples.
        applications: Examples besides the contract's own.
        version: The Bento's; None outside a Bento.
    """
    contract, decoder = models.contract, models.decoder
    bodies = [*applications, example_body(contract)]
    return api_document(
        Described(
            application=request_json_schema(contract),
            invalid=invalid_example(decoder),
            version=version or __version__,
            examples=decided_examples(models.champion, decoder, bodies),
        )
    )
