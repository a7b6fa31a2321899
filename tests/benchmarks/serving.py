"""The service beside its peers: requests a second, latency, processor, memory.

Run it after `kedro run`, from the project:

    make bench-serving                    # python tests/benchmarks/serving.py
    make bench-serving SECONDS=1 ROUNDS=1 # a minute instead of nine
    make bench-docs                       # and the tables of the documentation

Every server is started alone, pinned to the first core, with one worker; their
answers are compared; then rounds of load alternate between them from a client on
the last core. Tables are printed, and written with all figures and a plot to
data/08_reporting/benchmarks/. With --markdown the tables and the plot of
docs/reference/performance.md are made anew.
"""

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import bentoml
import msgspec
import numpy as np
import psutil
import pyarrow.parquet as pq
from peer_servers import CLIENT_CORE, PROJECT, Peer, Running, all_peers, running
from serving_report import Measurement, Report, write_report

from credit_scoring.contract.model import Contract, Role
from credit_scoring.serving.models import model_folder

HERE = Path(__file__).parent
RELEASE = PROJECT / "bentos/releases/current.json"
ROWS = PROJECT / "data/02_intermediate/validated_applications.parquet"
CONNECTIONS = (1, 16, 64)
N_APPLICATIONS = 3000
N_COMPARED = 200

Json = dict[str, Any]


def main() -> int:
    """Measure, print and write."""
    options = _options()
    release = json.loads(RELEASE.read_bytes())
    champion = release["versions"]["champion"]
    folder = model_folder(bentoml.models.get(champion["model"])).folder
    applications = read_applications(folder)
    bento = options.bento or release["bento"]
    peers = _chosen(options, bento, champion["version"])
    # Servers keep their compiled modules, as they do where they are installed.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        os.environ |= {
            "BENCH_ARTIFACT": str(folder),
            "BENCH_LOG": str(Path(place) / "decisions.log"),
            "CREDIT_SCORING_DECISION_LOG_DIR": str(Path(place) / "decision_log"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{PROJECT / 'mlflow.db'}",
        }
        report = measure(peers, applications, Path(place), options)
    write_report(report, PROJECT, markdown=options.markdown)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="length of each load in a round"
    )
    parser.add_argument("--only", nargs="*", help="names of servers")
    parser.add_argument("--bento", help="tag of another Bento of the same models")
    parser.add_argument(
        "--markdown", action="store_true", help="renew the documentation's figures"
    )
    return parser.parse_args()


def _chosen(options: argparse.Namespace, bento: str, version: int) -> list[Peer]:
    peers = all_peers(bento, f"models:/credit_scoring/{version}")
    return [p for p in peers if not options.only or p.name in options.only]


def read_applications(artifact: Path) -> list[Json]:
    """Take applications evenly from the shipped data, as requests."""
    contract = Contract.model_validate_json((artifact / "contract.json").read_bytes())
    names = contract.names(Role.ID, Role.APPLICATION, Role.HISTORY)
    rows = pq.read_table(ROWS, columns=list(names)).to_pylist()
    taken = rows[:: max(1, len(rows) // N_APPLICATIONS)][:N_APPLICATIONS]
    # The data are sorted by nothing, but neighbours should not be alike either.
    np.random.default_rng(5).shuffle(taken)  # type: ignore[arg-type]
    return [{name: _plain(value) for name, value in row.items()} for row in taken]


def _plain(value: object) -> object:
    if isinstance(value, float):
        return None if math.isnan(value) else int(value)
    return value


def measure(
    peers: list[Peer], applications: list[Json], place: Path, options: Any
) -> Report:
    """Start all servers, compare their answers, load them in turns."""
    psutil.Process().cpu_affinity([CLIENT_CORE])
    found: list[Measurement] = []
    before = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        servers: list[Running] = []
        for peer in peers:
            log = place / f"{peer.name}.log"
            server = stack.enter_context(running(peer, log, applications[0]))
            servers.append(server)
            _say(f"{peer.name}: first answer after {server.start_seconds:.1f} s")
            _write_requests(server, applications, place)
        compared = compare_answers(servers, applications)
        _say(f"answers to {compared} applications are equal")
        for number in range(options.rounds):
            for connections in CONNECTIONS:
                for server in servers:
                    found.append(load(server, connections, options.seconds, place))
            _say(f"round {number + 1} of {options.rounds}")
        return Report(
            titles={peer.name: peer.title for peer in peers},
            rounds=tuple(found),
            start_seconds={s.peer.name: s.start_seconds for s in servers},
            worker_mb={s.peer.name: s.worker_mb() for s in servers},
            load_before=before,
        )


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - progress of a command


def _write_requests(server: Running, applications: list[Json], place: Path) -> None:
    requests = [server.peer.request(application) for application in applications]
    packed = msgspec.msgpack.encode(requests)
    (place / f"{server.peer.name}.requests").write_bytes(packed)


def compare_answers(servers: list[Running], applications: list[Json]) -> int:
    """Ask every server about the same applications, and compare.

    Returns:
        Number of applications.

    Raises:
        RuntimeError: If PD, score or decision differ between two servers.
    """
    scoring = [server for server in servers if server.peer.answer is not None]
    for application in applications[:N_COMPARED]:
        answers = {s.peer.name: s.peer.answer(s.ask(application)) for s in scoring}  # type: ignore[misc]
        first = answers[scoring[0].peer.name] if scoring else {}
        for name, answer in answers.items():
            if not _same(first, answer):
                raise RuntimeError(
                    f"{name} differs from {scoring[0].peer.name}: "
                    f"{ {k: answer.get(k) for k in ('pd', 'score', 'decision')} }"
                )
    return min(N_COMPARED, len(applications))


def _same(first: Json, other: Json) -> bool:
    close = math.isclose(first["pd"], other["pd"], rel_tol=1e-9)
    decision = other.get("decision", first["decision"])
    return (
        close
        and math.isclose(first["score"], other["score"], abs_tol=0.051)
        and decision == first["decision"]
    )


def load(server: Running, connections: int, seconds: float, place: Path) -> Measurement:
    """Load one server for a while, from a process on the client's core."""
    command = [
        *(sys.executable, str(HERE / "load_client.py"), str(server.port)),
        *(str(place / f"{server.peer.name}.requests"), str(connections), str(seconds)),
    ]
    before = server.cpu_seconds()
    done = subprocess.run(command, check=True, capture_output=True, timeout=300)
    used = server.cpu_seconds() - before
    found = json.loads(done.stdout)
    return Measurement(
        server=server.peer.name,
        connections=connections,
        requests=found["requests"],
        errors=found["errors"],
        seconds=found["seconds"],
        cpu_us=1e6 * used / max(1, found["with_warm_up"]),
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
    )


if __name__ == "__main__":
    sys.exit(main())
