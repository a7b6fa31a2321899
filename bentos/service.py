"""The scoring service as BentoML serves and packs it."""

import os
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLConfigException

from credit_scoring.environment import variable
from credit_scoring.errors import CreditScoringError
from credit_scoring.serving.bento import FrontedService
from credit_scoring.serving.models import (
    model_folder,
    read_released_models,
    verify_model_files,
)
from credit_scoring.serving.settings import (
    check_routing,
    load_settings,
    prepared_log_folder,
    workers_asked_for,
)

_HERE = Path(__file__).parent
_RELEASED = read_released_models(_HERE / "models.json")


@bentoml.service(
    name="credit_scoring",
    service_class=FrontedService,
    workers=workers_asked_for(os.environ),
    logging={"access": {"enabled": False}},
)
class CreditScoring:
    """Decides on credit applications, with reasons."""

    champion = bentoml.models.BentoModel(_RELEASED.champion)
    challenger = (
        bentoml.models.BentoModel(_RELEASED.challenger)
        if _RELEASED.challenger
        else None
    )

    def __init__(self) -> None:
        """Load, verify and warm up the models; then the server is ready."""
        # BentoML imports this module in its supervisor too, which decides nothing.
        from credit_scoring.serving.assembly import (
            decision_recorder,
            load_models,
            scoring_app,
        )
        from credit_scoring.serving.histories import open_histories
        from credit_scoring.serving.metrics import ServiceMetrics
        from credit_scoring.serving.recording import LogMetrics

        settings = load_settings(os.environ)
        self.models = load_models(
            model_folder(self.champion),
            model_folder(self.challenger) if self.challenger else None,
        )
        self.drain_seconds = settings.drain_ms / 1000
        self.recorder = decision_recorder(self.models, settings, LogMetrics())
        self.histories = open_histories(
            settings,
            contract=self.models.contract,
            decoder=self.models.decoder,
            feature_version=self.models.feature_version,
        )
        self.app = scoring_app(
            self.models,
            settings,
            ServiceMetrics(),
            recorder=self.recorder,
            histories=self.histories,
        )

    @bentoml.on_startup
    async def connect(self) -> None:
        """Connect to the store of histories, in the loop that answers."""
        await self.histories.start()

    @bentoml.on_shutdown
    async def close(self) -> None:
        """Close the log's segment and write the histories that wait.

        The last request is answered by then; the challenger may still be behind.
        """
        await self.app.close()
        self.recorder.close()
        await self.histories.close()

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Refuse wrong settings or an altered champion before any worker starts.

        Workers run in the Bento's folder, so they get the decision log's folder as
        an absolute path.

        BentoML would start a worker that fails again and again.

        Raises:
            BentoMLConfigException: With the reason; `bentoml serve` prints it.
        """
        try:
            settings = load_settings(os.environ)
            check_routing(settings, has_challenger=_RELEASED.challenger is not None)
            folder = prepared_log_folder(settings)
            os.environ[variable("decision_log_dir")] = str(folder)
            champion = bentoml.models.get(_RELEASED.champion)
            verify_model_files([model_folder(champion)])
        except CreditScoringError as error:
            raise BentoMLConfigException(str(error)) from None

    def api_document(self, version: str | None) -> dict[str, Any]:
        """Describe the routes for BentoML's OpenAPI document."""
        from credit_scoring.serving.assembly import describe
        from credit_scoring.serving.examples import read_applications

        applications = read_applications(_HERE / "examples.json")
        return describe(self.models, applications, version=version)
