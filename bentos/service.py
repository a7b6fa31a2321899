"""The scoring service as BentoML serves and packs it."""

import os
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLConfigException

from credit_scoring.errors import CreditScoringError
from credit_scoring.serving.bento import FrontedService
from credit_scoring.serving.models import (
    model_folder,
    read_released_models,
    verify_model_files,
)
from credit_scoring.serving.settings import (
    load_settings,
    prepared_log_folder,
    variable,
)

_HERE = Path(__file__).parent
_RELEASED = read_released_models(_HERE / "models.json")


@bentoml.service(
    name="credit_scoring",
    service_class=FrontedService,
    workers=1,
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
        from credit_scoring.serving.metrics import ServiceMetrics
        from credit_scoring.serving.recording import LogMetrics

        self.models = load_models(
            model_folder(self.champion),
            model_folder(self.challenger) if self.challenger else None,
        )
        settings = load_settings(os.environ)
        self.recorder = decision_recorder(self.models, settings, LogMetrics())
        self.app = scoring_app(
            self.models, settings, ServiceMetrics(), recorder=self.recorder
        )

    @bentoml.on_shutdown
    def close(self) -> None:
        """Close the decision log's segment once the last request is answered."""
        self.recorder.close()

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
