import itertools

from credit_scoring.registry.artifact_writing import ArtifactContents
from credit_scoring.registry.model_card import model_card


def test_card_says_what_a_reader_asks_for(contents: ArtifactContents) -> None:
    card = contents.model_card
    for said in (
        "# Model card: linear on a small portfolio",
        "The event: Default within a year.",
        "| test | auc | 0.7800 | 0.7700 to 0.7900 |",
        "Calibrated log-odds = -2.2000 + 1.1000 x margin",
        "Approved from 520, declined below 480 points",
        "- `POLICY_LATE`: decline; It is late.",
        "| `debt_ratio` | raises the PD | `DEBT` | Debt as a share of the limit. |",
        "- `ARREARS`: You paid late.",
        "Protected attributes (age_years)",
        "| Data (SHA-256) | " + "d" * 64,
    ):
        assert said in card


def test_only_columns_of_figures_are_aligned_to_the_right(
    contents: ArtifactContents,
) -> None:
    lines = contents.model_card.splitlines()
    rules = {
        head: rule
        for head, rule in itertools.pairwise(lines)
        if rule.startswith("| ---")
    }
    assert rules == {
        "| What | Which |": "| --- | --- |",
        "| Split | Measure | Value | Interval |": "| --- | --- | ---: | ---: |",
        "| Feature | More of it | Reason | What it is |": "| --- | --- | --- | --- |",
    }


def test_figures_that_are_missing_are_said_to_be(contents: ArtifactContents) -> None:
    metrics = {"test": {"auc": {"value": None, "low": None, "high": None}}, "psi": 0.1}
    provenance = contents.provenance.model_copy(update={"git_dirty": True})
    card = model_card(
        contents.engine,
        contract=contents.contract,
        feature_set=contents.feature_set,
        metrics=metrics,
        provenance=provenance,
    )
    assert "| test | auc | missing | none |" in card
    assert "abc (with uncommitted changes)" in card


def test_counts_are_whole_and_rates_are_shares_of_a_hundred(
    contents: ArtifactContents,
) -> None:
    bare = {"low": None, "high": None}
    metrics = {
        "test": {
            "rows": {"value": 11978.0, **bare},
            "bads": {"value": 640, **bare},
            "bad_rate": {"value": 0.22341, "low": 0.2148, "high": 0.2316},
            "brier": {"value": 0.13312, **bare},
        }
    }
    card = model_card(
        contents.engine,
        contract=contents.contract,
        feature_set=contents.feature_set,
        metrics=metrics,
        provenance=contents.provenance,
    )
    for line in (
        "| test | rows | 11,978 | none |",
        "| test | bads | 640 | none |",
        "| test | bad_rate | 22.3% | 21.5% to 23.2% |",
        "| test | brier | 0.1331 | none |",
    ):
        assert line in card
