"""A copy of the project for pipelines, a bucket, the table of the faults tested."""

import fcntl
import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A loaded machine may take any time for an example.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

Fault = Callable[..., None]

PROJECT = Path(__file__).parents[1]
RAW = Path("data/01_raw/taiwan_credit.csv.gz")
ROWS = 6000
# What these test runs in processes of its own, or is no package of ours: tracing lines
# here would only slow down the clients.
_ELSEWHERE = frozenset({"bentos", "deployment", "production", "project"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in _ELSEWHERE:
            item.add_marker("no_cover")


@dataclass(frozen=True)
class SmallProject:
    """A project's folder, and Kedro's command in it with the environment test."""

    folder: Path

    def kedro(
        self, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `kedro ...`."""
        return self.python("-m", "kedro", *arguments, **environment)

    def python(
        self, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `python ...`; neither MLflow nor BentoML writes outside the folder."""
        inherited = {n: v for n, v in os.environ.items() if not n.startswith("COV")}
        environment = inherited | {
            **environment,
            "PYTHONPATH": str(self.folder / "src"),
            "KEDRO_ENV": "test",
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder}/mlflow.db",
            "BENTOML_HOME": str(self.folder / "bentoml"),
        }
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def copy_project(folder: Path, rows: int = ROWS) -> SmallProject:
    """Copy what a run needs, with the first rows of the data."""
    skipped = shutil.ignore_patterns(
        "releases", "models.json", "promotion_record.json", "*.egg-info", "local"
    )
    for name in ("conf", "src", "bentos"):
        shutil.copytree(PROJECT / name, folder / name, ignore=skipped)
    for name in ("pyproject.toml", "bentofile.yaml", "requirements.lock"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / RAW).parent.mkdir(parents=True)
    with gzip.open(PROJECT / RAW) as whole, gzip.open(folder / RAW, "wb") as part:
        part.writelines(line for line, _ in zip(whole, range(rows + 1), strict=False))
    return SmallProject(folder)


@pytest.fixture(scope="session")
def small_project(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> SmallProject:
    """A project after `kedro run`, made once for all workers: only to be read."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    folder = base / "a small project"
    with (base / "small_project.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            project = copy_project(folder)
            run = project.kedro("run")
            (folder / "run.txt").write_text(run.stdout + run.stderr)
            (folder / "code.txt").write_text(str(run.returncode))
    assert (folder / "code.txt").read_text() == "0", (folder / "run.txt").read_text()
    return SmallProject(folder)


@pytest.fixture
def bare_project(tmp_path: Path) -> SmallProject:
    """A copy of the project in which nothing has run yet."""
    return copy_project(tmp_path / "a bare project", rows=10)


@pytest.fixture
def own_project(small_project: SmallProject, tmp_path: Path) -> SmallProject:
    """A copy of the project after `kedro run`, for a test that runs more in it."""
    folder = tmp_path / "a project of its own"
    skipped = shutil.ignore_patterns("bentoml", "mlruns", "build")
    shutil.copytree(small_project.folder, folder, ignore=skipped)
    return SmallProject(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    mount, folder = shutil.which("mount"), tmp_path / "disk"
    folder.mkdir()
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    done = subprocess.run([mount, *options], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Fault:
    """Report a fault's outcome, for the table at the end of the run.

    ``fault(name, sent=..., failed=..., lost=..., seen=...)``: requests sent while it
    lasted and just after; those not answered with 200; those whose answer, or whose
    record of it, is nowhere; and in words what was seen.
    """

    def report(name: str, *, sent: int, failed: int, lost: int, seen: str) -> None:
        values = (name, sent, failed, lost, seen)
        request.node.user_properties.append(("fault", values))

    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the faults that were tested, with what became of the requests."""
    rows = [
        tuple(map(str, values))
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if report.when == "call"
        for name, values in report.user_properties
        if name == "fault"
    ]
    if not rows:
        return
    rows = [("fault", "sent", "failed", "lost", "seen"), *sorted(set(rows))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    terminalreporter.section("faults")
    for row in rows:
        cells = [cell.ljust(n) for cell, n in zip(row, widths, strict=True)]
        terminalreporter.write_line(f"| {' | '.join(cells)} |")


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an S3 server that the environment names, as Arrow reads it."""
    from .production.servers import s3

    with s3(tmp_path) as store:
        for variable, value in store.environment.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url)
        yield store.client()
