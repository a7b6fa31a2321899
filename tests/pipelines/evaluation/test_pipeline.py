from credit_scoring.pipelines.evaluation import create_pipeline

NAMES = {
    "feature_importance",
    "plots_bins",
    "plots_importance",
    "plots_ks",
    "plots_reliability",
    "plots_roc",
    "plots_score_distribution",
}


def test_the_pipeline_reads_what_training_made():
    made = {
        f"{f}.{n}" for f in ("boosting", "scorecard") for n in ("calibration", "model")
    }
    assert create_pipeline().inputs() == made | {
        "model_input",
        "params:boosting",
        "params:decision",
        "params:evaluation",
        "params:scorecard",
        "params:contract",
        "validated_applications",
    }


def test_both_families_are_evaluated_alike_but_for_the_points_table():
    outputs = create_pipeline().all_outputs()
    of = {
        family: {n.split(".")[1] for n in outputs if n.startswith(f"{family}.")}
        for family in ("boosting", "scorecard")
    }
    assert of["scorecard"] - of["boosting"] == {"points_table"}
    assert of["boosting"] >= NAMES | {
        "metrics",
        "predictions",
        "reliability_table",
        "vintage_table",
    }
    assert {"comparison", "comparison_table"} <= outputs


def test_a_family_can_be_evaluated_alone():
    alone = create_pipeline().only_nodes_with_tags("boosting")
    assert not [name for name in alone.all_outputs() if name.startswith("scorecard.")]
    assert "boosting.metrics" in alone.all_outputs()
