"""Whole jobs: the service's decisions, to the bit, and nothing lost on the way."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from credit_scoring.batch import state
from credit_scoring.batch.models import BatchModels
from credit_scoring.batch.running import BatchRequest, prepare, run_batch
from credit_scoring.decision_log.reader import verify_log
from credit_scoring.errors import BatchError
from credit_scoring.replay.replaying import replay_log

Row = dict[str, Any]
Score = Callable[..., Any]
WHEN = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ANSWERED = ("loan_id", "pd", "score", "band", "decision", "policy_version")


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_same(answers: list[Row], rows: list[Row]) -> None:
    assert len(answers) == len(rows)
    for answer, row in zip(answers, rows, strict=True):
        assert [answer[n] for n in ANSWERED] == [row[n] for n in ANSWERED]
        model = [answer["model"][n] for n in ("version", "role", "digest")]
        assert model == [row[f"model_{n}"] for n in ("version", "role", "digest")]
        assert answer["reasons"] == [
            {n: reason[n] for n in ("code", "feature", "text", "points")}
            for reason in row["reasons"]
        ]
        assert answer["feature_source"] == row["feature_source"]


@pytest.mark.parametrize(
    ("reasons", "query"), [("given", ""), ("all", "?reasons=true")]
)
def test_decisions_are_those_of_the_service_to_the_bit(  # noqa: PLR0913, PLR0917
    reasons: str,
    query: str,
    source: Path,
    applications: list[Row],
    score: Score,
    decided: Callable[..., Any],
) -> None:
    answers = decided(*((f"/predict{query}", row) for row in applications))
    summary, rows, rejected = score(source, reasons=reasons)
    assert_same(answers, rows)
    assert {row["decision"] for row in rows} == {"approve", "refer", "decline"}
    assert not rejected
    assert summary["decided"] == summary["rows"] == len(applications)


def test_the_arms_are_those_of_the_service(
    source: Path,
    applications: list[Row],
    score: Score,
    split_models: BatchModels,
    decided: Callable[..., Any],
) -> None:
    chosen = {"routing": "split", "challenger_share": 0.5, "routing_salt": "a test"}
    patient = {"challenger_timeout_ms": 60_000}
    requests = [("/predict", row) for row in applications]
    answers = decided(*requests, **chosen, **patient)
    summary, rows, _ = score(source, models=split_models)
    assert_same(answers, rows)
    assert set(summary["roles"]) == {"champion", "challenger"}


def test_every_form_gives_the_same_decisions(
    source: Path, applications: list[Row], score: Score, tmp_path: Path
) -> None:
    table = pq.read_table(source)
    pacsv.write_csv(table, tmp_path / "accounts.csv")
    with pa.CompressedOutputStream(tmp_path / "accounts.csv.gz", "gzip") as file:
        pacsv.write_csv(table, file)
    contract_names = table.schema.names
    bank = tmp_path / "bank.parquet"
    sources = {"loan_id": "ID", "credit_limit": "LIMIT_BAL"}
    for month in range(1, 7):
        old = 0 if month == 1 else month
        sources |= {
            f"repayment_status_{month}": f"PAY_{old}",
            f"bill_amount_{month}": f"BILL_AMT{month}",
            f"payment_amount_{month}": f"PAY_AMT{month}",
        }
    renamed = table.rename_columns([sources[n] for n in contract_names])
    pq.write_table(renamed, bank)
    folder = tmp_path / "a folder"
    for place in range(3):
        part = folder / f"credit_limit=50000/part={place}" / "rows.parquet"
        part.parent.mkdir(parents=True)
        rows = table.slice(place * 40, 40).drop_columns("credit_limit")
        pq.write_table(rows, part)
    (folder / "_SUCCESS").touch()
    _, expected, _ = score(source)
    for path in (tmp_path / "accounts.csv", tmp_path / "accounts.csv.gz", bank):
        _, rows, rejected = score(path)
        assert not rejected
        assert [_without_id(row) for row in rows] == [_without_id(r) for r in expected]
    summary, rows, _ = score(folder)
    assert len(rows) == len(applications)
    assert [file["rows"] for file in summary["files"]] == [40, 40, 40]


def _without_id(row: Row) -> Row:
    return {n: v for n, v in row.items() if n not in {"decision_id", "scored_at"}}


def test_a_row_that_breaks_the_contract_is_beside_with_its_reason(
    applications: list[Row], score: Score, tmp_path: Path
) -> None:
    rows = [dict(row) for row in applications]
    rows[3]["credit_limit"] = 5.0
    rows[40]["repayment_status_2"] = 1.5
    rows[40]["loan_id"] = "not an id"
    rows[41]["bill_amount_3"] = None
    for name in [n for n in rows[42] if n not in {"loan_id", "credit_limit"}]:
        rows[42][name] = None
    rows[44]["loan_id"] = rows[43]["loan_id"]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "some.parquet")
    summary, decided, rejected = score(tmp_path / "some.parquet")
    told = [(r["row"], r["column"], r["value"], r["reason"]) for r in rejected]
    assert told == [
        (4, "credit_limit", "5.0", "is below the minimum of 1000 NT$"),
        (41, "loan_id", "not an id", told[1][3]),
        (41, "repayment_status_2", "1.5", "is not a whole number"),
        (42, "bill_amount_3", None, "is missing"),
    ]
    assert summary["rejected"] == 3
    assert summary["repeated_loan_ids"] == 1
    (without,) = [r for r in decided if r["loan_id"] == rows[42]["loan_id"]]
    assert (without["decision"], without["pd"], without["feature_source"]) == (
        "refer",
        None,
        "degraded",
    )
    assert [reason["code"] for reason in without["reasons"]] == ["HISTORY_UNAVAILABLE"]
    ids = [row["decision_id"] for row in decided]
    assert len(set(ids)) == len(ids) == len(applications) - 3
    assert all(len(one) == 32 and one[12] == "8" for one in ids)


def test_csv_rows_of_another_length_are_rejected_in_their_place(
    source: Path, score: Score, tmp_path: Path
) -> None:
    path = tmp_path / "odd.csv"
    pacsv.write_csv(pq.read_table(source), path)
    lines = path.read_text().splitlines()
    lines.insert(33, "too,short")
    lines.append("at,the,end")
    path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    summary, decided, rejected = score(path)
    assert [(r["row"], r["column"]) for r in rejected] == [
        (33, "(row)"),
        (122, "(row)"),
    ]
    assert "has 2 cell(s); expected 20" in rejected[0]["reason"]
    assert (summary["rows"], len(decided)) == (122, 120)


def test_the_log_has_what_a_replay_needs(
    source: Path,
    score: Score,
    shelf: Any,
    split_models: BatchModels,
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    for reasons in ("given", "all", "none"):
        score(
            source,
            output=tmp_path / reasons,
            reasons=reasons,
            models=split_models,
            log_folder=log,
        )
    found = replay_log(log, shelf)
    assert found.reproduced, found.as_json()
    assert found.counts.decisions == 3 * 120
    block = sorted((log / "blocks").rglob("*.parquet"))[0]
    content = bytearray(block.read_bytes())
    content[len(content) // 2] ^= 1
    block.write_bytes(content)
    (fault,) = verify_log(log).faults
    assert "was altered" in fault.problem
    block.unlink()
    (fault,) = verify_log(log).faults
    assert "is missing" in fault.problem


def test_a_killed_job_goes_on_and_ends_with_the_same_bytes(
    applications: list[Row],
    artifacts: Path,
    batch_models: BatchModels,
    tmp_path: Path,
) -> None:
    rows = [
        {**row, "loan_id": f"{row['loan_id']}-{turn}"}
        for turn in range(20)
        for row in applications
    ]
    source = tmp_path / "many.parquet"
    pq.write_table(pa.Table.from_pylist(rows), source, row_group_size=700)
    script = Path(__file__).with_name("killed_runs.py")
    killed = tmp_path / "killed"
    done = subprocess.run(
        [sys.executable, script, artifacts / "champion", source, killed, "10"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5, "hardly any kill met a job under way"
    request = BatchRequest(
        str(source),
        tmp_path / "undisturbed" / "scores",
        scored_at=WHEN,
        log_folder=tmp_path / "undisturbed" / "log",
        chunk_rows=50,
    )
    request.output.parent.mkdir()
    run_batch(prepare(request, batch_models))
    whole, other = tmp_path / "undisturbed", killed
    assert digests(whole / "scores") == digests(other / "scores")
    assert digests(whole / "log/blocks") == digests(other / "log/blocks")
    report = verify_log(other / "log")
    assert not report.faults
    assert report.decisions == len(rows)
    assert sorted(path.name for path in killed.iterdir()) == ["log", "scores"]


def test_a_full_disk_is_told_and_what_is_finished_is_kept(
    source: Path, batch_models: BatchModels, tmp_path: Path
) -> None:
    disk = tmp_path / "a small disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=100k", "tmpfs"]
    mounted = subprocess.run(["mount", *options, disk], check=False)
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        output = disk / "scores"
        request = BatchRequest(str(source), output, chunk_rows=10, threads=1)
        prepared = prepare(request, batch_models)
        with pytest.raises(BatchError, match=r"no room left.*What is finished is kept"):
            run_batch(prepared)
        assert not output.exists()
        kept = len(list((disk / ".scores.unfinished/chunks").glob("*.json")))
        assert kept > 0
        subprocess.run(["mount", "-o", "remount,size=10m", disk], check=True)
        told: list[int] = []
        summary = run_batch(prepared, told.append)
        assert summary["decided"] == 120
        assert told[0] == kept * 10
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_vanished_input_is_told_and_put_back(
    source: Path, batch_models: BatchModels, tmp_path: Path
) -> None:
    request = BatchRequest(str(source), tmp_path / "out", chunk_rows=10, threads=1)
    prepared = prepare(request, batch_models)
    source.rename(tmp_path / "elsewhere")
    with pytest.raises(BatchError, match="is not there any more"):
        run_batch(prepared)
    (tmp_path / "elsewhere").rename(source)
    assert run_batch(prepared)["decided"] == 120


def test_an_input_that_changes_is_not_mixed(
    source: Path, batch_models: BatchModels, tmp_path: Path, applications: list[Row]
) -> None:
    request = BatchRequest(str(source), tmp_path / "out", chunk_rows=10, threads=1)
    prepared = prepare(request, batch_models)

    def change(rows: int) -> None:
        pq.write_table(pa.Table.from_pylist(applications[:100]), source)

    with pytest.raises(BatchError, match=r"changed while it was read|cannot be read"):
        run_batch(prepared, change)
    with pytest.raises(BatchError, match="unfinished job of another kind"):
        run_batch(prepare(request, batch_models))
    assert not request.output.exists()


def test_a_corrupt_row_group_is_named(
    source: Path, batch_models: BatchModels, tmp_path: Path
) -> None:
    place = pq.read_metadata(source).row_group(1).column(3).data_page_offset
    whole = source.read_bytes()
    content = bytearray(whole)
    content[place : place + 40] = b"\xff" * 40
    source.write_bytes(content)
    request = BatchRequest(str(source), tmp_path / "out", chunk_rows=10, threads=1)
    with pytest.raises(BatchError, match=r"row group \d \(from row \d+\).*is kept"):
        run_batch(prepare(request, batch_models))
    assert not request.output.exists()


def test_a_finished_job_is_not_done_again_and_another_one_is_refused(
    source: Path, score: Score, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    first, _, _ = score(source, output=output)
    before = digests(output)
    again, _, _ = score(source, output=output)
    assert (first, before) == (again, digests(output))
    with pytest.raises(BatchError, match="is of something else"):
        score(source, output=output, reasons="all")
    shutil.rmtree(output)
    output.mkdir()
    with pytest.raises(BatchError, match="is of something else"):
        score(source, output=output)


def test_one_process_at_a_time_writes_an_output(
    source: Path, batch_models: BatchModels, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    prepared = prepare(BatchRequest(str(source), output), batch_models)
    with (
        state.JobFolder(output).locked(),
        pytest.raises(BatchError, match="another process"),
    ):
        run_batch(prepared)


def test_a_damaged_chunk_is_made_again(
    source: Path, batch_models: BatchModels, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    request = BatchRequest(
        str(source), output, chunk_rows=10, threads=1, scored_at=WHEN
    )
    prepared = prepare(request, batch_models)

    def stop(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(prepared, stop)
    work = state.JobFolder(output).work
    chunks = sorted((work / "output/decisions").glob("*.parquet"))
    chunks[0].write_bytes(b"half")
    (work / "chunks/000001.json").write_bytes(b"{")
    run_batch(prepared)
    run_batch(
        prepare(
            BatchRequest(str(source), tmp_path / "b", chunk_rows=10, scored_at=WHEN),
            batch_models,
        )
    )
    assert digests(output) == digests(tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.drop_columns("credit_limit"), "1 column.s. missing: credit_limit"),
        (
            lambda t: t.drop_columns([n for n in t.schema.names if n[-1].isdigit()]),
            "no column of the history",
        ),
        (lambda t: t.slice(0, 0), "no row in it"),
        (
            lambda t: t.set_column(
                1, "credit_limit", pa.array([[1]] * len(t), pa.list_(pa.int64()))
            ),
            "credit_limit is of type list.*expected numbers",
        ),
        (
            lambda t: t.set_column(1, "credit_limit", pa.array([True] * len(t))),
            "credit_limit is of type bool",
        ),
        (
            lambda t: t.append_column("loan_id", t.column("loan_id")),
            "more than once: loan_id",
        ),
    ],
)
def test_a_file_that_cannot_be_scored_is_refused_before_work(
    change: Any, match: str, source: Path, score: Score, tmp_path: Path
) -> None:
    wrong = tmp_path / "set" / "b.parquet"
    wrong.parent.mkdir()
    pq.write_table(change(pq.read_table(source)), wrong)
    with pytest.raises(BatchError, match=match):
        score(wrong.parent)
    assert not list(tmp_path.glob(".*.unfinished"))


def test_a_schema_that_changes_within_a_set_is_told_before_work(
    source: Path, score: Score, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    shutil.copy(source, folder / "a.parquet")
    table = pq.read_table(source)
    pq.write_table(
        table.rename_columns(["loan", *table.schema.names[1:]]), folder / "b.parquet"
    )
    with pytest.raises(
        BatchError,
        match=r"b\.parquet: 1 column.*missing: loan_id",
    ):
        score(folder)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.parquet", b"PAR1 and no more", "no Parquet file, or one that is cut off"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", "ID,LIMIT_BAL".encode("utf-16"), "encoded as UTF-16"),
        ("a.csv.gz", b"\x1f\x8b\x08 cut off", "no whole gzip file"),
        ("a.xlsx", b"PK", "neither Parquet nor CSV"),
    ],
)
def test_what_is_no_input_is_told(
    name: str, content: bytes, match: str, score: Score, tmp_path: Path
) -> None:
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BatchError, match=match):
        score(path)
    with pytest.raises(BatchError, match="no such file or folder"):
        score(tmp_path / "nowhere.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BatchError, match="no Parquet or CSV file in it"):
        score(tmp_path / "empty")


def test_an_empty_table_of_text_has_no_row(
    source: Path, score: Score, tmp_path: Path
) -> None:
    path = tmp_path / "none.csv"
    path.write_text(",".join(pq.read_schema(source).names) + "\n")
    with pytest.raises(BatchError, match="no row in it"):
        score(path)


def test_a_summary_says_where_all_rows_went(source: Path, score: Score) -> None:
    summary, rows, _ = score(source)
    assert sum(summary["decisions"].values()) == summary["decided"] == len(rows)
    assert summary["mean_pd"] == pytest.approx(sum(r["pd"] for r in rows) / len(rows))
    assert json.loads(json.dumps(summary)) == summary
