"""Champion and challenger as BentoML services, for ``CREDIT_SCORING_RUNNERS=apart``."""

from pathlib import Path
from typing import Any

import bentoml

from credit_scoring.serving.bento import FrontedService
from credit_scoring.serving.models import model_folder, read_released_models

# Its one client sends the whole question at once.
_HEAD_BYTES, _HEAD_TIMEOUT_MS = 8192, 10_000

RELEASED = read_released_models(Path(__file__).with_name("models.json"))


class _Runner:
    """Decides on the rows that the scoring service sends."""

    model: Any
    drain_seconds = 0.0

    def __init__(self) -> None:
        """Load, verify and warm up the model; then the service is ready."""
        from credit_scoring.serving.connections import HeadLimits
        from credit_scoring.serving.runner_service import runner_app

        self.head_limits = HeadLimits(_HEAD_BYTES, _HEAD_TIMEOUT_MS)
        self.app = runner_app(model_folder(self.model))

    def count(self) -> None:
        """Count nothing: the scoring service counts its calls."""

    def api_document(self, version: str | None) -> dict[str, Any]:
        """Describe nothing: its one client is the scoring service."""
        return {}


@bentoml.service(
    name="credit_scoring_champion",
    service_class=FrontedService,
    workers=1,
    logging={"access": {"enabled": False}},
)
class ChampionRunner(_Runner):
    """The champion."""

    model = bentoml.models.BentoModel(RELEASED.champion)


ChallengerRunner: Any = None
if RELEASED.challenger:

    @bentoml.service(
        name="credit_scoring_challenger",
        service_class=FrontedService,
        workers=1,
        logging={"access": {"enabled": False}},
    )
    class ChallengerRunner(_Runner):  # type: ignore[no-redef]
        """The challenger."""

        model = bentoml.models.BentoModel(RELEASED.challenger)
