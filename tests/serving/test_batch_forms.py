"""A batch in each of its forms: the same decisions, each row's error in its place."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

Row = dict[str, Any]
Call = Callable[..., httpx.Response]

NDJSON = "application/x-ndjson"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
SAID = ("loan_id", "pd", "score", "band", "decision", "policy_version")


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def csv(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def ndjson(table: pa.Table) -> bytes:
    given = [{n: v for n, v in r.items() if v is not None} for r in table.to_pylist()]
    return b"\n".join(json.dumps(row).encode() for row in given) + b"\n\n"


def answers(reply: httpx.Response) -> list[Row]:
    kind = reply.headers["content-type"]
    if kind == NDJSON:
        return [json.loads(line) for line in reply.content.splitlines()]
    if kind == CSV:
        table = pacsv.read_csv(io.BytesIO(reply.content))
    else:
        assert kind == PARQUET
        table = pq.read_table(io.BytesIO(reply.content))
    rows: list[Row] = table.to_pylist()
    return rows


@pytest.fixture
def send(call: Call) -> Callable[..., httpx.Response]:
    def post(body: bytes, kind: str, query: str = "") -> httpx.Response:
        headers = {"content-type": kind}
        return call("POST", f"/predict/batch{query}", content=body, headers=headers)

    return post


FORMS = [(ndjson, NDJSON), (csv, CSV), (parquet, PARQUET)]


@pytest.mark.parametrize(("written", "kind"), FORMS)
def test_each_form_has_the_decisions_of_json(  # noqa: PLR0913, PLR0917
    written: Any,
    kind: str,
    send: Any,
    call: Call,
    approved: Row,
    declined: Row,
    without_history: Row,
) -> None:
    given = [approved, {**declined, "sex": 2}, without_history]
    expected = call("POST", "/predict/batch?interval=true", json=given[:2]).json()
    table = pa.Table.from_pylist([{"sex": 1, **row} for row in given])
    if kind != NDJSON:
        names = ("loan_id", "amount", "days_late_1", "sex")
        table = pa.table(
            {n: [row.get(n, 1 if n == "sex" else None) for row in given] for n in names}
        )
    reply = send(written(table), kind, "?interval=true")
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    found = answers(reply)
    assert [row["decision"] for row in found] == ["approve", "decline", "refer"]
    for answer, row in zip(expected, found, strict=False):
        assert [answer[n] for n in SAID] == [row[n] for n in SAID]
    assert found[2]["feature_source"] == "degraded"
    if kind != NDJSON:
        assert found[0]["pd_low"] == expected[0]["pd_interval"]["low"]
        assert found[0]["model_digest"] == expected[0]["model"]["digest"]
    if kind == PARQUET:
        assert found[1]["reasons"] == expected[1]["reasons"]
    if kind == CSV:
        codes = [reason["code"] for reason in expected[1]["reasons"]]
        assert found[1]["reasons"] == "; ".join(codes)


@pytest.mark.parametrize(("written", "kind"), FORMS)
def test_a_rows_error_is_in_its_place(
    written: Any, kind: str, send: Any, approved: Row, breaking: Row
) -> None:
    wrong = {"loan_id": "L-9", "amount": -5, "days_late_1": 0}
    table = pa.Table.from_pylist([wrong, approved, breaking])
    reply = send(written(table), kind)
    found = answers(reply)
    assert reply.status_code == 200
    assert [bool(row.get("error")) for row in found] == [True, False, True]
    assert "amount" in str(found[0]["error"])
    assert "is below the minimum of 0 EUR" in str(found[0]["error"])
    assert b"secret" not in reply.content


def test_csv_is_read_with_its_oddities(send: Any) -> None:
    body = (
        b'\xef\xbb\xbfID,AMOUNT,LATE\r\nL-1,100,0\r\nL-2,1\r\n"L-3", 5e1 ,\r\n'
        b"L-4,x,0\r\n"
    )
    found = answers(send(body, CSV))
    assert [row["decision"] for row in found] == ["approve", "", "refer", ""]
    assert "has 2 cell(s); expected 3" in found[1]["error"]
    assert "amount: is not a number" in found[3]["error"]


TABLE = pa.table({"loan_id": ["a", "b"], "amount": [1.0, 2.0], "days_late_1": [0, 1]})
WHOLE = parquet(TABLE)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (WHOLE[:-30], PARQUET, "cut off or corrupt"),
        (b"PAR1" + bytes(100) + b"PAR1", PARQUET, "cut off or corrupt"),
        (b"", PARQUET, "cut off or corrupt"),
        (WHOLE[:10] + b"\xff" * 60 + WHOLE[70:], PARQUET, "cut off or corrupt"),
        (parquet(TABLE.slice(0, 0)), PARQUET, "at least one application"),
        (
            parquet(TABLE.set_column(1, "amount", pa.array([[1.0], [2.0]]))),
            PARQUET,
            "column amount is of type list",
        ),
        (
            parquet(TABLE.set_column(1, "amount", pa.array([{"a": 1}, {"a": 2}]))),
            PARQUET,
            "column amount is of type struct",
        ),
        (
            parquet(TABLE.set_column(1, "amount", pa.array([b"1", b"2"]))),
            PARQUET,
            "column amount is of type binary",
        ),
        (parquet(TABLE.append_column("x", TABLE["amount"])), PARQUET, "none of a req"),
        (parquet(TABLE.append_column("amount", TABLE["amount"])), PARQUET, "more than"),
        (parquet(TABLE.drop_columns("amount")), PARQUET, "1 column(s) missing: amount"),
        (b"", CSV, "is empty"),
        (b"loan_id,amount,days_late_1\n", CSV, "at least one application"),
        ("loan_id,amount".encode("utf-16"), CSV, "encoded as UTF-16"),
        (b"loan_id,amount,days_late_1\n\xff,1,2\n", CSV, "not UTF-8"),
        (b"loan_id,amount,amount,days_late_1\na,1,1,2\n", CSV, "more than once"),
        (b"loan_id,amount,days_late_1,x\na,1,1,2\n", CSV, "none of a request: 'x'"),
        (b"\n \n", NDJSON, "at least one application"),
    ],
)
def test_what_is_no_batch_is_a_400_that_says_why(
    body: bytes, kind: str, message: str, send: Any
) -> None:
    reply = send(body, kind)
    assert reply.status_code == 400, reply.text
    assert message in reply.json()["errors"][0]["message"]


def test_values_that_json_does_not_have_are_refused_row_by_row(send: Any) -> None:
    amounts = pa.array([np.nan, np.inf, -np.inf, 3.0, None])
    ids = pa.array(["a", "b", "c", "d", "e"])
    table = pa.table({"loan_id": ids, "amount": amounts, "days_late_1": [0] * 5})
    found = answers(send(parquet(table), PARQUET))
    told = [row["error"] for row in found]
    assert told == [
        "amount: is missing",
        "amount: is not a finite number",
        "amount: is not a finite number",
        None,
        "amount: is missing",
    ]


@pytest.mark.parametrize(("written", "kind"), FORMS)
def test_too_many_rows_are_refused(written: Any, kind: str, send: Any) -> None:
    many = 21
    table = pa.table(
        {
            "loan_id": [f"L-{n}" for n in range(many)],
            "amount": [1.0] * many,
            "days_late_1": [0] * many,
        }
    )
    assert send(written(table), kind).status_code == 413
    assert send(written(table.slice(1)), kind).status_code == 200


def test_a_file_that_unpacks_to_too_much_is_refused(send: Any) -> None:
    long = "x" * (3 << 20)
    bomb = parquet(TABLE.append_column("x", pa.array([long, long])), compression="zstd")
    assert len(bomb) < 8192
    assert send(bomb, PARQUET).status_code == 413


def test_a_flipped_byte_is_never_a_fault_of_the_service(send: Any) -> None:
    generator = np.random.default_rng(5)
    for place in generator.integers(0, len(WHOLE), 150).tolist():
        body = bytearray(WHOLE)
        body[place] ^= 1 << int(generator.integers(8))
        assert send(bytes(body), PARQUET).status_code in {200, 400, 413}


def test_arrow_is_imported_with_the_first_table_alone() -> None:
    code = (
        "import sys; import credit_scoring.serving.assembly; "
        "from credit_scoring.serving.forms import form_of; "
        "assert 'pyarrow' not in sys.modules; "
        "form_of([(b'content-type', b'text/csv')]); assert 'pyarrow' in sys.modules; "
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
