import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from credit_scoring.errors import ArtifactError
from credit_scoring.scorecard import model as module
from credit_scoring.scorecard.model import (
    Bin,
    BinnedFeature,
    Scorecard,
    ScorecardTable,
    Term,
    column_means,
    locate_bins,
    sum_terms,
    term_values,
)

# Hand-worked: intercept + utilisation's coefficient * woe + months_late's.
MARGINS = [
    -1.25 - 0.8 * 1.0 - 0.5 * 0.5,
    -1.25 - 0.8 * 0.25 - 0.5 * -2.0,
    -1.25 - 0.8 * 0.25 - 0.5 * -0.25,
    -1.25 - 0.8 * 0.0 - 0.5 * -2.0,
]


def plain(kernel):
    return kernel.py_func


def test_margin_adds_the_terms_to_the_intercept(scorecard, applications):
    np.testing.assert_allclose(scorecard.margin(applications), MARGINS, rtol=1e-15)


def test_margin_of_a_row_is_the_same_alone_and_in_any_batch(scorecard):
    rows = np.random.default_rng(1).normal(0.5, 1, size=(500, 3))
    together = scorecard.margin(rows)
    alone = np.concatenate([scorecard.margin(rows[i : i + 1]) for i in range(500)])
    strided = scorecard.margin(np.asfortranarray(rows))
    assert together.tobytes() == alone.tobytes() == strided.tobytes()


def test_compiled_and_plain_kernels_give_equal_bits(
    scorecard, applications, monkeypatch
):
    kernels = (locate_bins, term_values, sum_terms, column_means)
    compiled = scorecard.with_background(applications)
    expected = compiled.margin(applications), compiled.contributions(applications)
    for kernel in kernels:
        monkeypatch.setattr(module, kernel.__name__, plain(kernel))
    explained = scorecard.with_background(applications)
    assert explained.table == compiled.table
    assert explained.margin(applications).tobytes() == expected[0].tobytes()
    assert explained.contributions(applications).tobytes() == expected[1].tobytes()


@pytest.mark.parametrize("locate", [locate_bins, plain(locate_bins)])
def test_a_bin_holds_its_lower_edge_and_not_its_upper(locate):
    edges = np.array([0.0, 1.0])
    values = np.array([-np.inf, -0.1, 0.0, 0.9, 1.0, np.inf, np.nan])
    assert locate(values, edges).tolist() == [0, 0, 1, 1, 2, 2, 3]


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=8, unique=True),
    st.lists(st.floats(-20, 20), min_size=1, max_size=20),
)
def test_bins_are_those_of_numpy_digitize(edges, values):
    inner, rows = np.sort(np.array(edges)), np.array(values)
    assert locate_bins(rows, inner).tolist() == np.digitize(rows, inner).tolist()


def test_contributions_sum_to_the_distance_from_the_background(scorecard, applications):
    background = applications[:2]
    explained = scorecard.with_background(background)
    rows = np.random.default_rng(2).normal(0.5, 1, size=(200, 3))
    distance = explained.margin(rows) - explained.margin(background).mean()
    np.testing.assert_allclose(
        explained.contributions(rows).sum(axis=1), distance, atol=1e-12
    )


def test_contributions_compare_with_the_mean_woe_of_the_background(
    scorecard, applications
):
    found = scorecard.with_background(applications[:2]).contributions(applications)
    # Mean woe of the background: utilisation 0.625, months_late -0.75.
    np.testing.assert_allclose(
        found[:, 2], -0.8 * (np.array([1, 0.25, 0.25, 0]) - 0.625)
    )
    np.testing.assert_allclose(
        found[:, 0], -0.5 * (np.array([0.5, -2, -0.25, -2]) + 0.75)
    )
    assert not found[:, 1].any()


def test_contributions_equal_averaging_over_every_background_row(scorecard):
    random = np.random.default_rng(3)
    rows, background = random.normal(0.5, 1, (20, 3)), random.normal(0.5, 1, (30, 3))
    found = scorecard.with_background(background).contributions(rows)
    for column in range(3):
        # In an additive model a Shapley value is the mean effect of one swap.
        swapped = np.repeat(rows[None], len(background), axis=0)
        swapped[:, :, column] = background[:, None, column]
        margins = scorecard.margin(swapped.reshape(-1, 3)).reshape(30, 20)
        effect = scorecard.margin(rows) - margins.mean(axis=0)
        np.testing.assert_allclose(found[:, column], effect, atol=1e-12)


def test_a_new_background_leaves_the_first_scorecard_as_it_was(scorecard, applications):
    explained = scorecard.with_background(applications)
    assert scorecard.table.background_rows == 0
    assert explained.table.background_rows == 4
    assert explained.features == scorecard.features
    assert explained.left_out == scorecard.left_out


def test_explaining_without_a_background_is_refused(scorecard, applications):
    with pytest.raises(ArtifactError, match="no background to explain against"):
        scorecard.contributions(applications)


