import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost
from scipy import stats
from sklearn.metrics import roc_auc_score

from credit_scoring.benchmark_data.smoothing import (
    CHUNK_ROWS,
    Source,
    make_chunk,
    prepare_source,
)
from credit_scoring.contract.model import Contract
from credit_scoring.contract.tables import TableCheck
from credit_scoring.errors import BenchmarkDataError
from credit_scoring.features.taiwan_default import FEATURE_SET

TARGET = "default_next_month"
MONTHS = range(1, 7)


@pytest.fixture(scope="module")
def chunk(source: Source) -> pa.Table:
    return make_chunk(source, seed=7, number=0)


@pytest.fixture(scope="module")
def made(chunk: pa.Table) -> pd.DataFrame:
    return chunk.to_pandas()


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="loan_id").astype(np.float64)


def test_the_quantities_are_statements_and_payments(source: Source) -> None:
    # Limits are a menu; codes, age and outcome are none.
    assert sorted(source.moved) == sorted(
        f"{kind}_amount_{month}" for kind in ("bill", "payment") for month in MONTHS
    )


def test_every_column_is_distributed_as_the_real_one(
    validated: pd.DataFrame, made: pd.DataFrame, source: Source
) -> None:
    for name, values in numbers(validated).items():
        found = stats.ks_2samp(values, made[name].astype(np.float64)).statistic
        # Round sums, which many pay, are spread to both sides.
        assert found < (0.035 if name in source.moved else 0.01), name


def test_columns_go_together_as_the_real_ones(
    validated: pd.DataFrame, made: pd.DataFrame
) -> None:
    real, found = numbers(validated), numbers(made)
    apart = (real.corr("spearman") - found.corr("spearman")).abs()
    assert apart.to_numpy().max() < 0.02


def test_a_column_shuffled_by_itself_would_be_noticed(
    validated: pd.DataFrame, made: pd.DataFrame
) -> None:
    shuffled = numbers(made)
    order = np.random.default_rng(1).permutation(len(shuffled))
    shuffled["bill_amount_2"] = shuffled["bill_amount_2"].to_numpy()[order]
    apart = numbers(validated).corr("spearman") - shuffled.corr("spearman")
    assert apart.abs().to_numpy().max() > 0.5


def test_relations_inside_a_row_stay(
    validated: pd.DataFrame, made: pd.DataFrame
) -> None:
    def shares(frame: pd.DataFrame) -> list[float]:
        paid = frame["payment_amount_1"] == frame["bill_amount_2"]
        overdrawn = frame["bill_amount_1"] > frame["credit_limit"]
        nothing = frame["bill_amount_1"] == 0
        credit = frame["bill_amount_1"] < 0
        return [x.mean() for x in (paid, overdrawn, nothing, credit)]

    assert shares(made) == pytest.approx(shares(validated), abs=0.015)


def test_rows_differ_although_few_are_drawn_from(made: pd.DataFrame) -> None:
    # 131,072 rows of 30,000; a bootstrap alone has 29,600 different ones.
    columns = made.drop(columns="loan_id")
    assert len(columns.drop_duplicates()) > 0.85 * len(columns)


def test_it_keeps_the_default_rate_by_band_of_risk(
    validated: pd.DataFrame, made: pd.DataFrame
) -> None:
    def rates(frame: pd.DataFrame) -> pd.Series:
        return frame.groupby("repayment_status_1")[TARGET].mean()

    counts = validated["repayment_status_1"].value_counts()
    frequent = counts.index[counts > 300]
    assert len(frequent) >= 5
    apart = (rates(validated) - rates(made)).abs()[frequent]
    assert apart.max() < 0.02


