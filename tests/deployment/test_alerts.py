"""Alerts: valid, tested, explained, and asking for metrics that exist."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import FOREIGN, PROJECT, PROMETHEUS, Rule, metrics_in, program

ALERTMANAGER = PROJECT / "deployment" / "alertmanager"
RUNBOOK = PROJECT / "docs" / "reference" / "runbook.md"
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
QUESTIONS = ("**For applicants:**", "**Look at:**", "**Do:**")


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **variables},
    )


def succeeds(*command: str | Path, **variables: str) -> str:
    done = run(*command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_valid() -> None:
    promtool = program("promtool")
    files = sorted((PROMETHEUS / "rules").glob("*.yml"))
    succeeds(promtool, "check", "rules", "--lint-fatal", *files)


def test_the_configuration_of_prometheus_is_valid() -> None:
    out = succeeds(
        program("promtool"), "check", "config", PROMETHEUS / "prometheus.yml"
    )
    assert f"{len(list((PROMETHEUS / 'rules').glob('*.yml')))} rule files found" in out


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_only_then(file: Path) -> None:
    succeeds(program("promtool"), "test", "rules", file)


def test_each_alert_is_tested_both_firing_and_not(alerts: list[Rule]) -> None:
    firing, silent = set(), set()
    for file in UNIT_TESTS:
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for check in case["alert_rule_test"]:
                (firing if check["exp_alerts"] else silent).add(check["alertname"])
    names = {alert["alert"] for alert in alerts}
    assert len(names) > 25
    assert firing == names
    assert silent == names - {"Watchdog"}  # which fires always


def test_each_alert_has_a_severity_a_summary_and_a_runbook(alerts: list[Rule]) -> None:
    for alert in alerts:
        name = alert["alert"]
        assert alert["labels"]["severity"] in {"critical", "warning", "none"}, name
        assert alert["annotations"]["summary"], name
        anchor = f"docs/reference/runbook.md#{name.lower()}"
        assert alert["annotations"]["runbook"] == anchor


def test_the_runbook_has_a_paragraph_for_each_alert(alerts: list[Rule]) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^#|\Z)", text, re.M | re.S))
    assert sorted(sections) == sorted(alert["alert"] for alert in alerts)
    lacking = [
        f"{name}: {question}"
        for name, paragraph in sections.items()
        for question in QUESTIONS
        if not re.search(
            re.escape(question) + r" (?!\*\*).{15}", " ".join(paragraph.split())
        )
    ]
    assert not lacking


def test_rules_ask_for_metrics_that_exist(rules: list[Rule], known: set[str]) -> None:
    asked = {name for rule in rules for name in metrics_in(str(rule["expr"]))}
    assert len(asked) > 30
    assert not {name for name in asked - known if not FOREIGN.fullmatch(name)}


def test_no_metric_is_both_documented_and_awaited(
    documented: set[str], awaited: dict[str, Rule]
) -> None:
    both = sorted(documented & set(awaited))
    assert not both, f"take {both} off deployment/prometheus/awaited_metrics.yml"


@pytest.mark.parametrize(
    ("query", "metrics"),
    [
        ('sum by (job) (rate(credit_scoring_a_total{b="up"}[5m]))', "a_total"),
        ("credit_scoring_a / on (credit_scoring_b) up", "a up"),
    ],
)
def test_metrics_of_a_query_are_found(query: str, metrics: str) -> None:
    names = {n if n == "up" else f"credit_scoring_{n}" for n in metrics.split()}
    assert metrics_in(query) == names


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Alertmanager's configuration as it is started with."""
    path = tmp_path / "a folder" / "alertmanager.yml"
    path.parent.mkdir()
    file = tmp_path / "address"
    file.write_text("http://127.0.0.1:9/a|b&c/\n", encoding="utf-8")
    program("alertmanager", "prometheus-alertmanager")
    start(path, ALERT_WEBHOOK_URL_FILE=str(file))
    return path


def start(written: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    configuration = ALERTMANAGER / "alertmanager.yml"
    return run(
        ALERTMANAGER / "start.sh", configuration, written, "--version", **variables
    )


def test_alertmanager_is_configured_with_the_receivers_address(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    for severity in ("critical", "warning", "watchdog"):
        assert f"url: http://127.0.0.1:9/a|b&c/{severity}\n" in text
    assert written.stat().st_mode & 0o077 == 0
    succeeds(program("amtool"), "check-config", written)


@pytest.mark.parametrize("address", ["", "ftp://receiver", "http://"])
def test_alertmanager_does_not_start_without_an_address(
    tmp_path: Path, address: str
) -> None:
    done = start(tmp_path / "alertmanager.yml", ALERT_WEBHOOK_URL=address)
    assert done.returncode == 1
    assert "ALERT_WEBHOOK_URL" in done.stderr
    assert not (tmp_path / "alertmanager.yml").exists()


def test_each_severity_has_a_receiver_of_its_own(
    alerts: list[Rule], written: Path
) -> None:
    amtool = program("amtool")
    for labels, receiver in (
        (("alertname=CreditScoringDown", "severity=critical"), "critical"),
        (("alertname=CreditScoringScoreDrift", "severity=warning"), "warning"),
        (("alertname=Watchdog", "severity=none"), "watchdog"),
    ):
        where = f"--config.file={written}"
        out = succeeds(amtool, "config", "routes", "test", where, *labels)
        assert out.strip() == receiver
    severities = {alert["labels"]["severity"] for alert in alerts}
    assert severities == {"critical", "warning", "none"}


def test_inhibitions_name_alerts_that_exist(alerts: list[Rule]) -> None:
    file = ALERTMANAGER / "alertmanager.yml"
    configuration: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    names = {alert["alert"] for alert in alerts}
    for rule in configuration["inhibit_rules"]:
        for side in ("source_matchers", "target_matchers"):
            for name, operator, value in (m.split(maxsplit=2) for m in rule[side]):
                assert name == "alertname"
                found = [n for n in names if re.fullmatch(value.strip('"'), n)]
                expected = value.count("|") + 1 if operator == "=~" else 1
                assert len(found) >= expected, value
