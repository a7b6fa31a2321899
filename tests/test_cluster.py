import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from credit_scoring.cluster import ClusterParameters, connected, present, workers_of
from credit_scoring.errors import ClusterError


def test_workers_are_started_and_end_with_the_block() -> None:
    with connected(ClusterParameters(workers=1, memory_limit="1GiB")) as client:
        assert client.submit(os.getpid).result(60) != os.getpid()
        address = next(iter(present(client)))
        assert address.startswith("tcp://127.0.0.1:")
        there = ClusterParameters(address=client.scheduler.address, workers=1)
        for _ in range(2):  # used, and left as it is
            with connected(there) as other:
                assert other.submit(sum, [1, 2]).result(60) == 3
        with pytest.raises(ClusterError, match=r"1 of 2 workers came within 0.5 s"):
            workers_of(client, 2, 0.5)
    port = int(address.rpartition(":")[2])
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_nothing_of_a_cluster_outlives_a_killed_run() -> None:
    source = """
import os, time
from credit_scoring.cluster import ClusterParameters, connected
if __name__ == "__main__":
    with connected(ClusterParameters(workers=1, memory_limit="1GiB")) as client:
        there = client.run(os.getpid).values()
        print(client.run_on_scheduler(os.getpid), *there, flush=True)
        time.sleep(600)
"""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "run.py")
        script.write_text(source)
        with subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, text=True
        ) as run:
            assert run.stdout is not None
            pids = [int(pid) for pid in run.stdout.readline().split()]
            run.kill()
        assert len({*pids, run.pid}) == 3
        until = time.monotonic() + 60
        while any(map(psutil.pid_exists, pids)):
            assert time.monotonic() < until, "processes of the cluster are left"
            time.sleep(0.1)


def test_work_brings_more_workers_where_it_may() -> None:
    from distributed import get_worker

    adaptive = {"minimum": 1, "maximum": 2}
    parameters = ClusterParameters.model_validate(
        {"adaptive": adaptive, "memory_limit": "1GiB"}
    )
    assert (parameters.expected, parameters.most) == (1, 2)

    def work(number: int) -> str:
        import time

        time.sleep(0.5)
        return str(get_worker().address)

    with connected(parameters) as client:
        assert len(present(client)) == 1
        seen: set[str] = set()
        for _ in range(20):
            seen |= set(client.gather(client.map(work, range(20), pure=False)))
            if len(seen) > 1:
                break
        assert len(seen) > 1


def test_an_address_where_nobody_answers_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    nobody = ClusterParameters(address=address, patience_seconds=1)
    with (
        pytest.raises(ClusterError, match=f"{address}: no scheduler of Dask answers"),
        connected(nobody),
    ):
        pass


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"address": "here"}, "should match pattern"),
        ({"adaptive": {"minimum": 3, "maximum": 2}}, "minimum 3 is above maximum 2"),
        (
            {"address": "tcp://a:1", "adaptive": {"minimum": 1, "maximum": 2}},
            "scaled by what started it",
        ),
        ({"worker": 2}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ClusterParameters.model_validate(said)