def test_a_model_ranks_it_as_it_ranks_real_rows(
    real: pa.Table, contract: Contract
) -> None:
    def matrix(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        columns = {n: np.asarray(table[n], np.float64) for n in contract.input_names}
        return FEATURE_SET.compute(columns), np.asarray(table[TARGET])

    fitted, held = real.slice(0, 15_000), real.slice(15_000)
    x, bad = matrix(fitted)
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "eta": 0.1, "nthread": 2},
        xgboost.QuantileDMatrix(x, bad),
        num_boost_round=60,
    )
    made = make_chunk(prepare_source(held, contract, spread=0.05), seed=3, number=0)

    def auc(table: pa.Table) -> float:
        x, bad = matrix(table)
        return float(roc_auc_score(bad, booster.inplace_predict(x)))

    assert auc(held) > 0.75
    assert auc(made) == pytest.approx(auc(held), abs=0.01)


def test_every_row_keeps_the_contract(chunk: pa.Table, contract: Contract) -> None:
    check = TableCheck(contract, chunk.schema, name="made")
    for batch in chunk.combine_chunks().to_batches():
        assert not check.check(batch).broken.any()


def test_a_chunk_is_the_same_each_time_and_needs_no_other(source: Source) -> None:
    one = make_chunk(source, seed=7, number=5, rows=1000)
    assert one.equals(make_chunk(source, seed=7, number=5, rows=1000))
    assert one.slice(0, 10).equals(make_chunk(source, seed=7, number=5, rows=10))
    columns = one.column_names[1:]
    other = make_chunk(source, seed=7, number=6, rows=1000)
    another = make_chunk(source, seed=8, number=5, rows=1000)
    assert not one.select(columns).equals(other.select(columns))
    assert not one.select(columns).equals(another.select(columns))


def test_ids_number_the_rows_of_all_chunks(source: Source) -> None:
    made = make_chunk(source, seed=7, number=2, rows=3)
    first = 2 * CHUNK_ROWS + 1
    expected = [f"{first + place:012d}" for place in range(3)]
    assert made["loan_id"].to_pylist() == expected


def a_contract(**columns: dict[str, object]) -> Contract:
    said = {
        name: {"source": name, "type": "number", "description": name} | more
        for name, more in columns.items()
    }
    return Contract.model_validate(
        {"name": "one", "version": 1, "title": "One", "columns": said}
    )


def test_what_is_missing_stays_missing_and_limits_hold() -> None:
    contract = a_contract(
        loan_id={"type": "string", "role": "id"},
        income={
            "role": "application",
            "unit": "EUR",
            "nullable": True,
            "minimum": 0,
            "maximum": 1000,
        },
        bad={"type": "integer", "role": "target"},
    )
    # A hundredth is the step; a missing income goes with bad.
    income = [None, 999.99, 0.0, *(x + 0.25 for x in range(97))]
    bad = [1, *([0] * 99)]
    ids = [str(place) for place in range(100)]
    table = pa.table({"loan_id": ids, "income": income, "bad": bad})
    made = make_chunk(prepare_source(table, contract, spread=0.5), seed=1, number=0)
    values = np.asarray(made["income"], np.float64)
    assert np.array_equal(np.isnan(values), np.asarray(made["bad"]) == 1)
    known = values[~np.isnan(values)]
    assert known.min() == 0
    assert known.max() == 1000
    assert np.allclose(known * 100, np.round(known * 100), atol=1e-6)
    assert 0.005 < (known == 0).mean() < 0.015


def test_a_source_without_rows_or_columns_is_refused(
    real: pa.Table, contract: Contract
) -> None:
    with pytest.raises(BenchmarkDataError, match="has 0 rows and lacks 0"):
        prepare_source(real.slice(0, 0), contract, spread=0.05)
    with pytest.raises(BenchmarkDataError, match=r"lacks 1 columns.*: credit_limit"):
        prepare_source(real.drop_columns("credit_limit"), contract, spread=0.05)


def test_a_spread_or_a_size_that_makes_no_sense_is_refused(
    source: Source, real: pa.Table, contract: Contract
) -> None:
    with pytest.raises(BenchmarkDataError, match=r"spread is 1.5; expected 0 to 1"):
        prepare_source(real, contract, spread=1.5)
    with pytest.raises(BenchmarkDataError, match="0 rows in a chunk; expected 1 to"):
        make_chunk(source, seed=1, number=0, rows=0)
