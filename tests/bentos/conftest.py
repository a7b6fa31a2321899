"""A Bento with two small models over the real contract and features, and served."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import (
    FeatureRange,
    PdIntervals,
    Uncertainty,
)
from credit_scoring.digests import sha256_of_file
from credit_scoring.features.definition import FeatureSet, load_feature_set
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.registry.bento_build import build_bento
from credit_scoring.registry.manifest import Provenance
from credit_scoring.registry.model_card import model_card
from credit_scoring.registry.records import Change, write_record
from credit_scoring.registry.reference import reference_distributions
from credit_scoring.registry.signing import Signer
from credit_scoring.registry.versions import RegisteredVersion
from credit_scoring.scorecard.model import Bin, Scorecard, ScorecardTable, Term
from credit_scoring.serving.local_server import LocalServer

from .faulty_challenger import faulty_bento

Values = NDArray[np.float64]
Row = dict[str, Any]

PROJECT = Path(__file__).parents[2]
IMPORT_MODELS = """
import json, shutil, sys
from pathlib import Path
import bentoml
tags = {}
for version, role in enumerate(("champion", "challenger"), start=1):
    tags[role] = f"credit_scoring:v{version}-test"
    with bentoml.models.create(tags[role], labels={"version": str(version)}) as model:
        shutil.copytree(Path(sys.argv[1]) / role, Path(model.path) / "artifact")
Path(sys.argv[2]).write_text(json.dumps(tags))
"""


def parameters(name: str) -> Any:
    path = PROJECT / "conf" / "base" / f"parameters_{name}.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))[name]


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.model_validate(parameters("contract"))


@pytest.fixture(scope="session")
def applications(contract: Contract) -> list[Row]:
    """Valid requests with made-up values, the same in every run."""
    generator = np.random.default_rng(7)
    names = contract.names(Role.APPLICATION, Role.HISTORY)
    return [
        {
            "loan_id": f"T-{number}",
            **{
                name: made_up(contract.columns[name], generator, calm=number % 2 == 0)
                for name in names
            },
        }
        for number in range(300)
    ]


def made_up(column: Column, generator: np.random.Generator, *, calm: bool) -> int:
    """Draw a value that the column allows; a calm one is of its lower end."""
    codes = sorted(column.categories or {})
    if codes:
        return int(generator.choice(codes[:3] if calm else codes))
    low = 0.0 if column.minimum is None else max(column.minimum, -1e5)
    high = 1e6 if column.maximum is None else min(column.maximum, 1e6)
    return int(generator.integers(int(low), int(high / 4 if calm else high)))


@pytest.fixture(scope="session")
def artifacts(
    contract: Contract,
    applications: list[Row],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A folder with the artifacts ``champion`` and ``challenger``."""
    folder = tmp_path_factory.mktemp("artifacts")
    decoder = RequestDecoder(contract)
    columns = decoder.columns(
        [decoder.decode(json.dumps(row).encode()) for row in applications]
    )
    features = load_feature_set("taiwan_default")
    for role, weight in (("champion", -1.0), ("challenger", -0.5)):
        write_artifact(folder / role, contents(contract, features, columns, weight))
    return folder


def uncertainty(names: tuple[str, ...]) -> Uncertainty:
    """Wide intervals, and ranges wide enough for all applications of the tests."""
    intervals = PdIntervals(
        level=0.9, window_rows=50, margins=(0.0,), low=(0.0, 0.1), high=(0.9, 1.0)
    )
    known = FeatureRange(low=-1e9, high=1e9, missing=True)
    return Uncertainty(pd_intervals=intervals, ranges=dict.fromkeys(names, known))


def contents(
    contract: Contract, features: FeatureSet, columns: dict[str, Values], weight: float
) -> ArtifactContents:
    x = features.compute(columns)
    decision = DecisionParameters.model_validate(parameters("decision"))
    unexplained = Scorecard(scorecard(features.names, x, weight))

    def engine(background: Values) -> DecisionEngine:
        return DecisionEngine(
            unexplained.with_background(background),
            Grading(
                Calibration(slope=1.0, intercept=-1.5),
                decision.scaling,
                decision.policy,
            ),
            features=features,
            groups=ReasonGroups(
                features.names,
                tuple(feature.reason for feature in features.features),
                features.reasons,
            ),
            columns=contract.input_names,
            uncertainty=uncertainty(features.names),
        )

    # Any background does until it is known who is approved.
    score = engine(x).decide(columns, explain=False).score
    background = x[score >= decision.policy.approve_from]
    provenance = Provenance(
        data_digest="", git_revision="", git_dirty=None, environment_digest=""
    )
    return ArtifactContents(
        contract=contract,
        feature_set=features,
        engine=engine(background),
        background=background,
        reference=reference_distributions(
            engine(background).decide(columns, explain=False).score, x, features.names
        ),
        reference_columns={name: values[:20] for name, values in columns.items()},
        metrics={},
        model_card=model_card(
            engine(background),
            contract=contract,
            feature_set=features,
            metrics={"test": {"auc": {"value": 0.78, "low": 0.77, "high": 0.79}}},
            provenance=provenance,
        ),
        provenance=provenance,
    )


