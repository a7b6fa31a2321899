"""The table of faults at the end of a run, and the one in the documentation."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reference" / "faults.md"
NAME = re.compile(r'fault\(\s*f?"([^"]+)"|told\(fault, "([^"]+)"')

SAMPLE = """
import pytest

@pytest.mark.parametrize("n", [2, 1])
def test_one(fault, n):
    fault(f"disk {n}", sent=10 * n, failed=n, lost=0, seen="refused")

def test_another(fault):
    fault("a fault that fails its test", sent=1, failed=0, lost=1, seen="gone")
    assert False

def test_without_a_fault():
    pass
"""

pytest_plugins = ("pytester",)


def test_each_fault_has_its_line(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((TESTS / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(SAMPLE)
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    lines = [line for line in result.outlines if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["fault", "sent", "failed", "lost", "seen"]
    assert cells[2:] == [
        ["a fault that fails its test", "1", "0", "1", "gone"],
        ["disk 1", "10", "1", "0", "refused"],
        ["disk 2", "20", "2", "0", "refused"],
    ]


def test_a_run_without_faults_has_no_table(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((TESTS / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile("def test_one():\n    pass\n")
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    assert "fault" not in result.stdout.str()


def test_the_documentation_has_every_fault_that_is_tested() -> None:
    text = PAGE.read_text(encoding="utf-8")
    documented = {
        line.split("|")[1].strip() for line in text.splitlines() if "|" in line
    }
    tested = {
        first or second
        for folder in ("serving", "bentos")
        for path in sorted((TESTS / folder).glob("test_*.py"))
        for first, second in NAME.findall(path.read_text(encoding="utf-8"))
    }
    assert len(tested) > 8
    for name in tested:
        # What a test fills in may be anything.
        form = re.sub(r"\\\{.*?\\\}", ".+", re.escape(name))
        assert any(re.fullmatch(form + ".*", one) for one in documented), name
