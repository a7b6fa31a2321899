"""Each DAG run by the real Airflow, on the real pipelines; by ``make airflow-test``.

It takes minutes: each pipeline is a `kedro run` of its own. The tests follow one
another, as a platform's first weeks do.
"""

from datetime import UTC, datetime

import pandas as pd
import pyarrow.parquet as pq

from credit_scoring.pipeline_registry import DEFAULT

from .conftest import Told, eventually
from .decided import CURRENT, TOMORROW, decide_on
from .deployed import FAILS_AT_FIRST, Deployed, lines_with, poorer

MORE_THAN_ANY_MODEL_REACHES = 0.999
A_FEW_THOUSAND_ROWS_DO = 0.55


def test_a_closed_gate_is_respected_and_a_failed_task_tried_again(
    scheduled: Deployed,
) -> None:
    closed = {
        "AIRFLOW_VAR_CREDIT_SCORING_CLOSED_GATES": "promotion",
        "FAILS": FAILS_AT_FIRST,
    }
    scheduled.succeeds("retraining", "2026-11-01", **closed)
    called = scheduled.called()
    assert called.count(FAILS_AT_FIRST) == 2
    assert set(called) == {*DEFAULT[: DEFAULT.index("promotion")]}
    states = scheduled.states("retraining")
    assert states["promotion_gate"] == "success"
    for name in ("promotion", "reporting", "roles_changed", "packaging"):
        assert states[name] == "skipped"
    assert not (scheduled.project / CURRENT).exists()


def test_a_refused_first_promotion_stops_the_run_and_somebody_is_told(
    scheduled: Deployed, told: Told
) -> None:
    scheduled.ask_of_candidates(MORE_THAN_ANY_MODEL_REACHES)
    tells = {"SCHEDULE_ALERTMANAGER_URL": told.url}
    done = scheduled.dag_test("retraining", "2026-11-02", **tells)
    assert done.returncode != 0
    assert scheduled.called().count("promotion") == 3
    states = scheduled.states("retraining", "failed")
    assert states["promotion"] == "failed"
    assert states["roles_changed"] == states["packaging"] == "upstream_failed"
    assert not (scheduled.project / CURRENT).exists()
    # What is refused is in the task's log.
    log = done.stdout + done.stderr
    assert lines_with(["there is no champion", "minimum_auc"], log)
    eventually(lambda: ("PipelineFailed", "retraining") in told.alerts())


def test_an_open_gate_leads_to_a_packed_champion(scheduled: Deployed) -> None:
    scheduled.ask_of_candidates(A_FEW_THOUSAND_ROWS_DO)
    scheduled.succeeds("retraining", "2026-11-08")
    assert set(scheduled.called()) == set(DEFAULT)
    assert set(scheduled.states("retraining").values()) == {"success"}
    assert "champion" in scheduled.read(CURRENT)["models"]


def test_a_refused_promotion_packs_nothing_and_says_whom_it_refused(
    scheduled: Deployed,
) -> None:
    before = scheduled.read(CURRENT)
    scheduled.ask_of_candidates(MORE_THAN_ANY_MODEL_REACHES)
    log = scheduled.succeeds("retraining", "2026-11-15")
    scheduled.ask_of_candidates(A_FEW_THOUSAND_ROWS_DO)
    assert "packaging" not in scheduled.called()
    states = scheduled.states("retraining")
    assert states["promotion"] == "success"
    assert states["roles_changed"] == states["packaging"] == "skipped"
    assert lines_with(["refused:", "boosting", "minimum_auc"], log)
    assert lines_with(["nobody changed role"], log)
    assert scheduled.read(CURRENT) == before


def test_materialization_runs_to_success(scheduled: Deployed) -> None:
    scheduled.succeeds("materialization", "2026-11-08")
    assert scheduled.states("materialization") == {"materialization": "success"}


