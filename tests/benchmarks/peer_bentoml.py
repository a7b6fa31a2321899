"""BentoML's quick start with this model: a service with one `@bentoml.api`."""

from typing import Any

import bentoml
from peers import ScoreBody, body_type, load_parts

PARTS = load_parts()
Application = body_type(PARTS.contract)


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class QuickStart:
    """Scores one application."""

    @bentoml.api
    def predict(self, application: Application) -> dict[str, Any]:  # type: ignore[valid-type]
        """Validate, compute features and score."""
        x = PARTS.features.compute(PARTS.columns(application.model_dump()))  # type: ignore[attr-defined]
        margin = float(PARTS.booster.inplace_predict(x, predict_type="margin")[0])
        _, pd_, points = PARTS.score(margin)
        return ScoreBody(pd=pd_, score=round(points, 1)).model_dump()
