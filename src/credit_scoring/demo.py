"""One real application scored over HTTP by this checkout's Bento, readably.

``python -m credit_scoring.demo`` after ``kedro run``. It starts the Bento on a free
port of this machine, asks it as any client would, and stops it again.
"""

import json
import math
import shlex
import signal
import sys
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from credit_scoring.command_line import command_parser
from credit_scoring.environment import variable
from credit_scoring.errors import CreditScoringError
from credit_scoring.serve import RELEASE
from credit_scoring.serving.local_server import LocalServer
from credit_scoring.serving.local_store import local_store

Json = dict[str, Any]

APPLICATIONS = Path("data/02_intermediate/validated_applications.parquet")
SPLITS = Path("data/05_model_input/splits.parquet")
BODY = Path("data/07_model_output/demo_application.json")
LOG = Path("logs/demo_server.log")
# Apart from those that a service makes: these concern nobody.
DECISIONS = Path("logs/demo_decisions")
_STORE = "sqlite:///mlflow.db"

# Of the test rows so many are tried, in file order, to find one with reasons.
_TRIED = 200
_STYLES = {"approve": "green", "refer": "yellow", "decline": "red"}


class DemoError(CreditScoringError, RuntimeError):
    """The demo cannot go on, and says what to do."""


@dataclass(frozen=True)
class Case:
    """A real application, what the service says, and what truly happened.

    Attributes:
        application: The request's body.
        decision: The answer's body.
        bad: Whether the account defaulted in the month that followed.
    """

    application: Json
    decision: Json
    bad: bool


def main(arguments: Sequence[str] = ()) -> int:
    """Show one decision; the exit code is 0 only if there was one."""
    command_parser(
        "demo",
        does="Start the Bento that `kedro run` made on a free port of this machine, "
        "score one application that no model was trained on, show the decision, "
        "and stop. The exit code is 0 only if there was a decision.",
        example="",
    ).parse_args(arguments)
    console = Console()
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        _show(console)
    except CreditScoringError as error:
        console.print(f"[bold red]The demo stopped:[/] {error}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; the server is stopped.")
        return 128 + signal.SIGINT
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _show(console: Console) -> None:
    release = read_release(RELEASE)
    bento = release["bento"]
    server = LocalServer(bento=bento, log=LOG)
    with console.status(f"Starting {bento}") as status:

        def waiting(seconds: float) -> None:
            status.update(f"Starting {bento}, {seconds:.0f} s")

        with (
            local_store() as store,
            server.running(
                environment={**store, variable("decision_log_dir"): str(DECISIONS)},
                waiting=waiting,
            ) as url,
        ):
            status.update("Scoring a real application")
            case = find_case(url)
    BODY.parent.mkdir(parents=True, exist_ok=True)
    BODY.write_text(json.dumps(case.application, indent=1), encoding="utf-8")
    console.print(decision_panel(case, read_cut_offs(release["models"]["champion"])))
    # Lines are not wrapped, so that the commands in them can be copied.
    console.print(next_steps(bento), soft_wrap=True, highlight=False, markup=False)


def read_release(path: Path) -> Json:
    """Read what the packaging pipeline has built last.

    Raises:
        DemoError: If nothing has been built yet.
    """
    if not path.is_file():
        raise DemoError(f"{path} is not there: run `kedro run` first")
    release: Json = json.loads(path.read_bytes())
    return release


def find_case(url: str) -> Case:
    """Ask the service about real applications that no model was trained on.

    Takes the first test application that the model declines, else the first that
    is not approved, so that there are reasons to read. The same data and model
    give the same one.

    Raises:
        DemoError: If the service answers with an error, or approves of all.
    """
    schema = _get(f"{url}/docs.json")["components"]["schemas"]["Application"]
    rows = read_test_rows(schema)
    requests = [application for application, _ in rows]
    answers = _post(f"{url}/predict/batch", requests)
    chosen = choose(answers)
    application, bad = rows[chosen]
    return Case(application, _post(f"{url}/predict", application), bad)


def choose(answers: list[Json]) -> int:
    """Choose the answer that shows most: a decline by the model's own reasons.

    Raises:
        DemoError: If all are approved.
    """
    for wanted in ("decline", "refer"):
        for index, answer in enumerate(answers):
            reasons = answer.get("reasons", [])
            told = [reason for reason in reasons if reason["points"] is not None]
            if answer.get("decision") == wanted and told:
                return index
    raise DemoError(f"none of {len(answers)} test applications shows a reason")


