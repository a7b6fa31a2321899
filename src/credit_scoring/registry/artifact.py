"""The artifact: all that a decision needs, as a folder of plain files.

It is the same folder in MLflow, in BentoML and in the service. No file of it
is a pickle, and it is used only if every file is what it was when made.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from credit_scoring.contract import kernels
from credit_scoring.contract.model import Contract
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.engine import MANY_ROWS, DecisionEngine
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.model import Model
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import Uncertainty
from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError, CreditScoringError
from credit_scoring.features.definition import FeatureSet
from credit_scoring.registry.manifest import (
    MANIFEST,
    Manifest,
    read_manifest,
    verify_files,
)
from credit_scoring.scorecard.scaling import ScoreScaling

Values = NDArray[np.float64]

# Family -> module and class that load it. Imported when needed, as a service
# with two scorecards has no use for trees.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "scorecard": ("credit_scoring.scorecard.model", "Scorecard"),
    "boosting": ("credit_scoring.boosting.ensemble", "TreeEnsemble"),
}
# Family -> module and class that decide in its place where the compiled form of a
# model does not give what it gave when the artifact was made.
FALLBACKS: Mapping[str, tuple[str, str]] = {
    "boosting": ("credit_scoring.boosting.native", "NativeEnsemble"),
}
COLUMN_PREFIX = "column."
UNCERTAINTY = "uncertainty.json"
EXPECTED = ("features", "margin", "pd", "score", "contributions")


@dataclass(frozen=True)
class Artifact:
    """A verified artifact, ready to decide.

    Attributes:
        folder: Where its files are.
        manifest: What it is made of.
        digest: SHA-256 of the manifest, which holds the digests of all else.
        contract: The columns of an application.
        feature_set: Computes the features.
        engine: Decides.
        reference: Distributions of the training applications' score and
            features.
        reference_columns: Contract columns of the reference applications.
        fallback: Why the model's own library computes the margins; empty if the
            compiled form does.
    """

    folder: Path
    manifest: Manifest
    digest: str
    contract: Contract
    feature_set: FeatureSet
    engine: DecisionEngine
    reference: Mapping[str, Any]
    reference_columns: Mapping[str, Values]
    fallback: str = ""

    @property
    def model(self) -> Model:
        """The fitted candidate, with its background."""
        return self.engine.model

    def warm_up(self) -> None:
        """Compile everything that a decision runs, so that no request does."""
        self.engine.warm_up(self.reference_columns)
        kernels.warm_up()


def load_artifact(folder: Path, *, compiled: bool = False) -> Artifact:
    """Verify an artifact and load it.

    Args:
        folder: The artifact's folder.
        compiled: Compile the features, for one who decides row by row. The bits
            are the same.

    Returns:
        The artifact. Every file has its SHA-256, none is unlisted, the code
        present computes the features it was made with, and the reference
        applications give the same margin, PD, score and contributions to the bit.
        Where the compiled form of the model gives other margins, the model's own
        library is imported and computes them, and must give all of that.

    Raises:
        ArtifactError: If any of that is not so; the message names the file.
    """
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    contract = _contract(folder, manifest)
    feature_set = _feature_set(manifest, contract)
    if compiled:
        feature_set = feature_set.compiled
    groups = _groups(folder)
    grading = _grading(folder)
    if grading.policy.version != manifest.policy_version:
        raise ArtifactError("policy.json: its version is not the manifest's")
    model = _model(folder, manifest.family)
    # What the reasons compare with is in the model; these are the rows behind it.
    _arrays(folder / "background.npz", ("features",))
    parts = (grading, contract, groups, feature_set, _uncertainty(folder, manifest))
    engine = _engine(model, *parts)
    reference_rows = _arrays(folder / "reference_rows.npz", EXPECTED)
    columns = {
        name.removeprefix(COLUMN_PREFIX): values
        for name, values in reference_rows.items()
        if name.startswith(COLUMN_PREFIX)
    }
    fallback = _why_not_compiled(model)
    try:
        _verify_reference_rows(engine, columns, reference_rows)
    except _MarginsError as error:
        if fallback or manifest.family not in FALLBACKS:
            raise
        fallback = str(error)
        engine = _engine(_native(model, manifest.family), *parts)
        _verify_reference_rows(engine, columns, reference_rows)
    return Artifact(
        folder=folder,
        manifest=manifest,
        digest=sha256_of_file(folder / MANIFEST),
        contract=contract,
        feature_set=feature_set,
        engine=engine,
        reference=_json(folder / "reference.json"),
        reference_columns=columns,
        fallback=fallback,
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"{path.name}: not in the artifact") from None
    except ValueError as error:
        raise ArtifactError(f"{path.name}: not JSON: {error}") from None


def _arrays(path: Path, expected: tuple[str, ...]) -> dict[str, Values]:
    """Read arrays, each as C-ordered float64; never a pickle."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {
                name: np.ascontiguousarray(file[name], np.float64)
                for name in file.files
            }
    except FileNotFoundError:
        raise ArtifactError(f"{path.name}: not in the artifact") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path.name}: cannot be read: {error}") from None
    absent = [name for name in expected if name not in arrays]
    if absent:
        raise ArtifactError(f"{path.name}: holds no {', '.join(absent)}")
    return arrays


