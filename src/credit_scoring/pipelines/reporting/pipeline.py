"""The reporting pipeline: each candidate's validation report."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.reporting.measuring_nodes import (
    measure_for_report,
)
from credit_scoring.pipelines.reporting.nodes import (
    log_report_of_candidate,
    write_report,
)

NAMESPACES = ("scorecard", "boosting")
_SHARED = {
    "test_applications",
    "test_protected",
    "validation_summary",
    "earlier_alternatives",
}
_PARAMETERS = {
    "params:contract",
    "params:decision",
    "params:feature_engineering.feature_set",
    "params:promotion",
    "params:reporting",
}
_TABLES = (
    "segment_table",
    "vintage_table",
    "interval_table",
    "stress_table",
    "reliability_table",
    "feature_importance",
    "band_table",
    "cut_off_table",
    "fairness_table",
    "monotonicity_table",
    "stability_table",
    "calibration_tests",
    "swap_sets",
)
_PLOTS = ("roc", "ks", "reliability", "score_distribution", "importance")
_POLICY_PLOTS = ("bands", "profit", "fairness")


def create_pipeline() -> Pipeline:
    """Measure, write and log the report of each candidate."""
    return sum((report(namespace) for namespace in NAMESPACES), Pipeline([]))


def report(namespace: str) -> Pipeline:
    """Measure, write and log the report of one candidate."""
    return Pipeline(
        [*_measuring_nodes(), *_writing_nodes()],
        namespace=namespace,
        inputs=_SHARED,
        parameters=_PARAMETERS,
        tags=["reporting", namespace],
    )


def _measuring_nodes() -> list[Node]:
    return [
        Node(
            measure_for_report,
            [
                "artifact",
                "test_applications",
                "test_protected",
                "feature_importance",
                "params:contract",
                "params:promotion",
                "params:reporting",
            ],
            {
                "segment_table": "segment_table",
                "interval_table": "interval_table",
                "stress_table": "stress_table",
            },
            name="measure_for_report",
        ),
    ]


def _writing_nodes() -> list[Node]:
    given = (
        "artifact",
        "registration",
        "judgement",
        "metrics",
        "validation_summary",
        "calibration",
        "chosen_parameters",
        *_TABLES,
    )
    return [
        Node(
            write_report,
            {
                **{name: name for name in given},
                **{f"plots_{name}": f"plots_{name}" for name in _PLOTS},
                **{f"plots_{name}": f"policy_plot_{name}" for name in _POLICY_PLOTS},
                "alternatives": "earlier_alternatives",
                "contract": "params:contract",
                "feature_set": "params:feature_engineering.feature_set",
                "decision": "params:decision",
                "reporting": "params:reporting",
            },
            "validation_report",
            name="write_report",
        ),
        Node(
            log_report_of_candidate,
            ["validation_report", "registration"],
            None,
            name="log_report_of_candidate",
        ),
    ]
