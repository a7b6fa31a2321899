"""Scores and features counted into the bins of the reference."""

import numpy as np
import pytest

from credit_scoring.errors import ArtifactError
from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.registry.reference import reference_distributions

SCORE = np.array([400.0, 420.0, 440.0, 460.0])
FEATURES = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 5.0], [np.nan, 5.0]])


@pytest.fixture
def bins() -> ReferenceBins:
    reference = reference_distributions(SCORE, FEATURES, ("size", "constant"))
    return ReferenceBins.of_reference(reference, ("size", "constant"))


def test_counting_the_reference_gives_the_reference(bins: ReferenceBins) -> None:
    counts = bins.empty()
    bins.count(np.column_stack([SCORE, FEATURES]), counts)
    assert (counts == bins.expected).all()
    assert bins.expected[:, -1].tolist() == [0, 1, 1]
    assert bins.expected.sum(axis=1).tolist() == [4, 4, 4]


def test_an_edge_belongs_to_the_bin_above_it(bins: ReferenceBins) -> None:
    # The edges of the score are 420, 440 and 460.
    counts = bins.empty()
    rows = [[value, 1.0, 5.0] for value in (-np.inf, 419.9, 420, 440, 459, 460, np.inf)]
    bins.count(np.array(rows), counts)
    assert counts[0, :4].tolist() == [2, 1, 2, 2]


def test_chunks_add_up(bins: ReferenceBins) -> None:
    rows = np.random.default_rng(1).normal(430, 30, (100, 3))
    whole, parts = bins.empty(), bins.empty()
    bins.count(rows, whole)
    for start in range(0, 100, 7):
        bins.count(rows[start : start + 7], parts)
    assert (whole == parts).all()


def test_rows_of_other_columns_are_refused(bins: ReferenceBins) -> None:
    with pytest.raises(ArtifactError, match=r"shape \(1, 2\); expected \(n, 3\)"):
        bins.count(np.zeros((1, 2)), bins.empty())


@pytest.mark.parametrize(
    "reference",
    [
        {},
        {"rows": 4, "score": {}, "features": {}},
        {"rows": "x", "score": 1, "features": None},
    ],
)
def test_what_is_no_reference_is_refused(reference: dict[str, object]) -> None:
    with pytest.raises(ArtifactError, match="not a reference of these features"):
        ReferenceBins.of_reference(reference, ("size",))


def test_a_bin_too_few_is_refused() -> None:
    part = {"edges": [1.0, 2.0], "shares": [0.5, 0.5], "missing": 0.0}
    with pytest.raises(ArtifactError, match="one bin more than edges"):
        ReferenceBins.of_reference({"rows": 4, "score": part, "features": {}}, ())
