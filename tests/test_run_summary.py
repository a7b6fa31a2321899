from datetime import UTC, datetime

import pytest

from credit_scoring.monitoring.publication import FORMAT, Finding, Summary
from credit_scoring.run_summary import render_summary

COMPARISON = {
    "split": "test",
    "rows": 9106,
    "bads": 2034,
    "candidates": {
        "scorecard": {
            "auc": {"value": 0.78564, "low": 0.7741, "high": 0.7979},
            "ks": {"value": 0.43, "low": None, "high": None},
        },
        "boosting": {
            "auc": {"value": 0.79342, "low": 0.7813, "high": 0.8055},
            "ks": {"value": None, "low": None, "high": None},
        },
    },
}
RECORD = {
    "champion": {"version": 1, "family": "boosting"},
    "challenger": None,
    "decision": "boosting version 1 is the best that passes every gate",
    "candidates": [
        {"family": "boosting", "gates": [{"name": "minimum_auc", "passed": True}]},
        {
            "family": "scorecard",
            "gates": [{"name": "minimum_auc", "passed": False, "why": "0.6 is low"}],
        },
    ],
}


def test_the_candidates_measures_stand_beside_each_other() -> None:
    lines = render_summary({"comparison": COMPARISON}, seconds=3.21).splitlines()
    assert "9,106 test rows, 2,034 bad; 95 % bootstrap intervals" in lines[1]
    (auc,) = [line for line in lines if "AUC" in line]
    assert " ".join(auc.split()) == (
        "AUC 0.7856 (0.7741 to 0.7979) 0.7934 (0.7813 to 0.8055)"
    )
    (ks,) = [line for line in lines if "KS" in line]
    assert ks.split() == ["KS", "0.4300", "-"]
    assert not [line for line in lines if "Gini" in line], "nobody measured it"
    assert lines[-1] == "Done in 3.2 s"


def test_rows_roles_and_gates_are_told() -> None:
    rows = {"accepted_rows": 29_000, "rejected_rows": 3, "bad_rate": 0.2212}
    results = {
        "validation_summary": rows,
        "promotion_record": RECORD,
        "release": {"bento": "credit_scoring:abc"},
    }
    text = render_summary(results, seconds=0)
    facts = [tuple(line.split(None, 1)) for line in text.splitlines() if line]
    assert facts[:6] == [
        ("Rows", "29,000 accepted, 3 rejected; 22.1% bad"),
        ("Champion", "version 1, boosting"),
        ("Not", "passed  scorecard, gate minimum auc: 0.6 is low"),
        ("Decision", "boosting version 1 is the best that passes every gate"),
        ("Bento", "credit_scoring:abc"),
        ("Next", "make serve    mlflow ui    kedro viz run"),
    ]


def test_the_bento_of_another_data_set_is_served_by_its_tag() -> None:
    text = render_summary({"release": {"bento": "home_loans:abc"}}, seconds=0)
    assert "bentoml serve home_loans:abc" in text
    assert "make serve" not in text


def test_a_part_of_a_run_has_a_short_summary() -> None:
    assert render_summary({}, seconds=0.04).split() == ["Done", "in", "0.0", "s"]


def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    text = render_summary({"promotion_record": RECORD}, seconds=1)
    assert max(len(line) for line in text.splitlines()) <= 60


def test_the_champion_of_a_day_is_told_with_its_evidence() -> None:
    record = {
        **RECORD,
        "champion": {"version": 1, "family": "boosting", "artifact_digest": "a1"},
        "created_at": "2026-11-03T10:00:00+00:00",
        "until": None,
        "actor": "ana",
        "signature": {"key_id": "k1"},
        "digest": "r1",
    }
    text = render_summary({"champion_of_the_day": record}, seconds=0)
    facts = dict(line.split(None, 1) for line in text.splitlines() if line)
    assert facts["Champion"] == "version 1, boosting"
    assert facts["Since"] == "2026-11-03T10:00:00+00:00, until now"
    assert facts["By"] == "ana, signed with key k1"
    assert facts["Record"] == "r1"


def test_the_verdict_of_monitoring_is_told_with_what_is_wrong() -> None:
    summary = Summary(
        format=FORMAT,
        verdict="alert",
        computed_at=datetime(2026, 11, 28, tzinfo=UTC),
        last_success_at=None,
        window_since=datetime(2026, 11, 27, 6, tzinfo=UTC),
        window_until=datetime(2026, 11, 27, 12, tzinfo=UTC),
        decisions=8400,
        findings=[
            Finding("score_drift", "ok", "PSI of the score 0.004"),
            Finding("decision_log", "alert", "index.jsonl: is missing"),
        ],
        figures={},
        report=None,
    )
    text = render_summary({"monitoring_summary": summary}, seconds=0)
    assert "Verdict  alert" in text
    assert "2026-11-27 06:00 to 2026-11-27 12:00 UTC, 8,400 decisions" in text
    assert "Alert    index.jsonl: is missing" in text
    assert "PSI" not in text


def test_alternatives_are_told_by_attribute() -> None:
    summary = {
        "champion": {"version": 3, "family": "boosting"},
        "models": 80,
        "rows": {"test": 9106},
        "auc_margin": 0.005,
        "attributes": {
            "sex": {
                "chosen": [{"impact_ratio_test": 0.898}],
                "less_discriminatory": ["without PAYMENT_SIZE"],
            }
        },
    }
    text = render_summary({"alternatives_summary": summary}, seconds=0)
    assert "80 models, on 9,106 rows" in text
    told = " ".join(text.split())
    assert "Sex adverse impact ratio 0.898 today; 1 alternative shown to be" in told
    assert "within 0.005 of its AUC" in told
