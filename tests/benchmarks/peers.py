"""What the service is measured beside: apps that a good engineer would write.

Each is started by `serving.py` as `uvicorn peers:NAME --factory`. They read the
same applications, compute features with the same functions and score with the
same booster, through XGBoost itself. BENCH_ARTIFACT names the model's folder.
"""

import json
import logging
import math
import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import xgboost
from fastapi import FastAPI
from numpy.typing import NDArray
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, ConfigDict, Field, create_model

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.features.definition import FeatureSet, load_feature_set

Values = NDArray[np.float64]
MOST_REASONS = 4


class ReasonBody(BaseModel):
    """A reason."""

    code: str
    feature: str
    text: str
    points: float


class DecisionBody(BaseModel):
    """A decision."""

    loan_id: str
    pd: float
    score: float
    decision: str
    reasons: list[ReasonBody]
    model_version: str


class ScoreBody(BaseModel):
    """A score alone."""

    pd: float
    score: float


@dataclass
class Parts:
    """What every peer is made of."""

    contract: Contract
    features: FeatureSet
    booster: xgboost.Booster
    codes: list[str]
    texts: dict[str, str]
    calibration: dict[str, float]
    scaling: dict[str, float]
    policy: dict[str, Any]
    ranges: tuple[Values, Values]

    def columns(self, values: dict[str, Any]) -> dict[str, Values]:
        """Make columns of one row."""
        return {
            name: np.array([np.nan if values[name] is None else values[name]], float)
            for name in self.contract.input_names
        }

    def shap(self, x: Values) -> Values:
        """Give XGBoost's own SHAP values of one row."""
        found: Values = self.booster.predict(
            xgboost.DMatrix(x, nthread=1), pred_contribs=True, validate_features=False
        )
        return found[0, :-1]

    def score(self, margin: float) -> tuple[float, float, float]:
        """Give log-odds, PD and points."""
        log_odds = self.calibration["intercept"] + self.calibration["slope"] * margin
        factor = self.scaling["pdo"] / math.log(2.0)
        offset = self.scaling["base_score"] - factor * math.log(
            self.scaling["base_odds"]
        )
        return factor, 1 / (1 + math.exp(-log_odds)), offset - factor * log_odds

    def decision(self, score: float, values: dict[str, Any], x: Values) -> str:
        """Decide by the cut-offs and the policy's rules."""
        severity = ("approve", "refer", "decline")
        found = 1
        if score >= self.policy["approve_from"]:
            found = 0
        elif score < self.policy["decline_below"]:
            found = 2
        for rule in self.policy["rules"]:
            when = rule["when"]
            if when.get("outside_training") is not None:
                low, high = self.ranges
                outside = int(((x[0] < low) | (x[0] > high)).sum())
                fires = outside >= when["outside_training"]
            else:
                fires = values[when["column"]] >= when["at_least"]
            if fires:
                found = max(found, severity.index(rule["outcome"]))
        return severity[found]


def load_parts(*, compiled: bool = False) -> Parts:
    """Load the model of BENCH_ARTIFACT as XGBoost's own."""
    folder = Path(os.environ["BENCH_ARTIFACT"])

    def read(name: str) -> Any:
        return json.loads((folder / f"{name}.json").read_bytes())

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(folder / "model" / "booster.ubj")
    manifest, described = read("manifest"), read("features")
    features = load_feature_set(manifest["feature_set"])
    if compiled:
        features = features.compiled
    known = read("uncertainty")["ranges"]
    anything = {"low": -math.inf, "high": math.inf}
    ranges = [known.get(name, anything) for name in features.names]
    return Parts(
        contract=Contract.model_validate(read("contract")),
        features=features,
        booster=booster,
        codes=[item["reason"] for item in described["features"]],
        texts=described["reasons"],
        calibration=read("calibration"),
        scaling=read("scaling"),
        policy=read("policy"),
        ranges=(
            np.array([each["low"] for each in ranges]),
            np.array([each["high"] for each in ranges]),
        ),
    )