def test_each_day_has_a_batch_of_its_own(scheduled: Deployed) -> None:
    held_out = scheduled.held_out()
    days = {"2026-11-21": held_out.head(700), "2026-11-22": held_out.tail(600)}
    for day, applications in days.items():
        scheduled.deliver(day, applications)
        scheduled.succeeds("batch_scoring", f"{day}T03:00:00+00:00")
    for day, applications in days.items():
        output = scheduled.project / "data/07_model_output/batch" / day
        decided = pq.read_table(output / "decisions")["loan_id"].to_pylist()
        assert decided == applications["ID"].tolist()


def test_whoever_starts_a_batch_may_name_another_file(scheduled: Deployed) -> None:
    given = scheduled.project / "data" / "by hand.csv"
    scheduled.held_out().head(20).to_csv(given, index=False)
    asked = {"input": "data/by hand.csv", "output": "data/07_model_output/{date} again"}
    scheduled.succeeds("batch_scoring", "2026-11-23", asked)
    output = scheduled.project / "data/07_model_output/2026-11-23 again"
    assert pq.read_table(output / "decisions").num_rows == 20


def test_nobody_adds_a_parameter_through_the_name_of_a_file(
    scheduled: Deployed,
) -> None:
    scheduled.called()
    for name in ("a.csv,batch_scoring.decision_log=false", "${oc.env:HOME}", "'; id '"):
        done = scheduled.dag_test("batch_scoring", "2026-11-24", {"input": name})
        assert done.returncode != 0
        assert lines_with(["Invalid input for param input"], done.stdout + done.stderr)
    assert scheduled.called() == []


def test_a_file_that_did_not_come_fails_the_batch(
    scheduled: Deployed, told: Told
) -> None:
    tells = {"SCHEDULE_ALERTMANAGER_URL": told.url}
    done = scheduled.dag_test("batch_scoring", "2026-11-25", **tells)
    assert done.returncode != 0
    assert lines_with(["data/01_raw/batch/2026-11-25"], done.stdout + done.stderr)
    eventually(lambda: ("PipelineFailed", "batch_scoring") in told.alerts())


def monitored(scheduled: Deployed, name: str, applications: pd.DataFrame) -> str:
    """Let the service decide on applications, in a log of its own, and monitor it."""
    log = scheduled.project / "logs" / name
    decide_on(scheduled, log, applications)
    apart = {
        "CREDIT_SCORING_DECISION_LOG_DIR": str(log),
        "CREDIT_SCORING_MONITORING_DIR": str(scheduled.project / "data" / name),
    }
    return scheduled.succeeds("monitoring", TOMORROW, **apart)


def test_without_drift_nothing_is_told(scheduled: Deployed) -> None:
    log = monitored(scheduled, "calm", scheduled.held_out())
    found = scheduled.read("data/calm/summary.json")["findings"]
    assert {"score_drift": "ok"}.items() <= {
        one["subject"]: one["verdict"] for one in found
    }.items()
    states = scheduled.states("monitoring")
    assert states == {"monitoring": "success", "tell_drift": "skipped"}
    assert lines_with(["no drift"], log)


def test_drift_is_told_once(scheduled: Deployed) -> None:
    log = monitored(scheduled, "drifted", poorer(scheduled.held_out()))
    assert scheduled.read("data/drifted/summary.json")["verdict"] == "alert"
    states = scheduled.states("monitoring")
    assert states == {"monitoring": "success", "tell_drift": "success"}
    assert lines_with(["the population has drifted", "score_drift"], log)
    assert (scheduled.project / "data/drifted/drift_told").exists()


def test_the_challenge_runs_on_outcomes(scheduled: Deployed) -> None:
    folder = scheduled.project / "data/01_raw/outcomes"
    folder.mkdir()
    known = scheduled.held_out().head(700)
    outcomes = pd.DataFrame(
        {
            "loan_id": known["ID"],
            "bad": known["DEFAULT"],
            "observed_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
    )
    outcomes.to_csv(folder / "outcomes.csv", index=False)
    scheduled.succeeds("challenge", "2026-11-28")
    assert set(scheduled.states("challenge").values()) == {"success"}
    assert scheduled.called()[-2:] == ["outcomes", "challenge"]
    report = scheduled.read("data/08_reporting/challenge/challenge_report.json")
    assert report["verdict"] == "keep"
