"""What the demo chooses and how it says it."""

import json
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from credit_scoring import demo
from credit_scoring.demo import Case, DemoError

Json = dict[str, Any]

SCHEMA: Json = {
    "properties": {
        "loan_id": {"type": "string"},
        "amount": {"type": "number"},
        "months": {"type": ["integer", "null"]},
        "sex": {"type": "integer"},
    },
    "examples": [{"loan_id": "1", "amount": 1.5, "months": 2}],
}


def answer(decision: str, *points: float | None) -> Json:
    reasons = [
        {"code": f"C{i}", "feature": "f", "text": f"Sentence {i}.", "points": value}
        for i, value in enumerate(points)
    ]
    return {
        "decision_id": "0" * 32,
        "loan_id": "L-1",
        "pd": 0.4567,
        "score": 455.5,
        "band": "E",
        "decision": decision,
        "reasons": reasons,
        "model": {
            "name": "credit_scoring",
            "version": "3",
            "role": "champion",
            "digest": "abcdef0123456789",
        },
        "scored_at": "2026-01-01T00:00:00Z",
    }


def test_the_first_decline_of_the_models_own_is_chosen() -> None:
    answers = [
        answer("approve"),
        answer("refer", -3.0),
        answer("decline", None),
        {"error": {"status": 400}},
        answer("decline", -9.0),
    ]
    assert demo.choose(answers) == 4


def test_a_referral_is_chosen_if_nothing_is_declined() -> None:
    assert demo.choose([answer("approve"), answer("refer", -1.0)]) == 1


def test_without_any_reason_there_is_nothing_to_show() -> None:
    with pytest.raises(DemoError, match="none of 1 test applications"):
        demo.choose([answer("approve")])


def test_test_rows_become_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (demo.APPLICATIONS, demo.SPLITS):
        path.parent.mkdir(parents=True)
    applications = {
        "loan_id": ["1", "2", "3"],
        "amount": [1.5, 2.5, 3.0],
        "months": [1.0, float("nan"), 3.0],
        "sex": [1.0, 2.0, 1.0],
    }
    pq.write_table(pa.table(applications), demo.APPLICATIONS)
    splits = {
        "loan_id": ["3", "2", "1"],
        "split": ["test", "test", "train"],
        "bad": [1, 0, 0],
    }
    pq.write_table(pa.table(splits), demo.SPLITS)
    rows = demo.read_test_rows(SCHEMA)
    assert rows == [
        ({"loan_id": "2", "amount": 2.5, "months": None}, False),
        ({"loan_id": "3", "amount": 3, "months": 3}, True),
    ]
    assert "." not in json.dumps(rows[1][0]), "whole numbers stay whole"


def rendered(value: Any) -> str:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(value)
    return captured.get()


@pytest.mark.parametrize(
    ("bad", "truth"), [(True, "It defaulted"), (False, "It did not default")]
)
def test_a_decision_is_laid_out_with_the_truth(bad: bool, truth: str) -> None:
    text = rendered(
        demo.decision_panel(
            Case({}, answer("decline", -30.25, None), bad), "approved from 520"
        )
    )
    for expected in (
        "DECLINE",
        "455.5, band E",
        "higher is safer; approved from 520",
        "45.7% probability of default",
        "-30.2  Sentence 0.",
        "policy  Sentence 1.",
        "version 3, champion",
        truth,
    ):
        assert expected in text


def test_the_curl_line_is_one_command_for_the_shell() -> None:
    words = shlex.split(demo.curl_line("http://127.0.0.1:3000"))
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:3000/predict"]
    assert words[-1] == f"@{demo.BODY}"


def test_the_next_commands_are_named() -> None:
    text = demo.next_steps("credit_scoring:abc")
    assert "credit_scoring:abc" in text
    assert "mlflow ui --backend-store-uri sqlite:///mlflow.db" in text


def test_without_a_release_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="run `kedro run` first"):
        demo.read_release(tmp_path / "none.json")


class Service(BaseHTTPRequestHandler):
    """Declines the second application of a batch, and refuses an odd one."""

    def do_GET(self) -> None:
        self.reply(200, {"components": {"schemas": {"Application": SCHEMA}}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/predict/batch":
            second = answer("decline", -5.0)
            self.reply(200, [answer("approve"), second, answer("approve")])
        elif body["loan_id"] == "odd":
            self.reply(500, {"title": "Broken"})
        else:
            self.reply(200, {**answer("decline", -5.0), "loan_id": body["loan_id"]})

    def reply(self, status: int, value: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with test rows and a release, as the current one."""
    monkeypatch.chdir(tmp_path)
    for path in (demo.APPLICATIONS, demo.SPLITS, demo.RELEASE):
        path.parent.mkdir(parents=True)
    ids = ["1", "2", "3"]
    pq.write_table(pa.table({"loan_id": ids}), demo.APPLICATIONS)
    splits = {"loan_id": ids, "split": ["test"] * 3, "bad": [0, 1, 0]}
    pq.write_table(pa.table(splits), demo.SPLITS)
    release = {"bento": "credit_scoring:abc", "models": {"champion": "m:1"}}
    demo.RELEASE.write_text(json.dumps(release))
    return tmp_path


def test_the_chosen_application_is_asked_alone(project: Path, url: str) -> None:
    case = demo.find_case(url)
    assert case.application == {"loan_id": "2"}
    assert case.decision["loan_id"] == "2"
    assert case.bad is True


def test_an_error_of_the_service_ends_the_demo(url: str) -> None:
    with pytest.raises(DemoError, match=r"answered 500.*Broken"):
        demo._post(f"{url}/predict", {"loan_id": "odd"})


class Running:
    """Stands in for the server: it runs at a fixed address, or fails."""

    def __init__(self, url: str, error: BaseException | None = None) -> None:
        self._url = url
        self._error = error

    def __call__(self, **given: Any) -> Self:
        return self

    @contextmanager
    def running(
        self, *, environment: Mapping[str, str], waiting: Callable[[float], None]
    ) -> Iterator[str]:
        assert "CREDIT_SCORING_DECISION_LOG_DIR" in environment
        waiting(0.5)
        if self._error is not None:
            raise self._error
        yield self._url


def test_the_demo_ends_well(
    project: Path,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(demo, "LocalServer", Running(url))
    monkeypatch.setattr(demo, "read_cut_offs", lambda tag: f"cut-offs of {tag}")
    assert demo.main() == 0
    shown = capsys.readouterr().out
    assert "cut-offs of m:1" in shown
    assert json.loads((project / demo.BODY).read_bytes()) == {"loan_id": "2"}


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (DemoError("no such thing"), (1, "The demo stopped: no such thing")),
        (KeyboardInterrupt(), (130, "Interrupted")),
    ],
)
def test_the_demo_ends_badly_with_a_word(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    ending: tuple[int, str],
) -> None:
    code, said = ending
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(demo, "LocalServer", Running("", error))
    assert demo.main() == code
    assert said in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is before
