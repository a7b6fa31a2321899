"""The scoring service as BentoML serves and packs it."""

import os
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLConfigException
from bentos.runners import RELEASED, ChallengerRunner, ChampionRunner

from credit_scoring.environment import variable
from credit_scoring.errors import CreditScoringError
from credit_scoring.serving.bento import FrontedService
from credit_scoring.serving.evidence import verify_promotion
from credit_scoring.serving.log_settings import prepared_log_folders
from credit_scoring.serving.metrics_folder import prepare_metrics_folder
from credit_scoring.serving.models import ModelFolder, model_folder, verify_model_files
from credit_scoring.serving.refusal import heed_refusals
from credit_scoring.serving.settings import (
    check_routing,
    load_settings,
    runners_are_apart,
    workers_asked_for,
)

_HERE = Path(__file__).parent
_APART = runners_are_apart(os.environ)


def _stored_challenger() -> ModelFolder | None:
    if RELEASED.challenger is None:
        return None
    return model_folder(bentoml.models.get(RELEASED.challenger))


@bentoml.service(
    name="credit_scoring",
    service_class=FrontedService,
    workers=workers_asked_for(os.environ),
    logging={"access": {"enabled": False}},
    # A runner that is away must not take the scoring service out of readiness.
    runner_probe={"enabled": False},
    # BentoML's own client, which nothing here calls, drops calls at its defaults.
    runner_connection={"max_requests": 10**9, "max_age": 86400.0},
)
class CreditScoring:
    """Decides on credit applications, with reasons."""

    champion = bentoml.models.BentoModel(RELEASED.champion)
    challenger = (
        bentoml.models.BentoModel(RELEASED.challenger) if RELEASED.challenger else None
    )
    # BentoML starts them and tells their addresses; they are asked without pickles.
    champion_runner = bentoml.depends(ChampionRunner) if _APART else None
    challenger_runner = (
        bentoml.depends(ChallengerRunner) if _APART and ChallengerRunner else None
    )

    def __init__(self) -> None:
        """Load, verify and warm up the models; then the server is ready."""
        # BentoML imports this module in its supervisor too, which decides nothing.
        from credit_scoring.serving.assembly import (
            decision_recorder,
            load_models,
            scoring_app,
        )
        from credit_scoring.serving.connections import HeadLimits
        from credit_scoring.serving.histories import open_histories
        from credit_scoring.serving.metrics import ServiceMetrics
        from credit_scoring.serving.placement import placed
        from credit_scoring.serving.published import read_release
        from credit_scoring.serving.recording_metrics import LogMetrics

        settings = load_settings(os.environ)
        self.models = load_models(
            model_folder(self.champion),
            model_folder(self.challenger) if self.challenger else None,
        )
        self.drain_seconds = settings.drain_ms / 1000
        self.head_limits = HeadLimits(settings.max_head_bytes, settings.head_timeout_ms)
        self.recorder = decision_recorder(self.models, settings, LogMetrics())
        self.histories = open_histories(
            settings,
            contract=self.models.contract,
            decoder=self.models.decoder,
            feature_version=self.models.feature_version,
        )
        self.metrics = ServiceMetrics()
        self.placement = placed(
            self.models,
            settings,
            self.metrics.runners,
            urls={
                "champion": ChampionRunner.url,
                "challenger": ChallengerRunner and ChallengerRunner.url,
            },
        )
        self.app = scoring_app(
            self.placement.models,
            settings,
            self.metrics,
            recorder=self.recorder,
            histories=self.histories,
            release=read_release(_HERE),
        )

    @bentoml.on_startup
    async def connect(self) -> None:
        """Connect to the store and to the runners, in the loop that answers."""
        await self.histories.start()
        await self.placement.start()
        self.app.start()
        self.metrics.tally.start()

    @bentoml.on_shutdown
    async def close(self) -> None:
        """Close the log's segment and write the histories that wait.

        The last request is answered by then; the challenger may still be behind.
        """
        await self.app.close()
        await self.placement.close()
        self.recorder.close()
        await self.histories.close()
        self.metrics.tally.stop()

    def count(self) -> None:
        """Count what is noted; the metrics are to be shown."""
        self.metrics.tally.prepare()

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Refuse wrong settings or an altered champion before any worker starts.

        Workers run in the Bento's folder, so they get the logs' folders as
        absolute paths.

        BentoML would start a worker that fails again and again, so one that is
        refused later, as its files were altered meanwhile, ends the server, too.

        Raises:
            BentoMLConfigException: With the reason; `bentoml serve` prints it.
        """
        try:
            heed_refusals(os.environ)
            settings = load_settings(os.environ)
            check_routing(settings, has_challenger=RELEASED.challenger is not None)
            for name, folder in prepared_log_folders(settings).items():
                os.environ[variable(name)] = str(folder)
            published = Path(settings.monitoring_dir).absolute()
            os.environ[variable("monitoring_dir")] = str(published)
            state = Path(settings.routing_dir).absolute()
            os.environ[variable("routing_dir")] = str(state)
            prepare_metrics_folder()
            champion = model_folder(bentoml.models.get(RELEASED.champion))
            verify_model_files([champion])
            verify_promotion(
                _HERE / "promotion_record.json",
                {"champion": champion, "challenger": _stored_challenger()},
                os.environ,
            )
        except CreditScoringError as error:
            raise BentoMLConfigException(str(error)) from None

    def api_document(self, version: str | None) -> dict[str, Any]:
        """Describe the routes for BentoML's OpenAPI document."""
        from credit_scoring.serving.assembly import describe
        from credit_scoring.serving.examples import read_applications

        applications = read_applications(_HERE / "examples.json")
        return describe(self.models, applications, version=version)
