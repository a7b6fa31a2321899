"""Known flaws are found without a network, and what was not looked up is not clean."""

import json
import runpy
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "deployment" / "image"
HASHES = (
    "89aab215427ef59c34ad58735269eb58b1a5808103067f7bb9d5836c651b3bb0",
    "f0a4641d3cf955324a89c04f3d94663aa4d638abe8f733ecd3582848e1c37035",
)


def advisory(days_old: float = 1, **changes: Any) -> dict[str, Any]:
    """What OSV says of a real flaw of Jinja2 (CVE-2020-28493)."""
    changed = datetime.now(UTC) - timedelta(days=days_old)
    ranges = [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.11.3"}]}
    ]
    package = {"ecosystem": "PyPI", "name": "jinja2", "purl": "pkg:pypi/jinja2"}
    return {
        "id": "PYSEC-2021-66",
        "modified": f"{changed:%Y-%m-%dT%H:%M:%SZ}",
        "aliases": ["CVE-2020-28493", "GHSA-g3rq-g295-4j3m"],
        "details": "The urlize filter's regular expression may take very long.",
        "affected": [{"package": package, "ranges": ranges, "versions": ["2.11.2"]}],
        **changes,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "advisories"
    folder.mkdir()
    (folder / "PYSEC-2021-66.json").write_text(json.dumps(advisory()))
    return folder


def lock(tmp_path: Path, version: str) -> Path:
    path = tmp_path / f"{version}.lock"
    hashes = " \\\n".join(f"    --hash=sha256:{one}" for one in HASHES)
    path.write_text(f"jinja2=={version} \\\n{hashes}\n")
    return path


def audit(*words: str | Path) -> tuple[int, str]:
    command = [sys.executable, SCRIPTS / "audit.py", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_flawed_pin_is_found_without_a_network(tmp_path: Path, folder: Path) -> None:
    flawed, mended = lock(tmp_path, "2.11.2"), lock(tmp_path, "2.11.3")
    assert audit(mended, "--advisories", folder)[0] == 0
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(folder / "PYSEC-2021-66.json", "PYSEC-2021-66.json")
    for place in (folder, tmp_path / "all.zip"):
        code, said = audit(mended, flawed, "--advisories", place)
        assert code == 1
        assert "jinja2 2.11.2: PYSEC-2021-66" in said
        assert "2.11.3.lock: no known flaw" in said


def test_advisories_that_say_nothing_are_not_believed(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "no.zip").write_text("no archive")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.json").write_text(json.dumps(advisory(days_old=31)))
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "a.json").write_text(json.dumps({"id": "PYSEC-1"}))
    pin = lock(tmp_path, "2.11.3")
    for name, why in (
        ("none", "holds no advisory of a package of PyPI"),
        ("no.zip", "cannot be read"),
        ("nowhere", "cannot be read"),
        ("old", "more than 30 days ago"),
        ("odd", "a.json is no advisory of OSV"),
    ):
        code, said = audit(pin, "--advisories", tmp_path / name)
        assert code == 2, name
        assert why in said


def test_a_service_that_does_not_answer_is_no_answer(tmp_path: Path) -> None:
    # Nobody listens there.
    code, _ = audit(lock(tmp_path, "2.11.3"), "--osv-url", "http://127.0.0.1:9/query")
    assert code == 2


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        ([{"introduced": "0"}], ["1.0", "2.0", "3.0"]),
        ([{"introduced": "2"}], ["2.0", "3.0"]),
        ([{"fixed": "2.0"}, {"introduced": "0"}], ["1.0"]),
        ([{"introduced": "1.5"}, {"last_affected": "2.0"}], ["2.0"]),
        (
            [{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "3"}],
            ["3.0"],
        ),
        # What cannot be compared is not clean.
        ([{"introduced": "0"}, {"fixed": "no version"}], ["1.0", "2.0", "3.0"]),
    ],
)
def test_ranges_are_read_as_the_schema_says(
    events: list[dict[str, str]], affected: list[str]
) -> None:
    find = runpy.run_path(str(SCRIPTS / "advisories.py"))["advisories_of"]
    package = {"ecosystem": "PyPI", "name": "A.Package"}
    ranges = [{"type": "ECOSYSTEM", "events": events}, {"type": "GIT", "events": []}]
    known = {"a-package": [{"affected": [{"package": package, "ranges": ranges}]}]}
    found = [v for v in ("1.0", "2.0", "3.0") if find(known, "a_package", v)]
    assert found == affected
    assert find(known, "another", "1.0") == []


def test_what_was_not_audited_is_not_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPTS)
    judge = runpy.run_path(str(SCRIPTS / "audit.py"))["verdict"]
    clean = {"name": "a", "version": "1", "vulns": []}
    flawed = {**clean, "vulns": [{"id": "PYSEC-1"}]}
    skipped = {"name": "b", "skip_reason": "not found"}
    assert judge({"dependencies": [clean]}) == (0, [])
    assert judge({"dependencies": [clean, flawed]}) == (1, ["a 1: PYSEC-1"])
    assert judge({"dependencies": [clean, skipped]}) == (
        2,
        ["1 of 2 were not audited; the first is b: not found"],
    )
    assert judge({"dependencies": []})[0] == 2