def scorecard(names: tuple[str, ...], x: Values, weight: float) -> ScorecardTable:
    """Two bins for each of the first varied features, one and a half apart."""
    terms = []
    for index, name in enumerate(names):
        edge = float(np.nanmedian(x[:, index]))
        if not np.nanmin(x[:, index]) < edge < np.nanmax(x[:, index]):
            continue
        terms.append(
            Term(
                feature=name,
                direction=0,
                information_value=0.1,
                bins=(
                    Bin(below=edge, goods=1, bads=1, woe=0.75),
                    Bin(at_least=edge, goods=1, bads=1, woe=-0.75),
                ),
                missing=Bin(goods=0, bads=0, woe=0.0),
                coefficient=weight,
            )
        )
    return ScorecardTable(features=names, intercept=0.0, terms=tuple(terms[:8]))


def write_promotion(artifacts: Path, path: Path) -> None:
    """Record the promotion of the artifacts, signed with a key of the tests."""
    promoted = {
        role: RegisteredVersion(
            version=version,
            run_id="none",
            digest=sha256_of_file(artifacts / role / "manifest.json"),
            family="scorecard",
        )
        for version, role in enumerate(("champion", "challenger"), start=1)
    }
    change = Change(
        model="credit_scoring",
        kind="promotion",
        decision="for the tests",
        before={},
        after=promoted,
    )
    signer = Signer(Ed25519PrivateKey.generate())
    path.write_text(json.dumps(write_record(change, signer)), encoding="utf-8")


@pytest.fixture(scope="session")
def project(
    artifacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A project with models in a store of its own, in a path with a space."""
    project = tmp_path_factory.mktemp("a project")
    shutil.copy(PROJECT / "bentofile.yaml", project)
    shutil.copytree(
        PROJECT / "bentos",
        project / "bentos",
        ignore=shutil.ignore_patterns("releases"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bento ml")))
        patch.setenv("BENTOML_DO_NOT_TRACK", "True")
        models = project / "bentos" / "models.json"
        subprocess.run(
            [sys.executable, "-c", IMPORT_MODELS, str(artifacts), str(models)],
            check=True,
            timeout=300,
        )
        write_promotion(artifacts, project / "bentos" / "promotion_record.json")
        yield project


@pytest.fixture(scope="session")
def bento(project: Path) -> str:
    """Tag of the project's Bento."""
    models, record = (
        json.loads((project / "bentos" / name).read_bytes())
        for name in ("models.json", "promotion_record.json")
    )
    return build_bento(project / "bentos", models, record)


@pytest.fixture(scope="session")
def faulty(project: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tag of a Bento whose challenger can be broken while it runs."""
    return faulty_bento(project, tmp_path_factory.mktemp("faulty") / "a project")


@pytest.fixture(scope="session", autouse=True)
def no_log_in_the_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests decide out of the logs that a person's own service writes."""
    folder = tmp_path_factory.mktemp("logs of servers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CREDIT_SCORING_DECISION_LOG_DIR", str(folder / "decisions"))
        patch.setenv("CREDIT_SCORING_OUTCOMES_DIR", str(folder / "outcomes"))
        yield


@pytest.fixture(scope="session")
def server(bento: str, tmp_path_factory: pytest.TempPathFactory) -> LocalServer:
    log = tmp_path_factory.mktemp("logs") / "server.log"
    # Whichever test comes first waits for it, while other workers may compile.
    return LocalServer(bento, log, ready_seconds=300.0)


@pytest.fixture(scope="session")
def decisions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the served Bento's decision log."""
    return tmp_path_factory.mktemp("decision log") / "decisions"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which a monitoring run would publish to the served Bento."""
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="session")
def url(server: LocalServer, decisions: Path, published: Path) -> Iterator[str]:
    """Address of the Bento, served as an operator would."""
    environment = {
        "CREDIT_SCORING_DECISION_LOG_DIR": str(decisions),
        "CREDIT_SCORING_MONITORING_DIR": str(published),
    }
    with server.running(environment=environment) as url:
        yield url


@pytest.fixture
def released(
    bento: str, applications: list[Row], contract: Contract, tmp_path: Path
) -> Path:
    """A project folder as a run leaves it, with the Bento as its release."""
    folder = tmp_path / "a project"
    for part in ("bentos/releases", "data/02_intermediate", "data/05_model_input"):
        (folder / part).mkdir(parents=True)
    release = folder / "bentos" / "releases" / "current.json"
    release.write_text(
        json.dumps({"bento": bento, "models": {"champion": "credit_scoring:v1-test"}})
    )
    typed = {
        name: [
            row["loan_id"] if name == "loan_id" else float(row[name])
            for row in applications
        ]
        for name in ("loan_id", *contract.names(Role.APPLICATION, Role.HISTORY))
    }
    pq.write_table(
        pa.table(typed), folder / "data/02_intermediate/validated_applications.parquet"
    )
    splits = {
        "loan_id": typed["loan_id"],
        "split": ["test" if n % 3 == 0 else "train" for n in range(len(applications))],
        "bad": [n % 2 for n in range(len(applications))],
    }
    pq.write_table(pa.table(splits), folder / "data/05_model_input/splits.parquet")
    return folder
