"""What the champion's applicants notice of a challenger that breaks.

``python tests/benchmarks/challenger_faults.py`` after ``kedro run``. It serves the
models made here in a Bento whose challenger can be broken while it runs, once in the
worker and once in services of their own, in split (half and half) and in shadow. Rounds
with a healthy, a raising, a hanging and a crashing challenger take turns. For each it
prints requests, failures, and the p99 of the applicants on the champion's arm, beside
that of the healthy rounds: the bar is 1.5 times.

What crashes takes its process with it, so it is tried in a service of its own only.
``--rounds N`` and ``--seconds S`` say how long; ``--connections N`` how many at a time.
"""

import argparse
import importlib.util
import json
import select
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from credit_scoring.decision.routing import Split
from credit_scoring.serving.local_server import HOST, LocalServer

PROJECT = Path(__file__).parents[2]
ROWS = PROJECT / "data/02_intermediate/validated_applications.parquet"
SUPPORT = PROJECT / "tests/bentos/faulty_challenger.py"
SALT, SHARE = "benchmark", 0.5
BAR = 1.5
WARM_UP_SECONDS = 0.5
END = b"\r\n\r\n"


def applications() -> list[tuple[str, bytes]]:
    """The arm of each applicant, and the request."""
    rows = pq.read_table(ROWS).slice(0, 2000).to_pylist()
    wanted = ("loan_id", "credit_limit", "repayment", "bill", "payment")
    bodies = [
        {name: value for name, value in row.items() if name.startswith(wanted)}
        for row in rows
    ]
    arms = Split(share=SHARE, salt=SALT).arms([body["loan_id"] for body in bodies])
    return [(arm, request(body)) for arm, body in zip(arms, bodies, strict=True)]


def request(body: dict[str, Any]) -> bytes:
    text = json.dumps(body).encode()
    head = (
        "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def load(
    port: int, asked: list[tuple[str, bytes]], connections: int, seconds: float
) -> tuple[list[float], int, int]:
    """Ask for a while.

    Returns:
        Seconds of each answer on the champion's arm; requests sent on both arms;
        those not answered with 200.
    """
    poll = select.epoll()
    open_ = {}
    for _ in range(connections):
        made = socket.create_connection((HOST, port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_[made.fileno()] = made
        poll.register(made, select.EPOLLIN)
    state: dict[int, tuple[str, float]] = {}
    taken: list[float] = []
    number = failed = 0

    def send(place: int) -> None:
        nonlocal number
        arm, text = asked[number % len(asked)]
        number += 1
        state[place] = (arm, time.perf_counter())
        open_[place].sendall(text)

    for place in open_:
        send(place)
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for place, _ in poll.poll(end - now):
            answer = received(open_[place])
            arm, started = state[place]
            if arm == "champion":
                taken.append(time.perf_counter() - started)
            failed += not answer.startswith(b"HTTP/1.1 200 ")
            send(place)
    for connection in open_.values():
        connection.close()
    return taken, number, failed


def received(connection: socket.socket) -> bytes:
    """Read one whole answer."""
    data = b""
    while END not in data:
        data += connection.recv(65536) or END
    head, _, body = data.partition(END)
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head


def p99_ms(taken: list[float]) -> float:
    return 1000 * sorted(taken)[int(0.99 * len(taken))]


def measure(
    bento: str, runners: str, routing: str, options: argparse.Namespace
) -> Iterator[tuple[str, ...]]:
    """Give a line for each state of the challenger."""
    states = ["none", "raises", "hangs"] + ["crashes"] * (runners == "apart")
    asked = applications()
    p99: dict[str, list[float]] = {state: [] for state in states}
    sent, failed = dict.fromkeys(states, 0), dict.fromkeys(states, 0)
    with tempfile.TemporaryDirectory() as place:
        fault = Path(place, "fault")
        fault.write_text("none")
        environment = {
            "CHALLENGER_FAULT": str(fault),
            "CREDIT_SCORING_RUNNERS": runners,
            "CREDIT_SCORING_ROUTING": routing,
            "CREDIT_SCORING_CHALLENGER_SHARE": str(SHARE),
            "CREDIT_SCORING_ROUTING_SALT": SALT,
            "CREDIT_SCORING_DECISION_LOG_DIR": f"{place}/decisions",
        }
        server = LocalServer(bento, Path(place, "log"))
        with server.running(environment=environment) as url:
            port = int(url.rsplit(":", 1)[1])
            for _ in range(options.rounds):
                for state in states:
                    fault.write_text(state)
                    load(port, asked, options.connections, WARM_UP_SECONDS)
                    found = load(port, asked, options.connections, options.seconds)
                    p99[state].append(p99_ms(found[0]))
                    sent[state] += found[1]
                    failed[state] += found[2]
                fault.write_text("none")
                # After a crash the supervisor starts its service again.
                time.sleep(15 if runners == "apart" else 0.5)
    for state in states:
        ratios = [a / b for a, b in zip(p99[state], p99["none"], strict=True)]
        yield (
            runners,
            routing,
            "healthy" if state == "none" else state,
            str(sent[state]),
            str(failed[state]),
            f"{statistics.median(p99[state]):.1f}",
            f"{statistics.median(ratios):.2f}",
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("faulty_challenger", SUPPORT)
    assert spec is not None
    assert spec.loader is not None
    support = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(support)
    head = ("runners", "routing", "challenger", "sent", "failed", "p99 ms", "ratio")
    lines = [head]
    with tempfile.TemporaryDirectory() as place:
        bento = support.faulty_bento(PROJECT, Path(place, "project"))
        for runners in ("in_process", "apart"):
            for routing in ("split", "shadow"):
                lines += measure(bento, runners, routing, options)
    for line in lines:
        sys.stdout.write("".join(f"{cell:>12}" for cell in line) + "\n")
    worst = max(float(line[-1]) for line in lines[1:])
    sys.stdout.write(f"worst ratio {worst:.2f}; the bar is {BAR}\n")
    return worst > BAR or any(line[4] != "0" for line in lines[1:])


if __name__ == "__main__":
    sys.exit(main())
