import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from distributed import Client
from distributed.scheduler import KilledWorker

from credit_scoring.batch import clustered
from credit_scoring.batch.clustered import PackedModel, on_cluster, parts_of
from credit_scoring.batch.models import BatchModels
from credit_scoring.batch.running import BatchRequest, prepare, run_batch
from credit_scoring.cluster import ClusterParameters, connected
from credit_scoring.errors import ArtifactError, BatchError

PARAMETERS = ClusterParameters(workers=2, memory_limit="2GiB")
AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
CHUNK_ROWS = 20


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with connected(PARAMETERS) as found:
        yield found


@pytest.fixture
def ask(source: Path, tmp_path: Path) -> Callable[..., BatchRequest]:
    def request(name: str, path: Path = source) -> BatchRequest:
        return BatchRequest(
            str(path),
            tmp_path / name,
            scored_at=AT,
            log_folder=tmp_path / f"log of {name}",
            chunk_rows=CHUNK_ROWS,
        )

    return request


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(
    request: BatchRequest,
    models: BatchModels,
    client: Client | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> dict[str, str]:
    elsewhere = None if client is None else on_cluster(client, PARAMETERS)
    run_batch(prepare(request, models), progress, elsewhere)
    return digests(request.output)


@pytest.mark.parametrize("routing", ["champion", "split"])
def test_a_cluster_writes_the_bytes_of_one_machine(
    routing: str,
    client: Client,
    ask: Callable[..., BatchRequest],
    batch_models: BatchModels,
    split_models: BatchModels,
) -> None:
    models = batch_models if routing == "champion" else split_models
    here = run(ask("here"), models)
    there = run(ask("there"), models, client)
    assert len(here) > 5
    assert there == here
    blocks = [digests(ask(name).log_folder / "blocks") for name in ("here", "there")]
    assert blocks[0]
    assert blocks[0] == blocks[1]


def test_rows_of_csv_files_travel_to_the_workers(
    client: Client,
    ask: Callable[..., BatchRequest],
    batch_models: BatchModels,
    source: Path,
    tmp_path: Path,
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    table = pq.read_table(source)
    pa.csv.write_csv(table.slice(0, 70), mixed / "a.csv")
    pq.write_table(table.slice(70), mixed / "b.parquet")
    here = run(ask("here", mixed), batch_models)
    assert run(ask("there", mixed), batch_models, client) == here


def test_a_killed_worker_costs_time_alone(
    client: Client, ask: Callable[..., BatchRequest], batch_models: BatchModels
) -> None:
    here = run(ask("here"), batch_models)
    before = client.run(os.getpid)
    killed: list[int] = []

    def kill_one(rows: int) -> None:
        if not killed:
            killed.append(next(iter(before.values())))
            os.kill(killed[0], signal.SIGKILL)

    assert run(ask("there"), batch_models, client, kill_one) == here
    assert killed
    client.wait_for_workers(2, timeout=60)
    assert killed[0] not in client.run(os.getpid).values()


def test_one_machine_goes_on_with_what_a_cluster_began(
    client: Client, ask: Callable[..., BatchRequest], batch_models: BatchModels
) -> None:
    class LostError(Exception):
        pass

    def stop(rows: int) -> None:
        raise LostError

    request = ask("begun")
    with pytest.raises(LostError):
        run(request, batch_models, client, stop)
    told: list[int] = []
    here = run(ask("here"), batch_models)
    assert run(request, batch_models, None, told.append) == here
    # What was finished is told at once, and not done again.
    assert told[0] >= CHUNK_ROWS


def test_a_lost_scheduler_ends_a_job_which_then_goes_on(
    ask: Callable[..., BatchRequest], batch_models: BatchModels
) -> None:
    killed: list[int] = []
    request = ask("begun")
    with connected(PARAMETERS) as client:
        pid = client.run_on_scheduler(os.getpid)

        def kill(rows: int) -> None:
            if not killed:
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(BatchError, match="scheduler was lost"):
            run(request, batch_models, client, kill)
    assert killed
    told: list[int] = []
    here = run(ask("here"), batch_models)
    assert run(request, batch_models, None, told.append) == here
    assert told[0] >= CHUNK_ROWS


def test_parts_hold_every_chunk_that_is_not_done_once(
    ask: Callable[..., BatchRequest], batch_models: BatchModels
) -> None:
    prepared = prepare(ask("parts"), batch_models)
    rows = prepared.rows or 0
    count = -(-rows // CHUNK_ROWS)
    parts = list(parts_of(prepared, frozenset({0, 3}), 1))
    assert len(parts) >= 4
    found = [part.first + number for part in parts for number in part.wanted]
    assert found == sorted(set(range(count)) - {0, 3})
    columns = list(prepared.checks[0].sources)
    chunks = [chunk for part in parts for chunk in part.read(columns)]
    assert [chunk.number for chunk in chunks] == found
    assert chunks[0].first_row == CHUNK_ROWS + 1


def test_a_model_that_changes_on_its_way_is_refused(batch_models: BatchModels) -> None:
    packed = PackedModel.of(batch_models.champion)
    model, contract = packed.load()
    assert model.digest == batch_models.champion.digest
    assert contract.digest == batch_models.contract.digest
    name = next(n for n in packed.files if n.startswith("model/"))
    changed = {**packed.files, name: packed.files[name][:-1] + b"?"}
    with pytest.raises(ArtifactError, match=name):
        PackedModel("champion", "credit_scoring", "1", changed).load()


def test_rows_that_kill_each_worker_are_given_up(
    client: Client,
    ask: Callable[..., BatchRequest],
    batch_models: BatchModels,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(*arguments: Any) -> Iterator[None]:
        raise KilledWorker("decide_part", None, 3)
        yield

    monkeypatch.setattr(clustered, "_gathered", lost)
    with pytest.raises(BatchError, match="3 workers in a row were lost over the same"):
        run(ask("lost"), batch_models, client)
