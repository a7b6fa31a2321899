import numpy as np
import pytest

from credit_scoring.features import taiwan_default
from credit_scoring.features.kernel import compile_features


@pytest.fixture(scope="module")
def compiled_set():
    return taiwan_default.FEATURE_SET.compiled


def bits(matrix):
    return matrix.view(np.uint64)


def test_compiled_features_have_numpys_bits_on_the_shipped_accounts(
    compiled_set, shipped
):
    columns = {n: shipped[n].to_numpy() for n in compiled_set.inputs}
    interpreted = taiwan_default.FEATURE_SET.compute(columns)
    assert (bits(compiled_set.compute(columns)) == bits(interpreted)).all()


def test_compiled_features_have_numpys_bits_on_odd_and_missing_values(
    compiled_set, accounts
):
    rng = np.random.default_rng(5)
    for column in accounts.values():
        column[rng.random(len(column)) < 0.03] = np.nan
        column[rng.random(len(column)) < 0.03] = -0.0
    interpreted = taiwan_default.FEATURE_SET.compute(accounts)
    assert (bits(compiled_set.compute(accounts)) == bits(interpreted)).all()


def test_one_row_has_the_bits_that_it_has_among_many(compiled_set, accounts):
    whole = compiled_set.compute(accounts)
    for row in range(0, len(whole), 97):
        alone = compiled_set.compute({n: c[row : row + 1] for n, c in accounts.items()})
        assert (bits(alone) == bits(whole[row : row + 1])).all()


def test_rows_may_hold_the_inputs_in_any_place_and_more(compiled_set, accounts):
    interpreted = taiwan_default.FEATURE_SET
    names = [*reversed(compiled_set.inputs)]
    table = np.column_stack(
        [np.zeros(len(accounts[names[0]]))] + [accounts[n] for n in names]
    )
    places = np.array([1 + names.index(name) for name in compiled_set.inputs])
    expected = bits(interpreted.compute(accounts))
    assert (bits(compiled_set.compute_rows(table, places)) == expected).all()
    assert (bits(interpreted.compute_rows(table, places)) == expected).all()


def test_the_interpreted_set_stays_as_it_is(compiled_set):
    assert taiwan_default.FEATURE_SET._kernel is None
    assert compiled_set.version("c") == taiwan_default.FEATURE_SET.version("c")


def test_another_digest_is_another_kernel():
    rows = np.array([[1.0], [2.0]])
    found = []
    for number, function in enumerate((lambda a: a + 1.0, lambda a: a + 2.0)):
        kernel = compile_features([function], [[0]], digest=f"test{number}")
        matrix = np.empty((2, 1))
        kernel(rows, np.array([0]), matrix)
        found.append(matrix.ravel().tolist())
    assert found == [[2.0, 3.0], [3.0, 4.0]]
