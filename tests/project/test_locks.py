"""The lock files are complete, belong together, and fit what is declared."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
WHOLE = "requirements.lock"
SERVICE = "bentos/requirements.lock"
TRAINING = "deployment/image/requirements.lock"
LOCKS = (WHOLE, SERVICE, TRAINING)
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


def declared() -> dict[str, list[Requirement]]:
    """What each lock is made of: all, what the service needs, all but the tools."""
    document = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    service = [Requirement(text) for text in document["project"]["dependencies"]]
    extras = [
        Requirement(text)
        for texts in document["project"]["optional-dependencies"].values()
        for text in texts
    ]
    tools = [Requirement(text) for text in document["dependency-groups"]["dev"]]
    return {
        WHOLE: service + extras + tools,
        SERVICE: service,
        TRAINING: service + extras,
    }


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
@pytest.mark.parametrize("lock", [SERVICE, TRAINING])
def test_what_is_shipped_is_locked_to_the_versions_it_was_tested_with(
    lock: str, python: str
) -> None:
    whole, part = pinned(WHOLE, python), pinned(lock, python)
    assert part.items() <= whole.items()
    assert len(part) < len(whole)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_training_image_decides_with_the_services_versions(python: str) -> None:
    assert pinned(SERVICE, python).items() <= pinned(TRAINING, python).items()


@pytest.mark.parametrize("lock", [SERVICE, TRAINING])
def test_what_is_shipped_accepts_the_same_files(lock: str) -> None:
    whole, part = (
        {entry.split()[0]: set(HASH.findall(entry)) for entry in entries(one)}
        for one in (WHOLE, lock)
    )
    for version, hashes in part.items():
        assert hashes <= whole[version], version


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_what_is_declared(lock: str, python: str) -> None:
    versions = pinned(lock, python)
    for each in declared()[lock]:
        version = versions.get(canonicalize_name(each.name), "none")
        assert each.specifier.contains(version), f"{lock}: {each}, not {version}"


@pytest.mark.parametrize("python", PYTHONS)
def test_no_tool_of_development_is_in_the_training_image(python: str) -> None:
    tools = {"pytest", "mypy", "ruff"}
    assert tools <= pinned(WHOLE, python).keys()
    assert not tools & pinned(TRAINING, python).keys()