def test_an_empty_background_is_refused(scorecard):
    with pytest.raises(ArtifactError, match="the background has no row"):
        scorecard.with_background(np.empty((0, 3)))


@pytest.mark.parametrize("shape", [(3,), (2, 4), (2, 3, 1)])
def test_a_matrix_of_another_shape_is_refused(scorecard, shape):
    with pytest.raises(ArtifactError, match="expected a matrix of 3 features"):
        scorecard.margin(np.zeros(shape))


@pytest.mark.parametrize("with_background", [False, True])
def test_a_saved_scorecard_loads_with_the_same_bits(
    scorecard, applications, tmp_path, with_background
):
    if with_background:
        scorecard = scorecard.with_background(applications)
    scorecard.save(tmp_path)
    loaded = Scorecard.load(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["scorecard.json"]
    assert loaded.table == scorecard.table
    assert loaded.margin(applications).tobytes() == (
        scorecard.margin(applications).tobytes()
    )


def test_the_file_says_in_words_what_it_holds(scorecard, tmp_path):
    scorecard.save(tmp_path)
    text = (tmp_path / "scorecard.json").read_text(encoding="utf-8")
    saved = json.loads(text)
    assert saved["family"] == "scorecard"
    assert "ln(share of goods / share of bads)" in saved["margin"]
    assert saved["terms"][0]["bins"][1] == {
        "at_least": 0.3,
        "below": 0.7,
        "goods": 25,
        "bads": 10,
        "woe": 0.25,
    }


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ArtifactError, match=r"scorecard\.json cannot be read: No such"):
        Scorecard.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"intercept": "x"}, "intercept"),
        ({"family": "boosting"}, "family"),
        ({"terms": []}, "terms"),
        ({"extra": 1}, "extra"),
        ({"features": ["utilisation"]}, "the file"),
    ],
)
def test_an_altered_file_is_refused_with_the_place(scorecard, tmp_path, change, place):
    scorecard.save(tmp_path)
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ArtifactError, match=f"not a scorecard: .* first at {place}"):
        Scorecard.load(tmp_path)


def test_a_truncated_file_is_refused(scorecard, tmp_path):
    scorecard.save(tmp_path)
    path = tmp_path / "scorecard.json"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtifactError, match="not a scorecard: 1 errors"):
        Scorecard.load(tmp_path)


def bins(*bounds):
    return [
        Bin(at_least=low, below=high, goods=1, bads=1, woe=0.0) for low, high in bounds
    ]


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ([(None, 1.0), (2.0, None)], "leave a gap or overlap"),
        ([(0.0, 1.0), (1.0, None)], "leave a gap or overlap"),
        ([(None, 1.0), (1.0, 2.0)], "leave a gap or overlap"),
        ([(None, 2.0), (2.0, 1.0), (1.0, None)], "not in rising order"),
        ([(None, None), (None, None)], "not in rising order"),
    ],
)
def test_bins_that_do_not_cover_every_value_once_are_refused(bounds, message):
    with pytest.raises(ValidationError, match=message):
        BinnedFeature(
            feature="f",
            direction=0,
            information_value=0,
            bins=bins(*bounds),
            missing=bins((None, None))[0],
        )


def test_a_coefficient_that_turns_safe_into_risky_is_refused(utilisation):
    with pytest.raises(ValidationError, match="less than 0"):
        Term(**utilisation.model_dump() | {"coefficient": 0.1})


def test_a_table_of_unknown_or_repeated_features_is_refused(utilisation):
    with pytest.raises(ValidationError, match="unknown features: utilisation"):
        ScorecardTable(features=("a",), intercept=0, terms=(utilisation,))
    with pytest.raises(ValidationError, match="two terms have the same feature"):
        ScorecardTable(
            features=("utilisation",), intercept=0, terms=(utilisation, utilisation)
        )


def test_half_a_background_is_refused(utilisation, months_late):
    half = utilisation.model_copy(update={"background_woe": 0.5})
    features = ("utilisation", "months_late")
    for terms, rows in [((half, months_late), 5), ((half,), 0), ((months_late,), 5)]:
        with pytest.raises(ValidationError, match="some terms have a background"):
            ScorecardTable(
                features=features, intercept=0, terms=terms, background_rows=rows
            )


def test_the_bad_rate_of_an_empty_bin_is_not_a_number():
    assert np.isnan(Bin(goods=0, bads=0, woe=0).bad_rate)
    assert Bin(goods=3, bads=1, woe=0).bad_rate == 0.25


def test_scoring_imports_no_fitting_library():
    code = (
        "import sys, credit_scoring.scorecard.model, credit_scoring.scorecard.points;"
        "print([m for m in ('pandas','sklearn','optbinning','rich','kedro')"
        " if m in sys.modules])"
    )
    source = str(Path(module.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