def read_test_rows(schema: Json) -> list[tuple[Json, bool]]:
    """Read applications of the test split as requests, with what happened.

    Args:
        schema: JSON schema of a request, from the service's own document.
    """
    splits = pq.read_table(SPLITS, columns=["loan_id", "split", "bad"]).to_pylist()
    bad = {row["loan_id"]: bool(row["bad"]) for row in splits if row["split"] == "test"}
    # The example leaves the protected columns out.
    wanted = list(schema["examples"][0])
    columns = pq.read_schema(APPLICATIONS).names
    table = pq.read_table(
        APPLICATIONS, columns=[name for name in wanted if name in columns]
    )
    rows = (row for row in table.to_pylist() if row["loan_id"] in bad)
    return [
        (_request(row, wanted), bad[row["loan_id"]])
        for row, _ in zip(rows, range(_TRIED), strict=False)
    ]


def _request(row: Mapping[str, Any], names: Iterable[str]) -> Json:
    return {name: _value(row[name]) for name in names if name in row}


def _value(value: Any) -> Any:
    # Tables hold whole numbers as floats, with NaN for missing.
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    return value


def _get(url: str) -> Json:
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - ours
        document: Json = json.load(response)
        return document


def _post(url: str, value: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310 - a fixed http address
        url, json.dumps(value).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return json.load(response)
    except urllib.request.HTTPError as error:
        raise DemoError(f"{url} answered {error.code}: {error.read(2000)!r}") from None


def read_cut_offs(bento_model: str) -> str:
    """Say where the champion's policy approves and declines."""
    import bentoml

    folder = Path(bentoml.models.get(bento_model).path) / "artifact"
    policy = json.loads((folder / "policy.json").read_bytes())
    return (
        f"approved from {policy['approve_from']:g}, "
        f"declined below {policy['decline_below']:g}"
    )


def decision_panel(case: Case, cut_offs: str) -> Panel:
    """Lay a decision out for reading."""
    decision = case.decision
    table = _grid()
    style = _STYLES[decision["decision"]]
    table.add_row("application", f"{decision['loan_id']}, from the test split")
    table.add_row("decision", f"[bold {style}]{decision['decision'].upper()}[/]")
    table.add_row("score", f"{decision['score']:.1f}, band {decision['band']}")
    table.add_row("", f"[dim]points; higher is safer; {cut_offs}[/]")
    table.add_row("PD", f"{decision['pd']:.1%} probability of default")
    table.add_row("reasons", _reasons_table(decision["reasons"]))
    model = decision["model"]
    table.add_row(
        "model",
        f"{model['name']} version {model['version']}, {model['role']}, "
        f"digest {model['digest'][:12]}",
    )
    table.add_row("decided", f"{decision['scored_at']}, {decision['decision_id']}")
    truth = "It defaulted" if case.bad else "It did not default"
    table.add_row(
        "truth",
        f"{truth} the month after. One case proves nothing; the measures over the "
        "whole test split are in the reports.",
    )
    return Panel(table, title="POST /predict", border_style=style, expand=False)


def _reasons_table(reasons: list[Json]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for reason in reasons:
        points = reason["points"]
        lost = "policy" if points is None else f"{points:+.1f}"
        table.add_row(lost, f"{reason['text']} [dim]{reason['code']}[/]")
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", justify="right", no_wrap=True)
    table.add_column()
    return table


def next_steps(bento: str) -> str:
    """Say where things are and what can be done next; commands can be copied."""
    run = _beside_python()
    lines = {
        "Bento": bento,
        "reports": "data/08_reporting/",
        "experiments": f"{run}mlflow ui --backend-store-uri {_STORE}",
        "pipelines": f"{run}kedro viz run",
        "serve it": "make serve",
        "then ask": curl_line("http://127.0.0.1:3000"),
        "its API": "http://127.0.0.1:3000/",
    }
    return "\n".join(f"{name:>12}  {value}" for name, value in lines.items())


def curl_line(url: str) -> str:
    """Write the request as a command for the shell."""
    header = shlex.quote("content-type: application/json")
    return f"curl -s {url}/predict -H {header} -d @{shlex.quote(str(BODY))}"


def _beside_python() -> str:
    folder = Path(sys.executable).parent
    cwd = Path.cwd()
    shown = folder.relative_to(cwd) if folder.is_relative_to(cwd) else folder
    return shlex.quote(f"{shown}/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
