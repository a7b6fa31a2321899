"""Real logs: the service's app decides with real artifacts, through its recorder."""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.policy import Policy
from credit_scoring.decision_log.chain import GENESIS, chained, link_of
from credit_scoring.digests import sha256_of_file
from credit_scoring.features.definition import load_feature_set
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.replay.artifacts import Found
from credit_scoring.serving.assembly import (
    Models,
    decision_recorder,
    load_models,
    scoring_app,
)
from credit_scoring.serving.histories import NoHistories
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.settings import Settings

from ..bentos.conftest import contents, made_up, parameters

Row = dict[str, Any]
VERSIONS = {"champion": "2", "challenger": "3", "former": "1"}


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.model_validate(parameters("contract"))


@pytest.fixture(scope="session")
def applications(contract: Contract) -> list[Row]:
    generator = np.random.default_rng(11)
    names = contract.names(Role.APPLICATION, Role.HISTORY)
    return [
        {
            "loan_id": f"T-{number}",
            **{
                name: made_up(contract.columns[name], generator, calm=number % 2 == 0)
                for name in names
            },
        }
        for number in range(120)
    ]


@pytest.fixture(scope="session")
def artifacts(
    contract: Contract,
    applications: list[Row],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Artifacts ``champion``, ``challenger``, and ``former`` of an older policy."""
    folder = tmp_path_factory.mktemp("some artifacts")
    decoder = RequestDecoder(contract)
    columns = decoder.columns(
        [decoder.decode(json.dumps(row).encode()) for row in applications]
    )
    features = load_feature_set("taiwan_default")
    for role, weight in (("champion", -1.0), ("challenger", -0.5), ("former", -1.0)):
        made = contents(contract, features, columns, weight)
        if role == "former":
            made = _with_older_policy(made, contract)
        write_artifact(folder / role, made)
    return folder


def _with_older_policy(made: ArtifactContents, contract: Contract) -> ArtifactContents:
    engine = made.engine
    grading = engine.grading
    given = grading.policy.model_dump(by_alias=True, exclude={"version"})
    # The bands go up together with the cut-offs.
    for name in ("approve_from", "decline_below"):
        given[name] += 60
    for band in given["bands"]:
        band["from"] = None if band["from"] is None else band["from"] + 60
    policy = Policy.model_validate(given)
    older = DecisionEngine(
        engine.model,
        Grading(grading.calibration, grading.scaling, policy),
        features=engine.features,
        groups=engine.groups,
        columns=contract.input_names,
        uncertainty=engine.uncertainty,
    )
    return dataclasses.replace(made, engine=older)


class Shelf:
    """Artifacts in folders, by digest."""

    def __init__(self, folder: Path) -> None:
        self.found = {
            sha256_of_file(one / "manifest.json"): Found(one, None, one.name)
            for one in sorted(folder.iterdir())
        }

    def find(self, digest: str, until: ExitStack) -> Found | None:
        return self.found.get(digest)


@pytest.fixture
def shelf(artifacts: Path) -> Shelf:
    return Shelf(artifacts)


class Stored(NoHistories):
    """A store that has the history of everybody who asks."""

    def __init__(self, decoder: RequestDecoder, row: Row) -> None:
        self._decoder, self._row = decoder, row

    async def complete(self, application: Application) -> Application | None:
        given = {
            name: getattr(application, name) for name in ("loan_id", "credit_limit")
        }
        return self._decoder.decode(json.dumps({**self._row, **given}).encode())

    async def complete_many(
        self, applications: Sequence[Application]
    ) -> list[Application | None]:
        return [await self.complete(one) for one in applications]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a log" / "decisions"


@pytest.fixture(scope="session")
def loaded(artifacts: Path) -> dict[str, Models]:
    """The models of the service, by who is the champion."""

    def model(role: str) -> ModelFolder:
        return ModelFolder(artifacts / role, "credit_scoring", VERSIONS[role])

    return {
        role: load_models(model(role), model("challenger"))
        for role in ("champion", "former")
    }


@pytest.fixture
def decided(loaded: dict[str, Models], folder: Path) -> Callable[..., list[Any]]:
    """Let the service decide and stop; gives the answers."""

    def serve(
        *requests: tuple[str, Any],
        champion: str = "champion",
        challenger: str | None = "challenger",
        history: Row | None = None,
        **settings: Any,
    ) -> list[Any]:
        models = loaded[champion]
        if challenger is None:
            models = dataclasses.replace(models, challenger=None)
        chosen = Settings(decision_log_dir=str(folder), **settings)
        recorder = decision_recorder(models, chosen, LogMetrics(CollectorRegistry()))
        app = scoring_app(
            models,
            chosen,
            ServiceMetrics(CollectorRegistry()),
            recorder=recorder,
            histories=None if history is None else Stored(models.decoder, history),
        )

        async def run() -> list[Any]:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://test"
            ) as client:
                answers = [
                    (await client.post(path, json=body)) for path, body in requests
                ]
            await app.close()
            return [answer.raise_for_status().json() for answer in answers]

        answers = asyncio.run(run())
        recorder.close()
        return answers

    return serve


@pytest.fixture
def segment(folder: Path) -> Callable[[], Path]:
    """Give the only segment."""

    def only() -> Path:
        (found,) = folder.glob("2*.jsonl")
        return found

    return only


def _rechained(lines: list[bytes]) -> list[bytes]:
    made, previous = [], GENESIS
    for number, content in enumerate(lines):
        line, previous = chained(number, previous, content)
        made.append(line)
    return made


@pytest.fixture
def forge(folder: Path, segment: Callable[[], Path]) -> Callable[..., None]:
    """Change what one line says, and make the whole chain anew, index and all."""

    def change(line: int, **changes: Any) -> None:
        path = segment()
        contents = [_content(one) for one in path.read_bytes().splitlines(True)]
        said = json.loads(contents[line - 1])
        contents[line - 1] = json.dumps({**said, **changes}).encode()
        lines = _rechained(contents)
        path.write_bytes(b"".join(lines))
        index = folder / "index.jsonl"
        entries = [_content(one) for one in index.read_bytes().splitlines(True)]
        ended = json.loads(entries[-1])
        assert ended["kind"] == "ended"
        ended["size_bytes"] = path.stat().st_size
        ended["last_hash"] = lines[-1][-67:-3].decode()
        entries[-1] = json.dumps(ended).encode()
        index.write_bytes(b"".join(_rechained(entries)))

    return change


def _content(line: bytes) -> bytes:
    link = link_of(line)
    assert link is not None
    return link.content
