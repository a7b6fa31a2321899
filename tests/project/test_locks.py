"""The lock files are complete, belong together, and fit what is declared."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "bentos/requirements.lock")
PYTHONS = ("3.11", "3.12", "3.13")

# A requirement begins a line; its hashes and where it comes from are indented.
ENTRY = re.compile(r"^(?=\S)(?!#)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def entries(lock: str) -> list[str]:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    return [entry for entry in ENTRY.split(text) if entry.strip()]


def requirement(entry: str) -> Requirement:
    return Requirement(entry.splitlines()[0].rstrip("\\ "))


def pinned(lock: str, python: str) -> dict[str, str]:
    """Name -> version of what the lock installs on Linux with this Python."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "os_name": "posix",
    }
    found: dict[str, str] = {}
    for entry in entries(lock):
        wanted = requirement(entry)
        if wanted.marker is None or wanted.marker.evaluate(environment):
            name = canonicalize_name(wanted.name)
            assert name not in found, f"{name} twice on Python {python}"
            found[name] = str(wanted.specifier).removeprefix("==")
    return found


def declared() -> tuple[list[Requirement], list[Requirement]]:
    """What the service needs, and what everything needs."""
    document = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    service = [Requirement(text) for text in document["project"]["dependencies"]]
    rest = [
        Requirement(text)
        for texts in (
            *document["project"]["optional-dependencies"].values(),
            document["dependency-groups"]["dev"],
        )
        for text in texts
    ]
    return service, service + rest


@pytest.mark.parametrize("lock", LOCKS)
def test_each_requirement_is_one_version_with_hashes(lock: str) -> None:
    found = entries(lock)
    assert len(found) > 50
    for entry in found:
        assert re.fullmatch(r"==[^*,]+", str(requirement(entry).specifier)), entry[:80]
        assert HASH.search(entry), entry[:80]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_option(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert re.findall(r"(?m)^\s*-+(?!-|hash=)\S+", text) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_the_bento_is_locked_to_the_versions_it_was_tested_with(python: str) -> None:
    whole, service = pinned(LOCKS[0], python), pinned(LOCKS[1], python)
    assert service.items() <= whole.items()
    assert len(service) < len(whole)


def test_the_bento_accepts_the_same_files() -> None:
    whole, service = (
        {entry.split()[0]: set(HASH.findall(entry)) for entry in entries(lock)}
        for lock in LOCKS
    )
    for version, hashes in service.items():
        assert hashes <= whole[version], version


@pytest.mark.parametrize("python", PYTHONS)
def test_the_locks_satisfy_what_is_declared(python: str) -> None:
    service, everything = declared()
    for lock, wanted in zip(LOCKS, (everything, service), strict=True):
        versions = pinned(lock, python)
        for each in wanted:
            version = versions.get(canonicalize_name(each.name), "none")
            assert each.specifier.contains(version), f"{lock}: {each}, not {version}"
