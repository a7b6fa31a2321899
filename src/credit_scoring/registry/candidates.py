"""Building a candidate's artifact from what training and evaluation made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.model import Model
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import Uncertainty
from credit_scoring.errors import PromotionError
from credit_scoring.features.definition import FeatureSet
from credit_scoring.registry.artifact_writing import ArtifactContents
from credit_scoring.registry.manifest import Provenance
from credit_scoring.registry.model_card import model_card
from credit_scoring.registry.reference import reference_distributions

Values = NDArray[np.float64]

# Enough to meet every bin and branch that matters, few enough to load at once.
_REFERENCE_ROWS = 200
# Contributions are sums of single-precision leaves.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Candidate:
    """A fitted candidate with all that its decisions need.

    Attributes:
        model: With the background that its reasons compare with.
        calibration: Fitted on rows that training did not see.
        parameters: Scaling, policy and background.
        contract: The columns of an application.
        feature_set: Computes what the model reads.
        uncertainty: Intervals of the PD and the training range.
    """

    model: Model
    calibration: Calibration
    parameters: DecisionParameters
    contract: Contract
    feature_set: FeatureSet
    uncertainty: Uncertainty | None = None

    def engine(self) -> DecisionEngine:
        """Put together what decides."""
        features = self.feature_set.features
        groups = ReasonGroups(
            self.feature_set.names,
            tuple(feature.reason for feature in features),
            self.feature_set.reasons,
        )
        return DecisionEngine(
            self.model,
            Grading(self.calibration, self.parameters.scaling, self.parameters.policy),
            features=self.feature_set,
            groups=groups,
            columns=self.contract.input_names,
            uncertainty=self.uncertainty,
        )


def artifact_contents(
    candidate: Candidate,
    *,
    background: Values,
    train_columns: Mapping[str, Values],
    metrics: Mapping[str, Any],
    provenance: Provenance,
) -> ArtifactContents:
    """Decide on the training applications, and keep what serving needs of it.

    Args:
        candidate: The fitted candidate.
        background: Feature rows that the model's reasons compare with, shape
            (n_background, n_features).
        train_columns: Contract columns of the training applications.
        metrics: Split -> measure -> value with its interval.
        provenance: Data, code and environment.

    Returns:
        What goes into the artifact: the reference distributions are of the
        training applications, the reference rows spread evenly over them by
        score.

    Raises:
        PromotionError: If the model explains against other rows.
    """
    engine = candidate.engine()
    decisions = engine.decide_unexplained(train_columns)
    rows = _spread(decisions.score)
    _check_background(candidate.model, background, decisions.features[rows])
    return ArtifactContents(
        contract=candidate.contract,
        feature_set=candidate.feature_set,
        engine=engine,
        background=background,
        reference=reference_distributions(
            decisions.score, decisions.features, candidate.feature_set.names
        ),
        reference_columns={
            name: np.ascontiguousarray(values[rows])
            for name, values in train_columns.items()
        },
        metrics=metrics,
        model_card=model_card(
            engine,
            contract=candidate.contract,
            feature_set=candidate.feature_set,
            metrics=metrics,
            provenance=provenance,
        ),
        provenance=provenance,
    )


def _check_background(model: Model, background: Values, x: Values) -> None:
    """Contributions sum to the margin less the background's mean margin."""
    explained = model.contributions(x).sum(axis=1)
    expected = model.margin(x) - model.margin(background).mean()
    furthest = float(np.abs(explained - expected).max())
    if not furthest <= _TOLERANCE:
        raise PromotionError(
            f"the reasons of the {model.family} model do not compare with the "
            f"{len(background)} background rows: contributions are off by "
            f"{furthest:.2g} log-odds; expected at most {_TOLERANCE:g}"
        )


def _spread(score: Values) -> NDArray[np.int64]:
    """Choose rows evenly by score, the lowest and the highest among them."""
    order = np.argsort(score, kind="stable")
    places = np.linspace(0, len(order) - 1, min(_REFERENCE_ROWS, len(order)))
    chosen: NDArray[np.int64] = np.sort(order[places.astype(np.int64)])
    return chosen