def body_type(contract: Contract) -> type[BaseModel]:
    """Make the request's pydantic model, as one would write it by hand."""
    roles = (Role.ID, Role.APPLICATION, Role.HISTORY)
    fields: dict[str, Any] = {
        name: (_annotation(contract.columns[name]), ...)
        for name in contract.names(*roles)
    }
    return create_model("Body", __config__=ConfigDict(extra="forbid"), **fields)


def _annotation(column: Column) -> Any:
    if column.type == "string":
        return Annotated[str, Field(pattern=column.pattern)]
    codes = [float(code) for code in column.categories or {}]
    low = min(codes) if codes else column.minimum
    high = max(codes) if codes else column.maximum
    number = Annotated[float, Field(ge=low, le=high)]
    return number | None if column.nullable else number


def fastapi_full() -> FastAPI:
    """Full work, with exact SHAP values of XGBoost's own for the reasons."""
    return _full(load_parts())


def fastapi_full_compiled() -> FastAPI:
    """The same with this project's compiled feature kernel, for comparison."""
    return _full(load_parts(compiled=True))


def _full(parts: Parts) -> FastAPI:
    app = FastAPI()
    body = body_type(parts.contract)
    requests = Counter("requests", "Requests", ["decision"])
    durations = Histogram("duration_seconds", "Duration")
    scores = Histogram("score", "Score", buckets=range(300, 800, 20))
    log = _log()

    async def predict(application: body) -> DecisionBody:  # type: ignore[valid-type]
        started = perf_counter()
        values = application.model_dump()  # type: ignore[attr-defined]
        x = parts.features.compute(parts.columns(values))
        margin = float(parts.booster.inplace_predict(x, predict_type="margin")[0])
        factor, pd_, points = parts.score(margin)
        score = round(points, 1)
        shap = parts.shap(x)
        answer = DecisionBody(
            loan_id=values["loan_id"],
            pd=pd_,
            score=score,
            decision=parts.decision(score, values, x),
            reasons=_reasons(parts, shap * factor * parts.calibration["slope"]),
            model_version="1",
        )
        requests.labels(answer.decision).inc()
        scores.observe(score)
        durations.observe(perf_counter() - started)
        log.info('{"decision": "%s", "score": %.1f}', answer.decision, score)
        return answer

    app.post("/predict")(predict)
    return app


def _reasons(parts: Parts, lost: Values) -> list[ReasonBody]:
    points: dict[str, float] = {}
    worst: dict[str, tuple[float, str]] = {}
    names = parts.features.names
    for name, code, value in zip(names, parts.codes, lost.tolist(), strict=True):
        points[code] = points.get(code, 0.0) + value
        worst[code] = max(worst.get(code, (-math.inf, "")), (value, name))
    strongest = sorted(points.items(), key=lambda item: -item[1])[:MOST_REASONS]
    return [
        ReasonBody(
            code=code,
            feature=worst[code][1],
            text=parts.texts[code],
            points=-round(value, 1),
        )
        for code, value in strongest
        if value > 0
    ]


def _log() -> logging.Logger:
    log = logging.getLogger("decisions")
    log.setLevel(logging.INFO)
    log.propagate = False
    handler = logging.FileHandler(os.environ["BENCH_LOG"])
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    return log


def fastapi_scoring() -> FastAPI:
    """Validation, features and score; no reasons, no rules, no metrics, no log."""
    parts = load_parts()
    app = FastAPI()
    body = body_type(parts.contract)

    async def predict(application: body) -> ScoreBody:  # type: ignore[valid-type]
        values = application.model_dump()  # type: ignore[attr-defined]
        x = parts.features.compute(parts.columns(values))
        margin = float(parts.booster.inplace_predict(x, predict_type="margin")[0])
        _, pd_, points = parts.score(margin)
        return ScoreBody(pd=pd_, score=round(points, 1))

    app.post("/predict")(predict)
    return app