def _contract(folder: Path, manifest: Manifest) -> Contract:
    try:
        contract = Contract.model_validate(_json(folder / "contract.json"))
    except ValidationError as error:
        raise ArtifactError(
            f"contract.json: {error.error_count()} faults in the contract"
        ) from None
    if contract.digest != manifest.contract_digest:
        raise ArtifactError("contract.json: its digest is not the manifest's")
    return contract


def _feature_set(manifest: Manifest, contract: Contract) -> FeatureSet:
    try:
        feature_set = feature_set_of(manifest.feature_set, contract)
    except CreditScoringError as error:
        raise ArtifactError(f"{MANIFEST}: {error}") from None
    version = feature_set.version(manifest.contract_digest)
    if version != manifest.feature_version:
        raise ArtifactError(
            f"{MANIFEST}: made with feature version {manifest.feature_version}, but "
            f"the code present has {version}: use the code it was made with, or "
            "train again"
        )
    return feature_set


def _groups(folder: Path) -> ReasonGroups:
    described = _json(folder / "features.json")
    try:
        return ReasonGroups(
            features=tuple(item["name"] for item in described["features"]),
            codes=tuple(item["reason"] for item in described["features"]),
            texts=described["reasons"],
        )
    except (KeyError, TypeError, CreditScoringError) as error:
        raise ArtifactError(f"features.json: not as it is written: {error}") from None


def _grading(folder: Path) -> Grading:
    name = ""
    try:
        name = "calibration.json"
        calibration = Calibration.model_validate(_json(folder / name))
        name = "scaling.json"
        scaling = ScoreScaling.model_validate(_json(folder / name))
        name = "policy.json"
        policy = Policy.model_validate(_json(folder / name))
    except ValidationError as error:
        raise ArtifactError(
            f"{name}: {error.error_count()} faults; {error.errors()[0]['msg']}"
        ) from None
    return Grading(calibration, scaling, policy)


def _uncertainty(folder: Path, manifest: Manifest) -> Uncertainty | None:
    """Read the intervals and ranges; artifacts of older releases have none."""
    if UNCERTAINTY not in manifest.files:
        return None
    try:
        return Uncertainty.model_validate(_json(folder / UNCERTAINTY))
    except ValidationError as error:
        raise ArtifactError(
            f"{UNCERTAINTY}: {error.error_count()} faults; {error.errors()[0]['msg']}"
        ) from None


def _model(folder: Path, family: str) -> Model:
    if family not in FAMILIES:
        raise ArtifactError(
            f"{MANIFEST}: model family {family!r} is none of {', '.join(FAMILIES)}"
        )
    module, name = FAMILIES[family]
    loader: type[Model] = getattr(import_module(module), name)
    return loader.load(folder / "model")


def _why_not_compiled(model: Model) -> str:
    if getattr(model, "margins", "compiled") == "compiled":
        return ""
    return "the compiled trees did not agree when the model was made"


def _native(model: Model, family: str) -> Model:
    module, name = FALLBACKS[family]
    native: Model = getattr(import_module(module), name).of(model)
    return native


class _MarginsError(ArtifactError):
    """The margins of the reference applications are not reproduced."""


def _engine(  # noqa: PLR0913, PLR0917 - one for each part
    model: Model,
    grading: Grading,
    contract: Contract,
    groups: ReasonGroups,
    feature_set: FeatureSet,
    uncertainty: Uncertainty | None,
) -> DecisionEngine:
    try:
        return DecisionEngine(
            model,
            grading,
            features=feature_set,
            groups=groups,
            columns=contract.input_names,
            uncertainty=uncertainty,
        )
    except CreditScoringError as error:
        raise ArtifactError(f"features.json, policy.json or model/: {error}") from None


def _verify_reference_rows(
    engine: DecisionEngine,
    columns: Mapping[str, Values],
    expected: Mapping[str, Values],
) -> None:
    """Decide on the reference applications, and compare to the bit."""
    try:
        decisions = engine.decide(columns, explain=True)
        contributions = engine.model.contributions(decisions.features)
        # A model may compute many rows in another way than a few.
        times = -(-MANY_ROWS // len(decisions))
        many = np.tile(decisions.features, (times, 1))
        margins = engine.model.margin(many)
        explained = engine.model.contributions(many)
    except CreditScoringError as error:
        raise ArtifactError(f"reference_rows.npz: {error}") from None
    computed = {
        "features": decisions.features,
        "margin": decisions.margin,
        "pd": decisions.pd_,
        "score": decisions.score,
        "contributions": contributions,
    }
    if not np.array_equal(margins, np.tile(decisions.margin, times)):
        computed["margin"] = margins
    if explained.tobytes() != np.tile(contributions, (times, 1)).tobytes():
        computed["contributions"] = explained
    for name in EXPECTED:
        if computed[name].tobytes() != expected[name].tobytes():
            rows = len(decisions)
            kind = _MarginsError if name == "margin" else ArtifactError
            raise kind(
                f"reference_rows.npz: {name} of the {rows} reference applications "
                "are not reproduced to the bit; the model, the code or the numeric "
                "libraries differ from those it was made with"
            )
