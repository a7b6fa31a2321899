"""What a report says of the policy, of fairness, and of changed inputs."""

from collections.abc import Mapping
from typing import Any

from credit_scoring.pipelines.reporting.blocks import (
    NOTHING,
    Block,
    Section,
    count,
    figure,
    gap,
    name,
    paragraph,
    percent,
    points,
    table,
    with_interval,
    word,
)
from credit_scoring.pipelines.reporting.content import Evidence
from credit_scoring.pipelines.reporting.measuring_nodes import FAIRNESS_ALONE


def policy(found: Evidence) -> Section:
    """Bands, cut-offs, profit, and who changes sides against the champion."""
    rule = found.decision.policy
    return Section(
        "policy",
        "Policy",
        (
            paragraph(
                f"Approved from {rule.approve_from:g} points, declined below "
                f"{rule.decline_below:g}, otherwise referred to a person; "
                f"{len(rule.rules)} rules can make a decision more severe."
            ),
            table(
                found.lines("band_table"),
                {
                    "band": ("Band", word),
                    "rows": ("Applications", count),
                    "share": ("Share", percent),
                    "mean_pd": ("Mean PD", percent),
                    "bad_rate": ("Bad rate", percent),
                    "approved": ("Approved", count),
                },
                caption="Bands on the test rows",
                missing="Bands were not measured.",
            ),
            *found.plot("bands", "Applicants and bad rate by band"),
            table(
                found.lines("cut_off_table"),
                {
                    "rule": ("Chosen by", name),
                    "target": ("Target", percent),
                    "score": ("Approve from", points),
                    "approval_rate": ("Approved", percent),
                    "bad_rate": ("Bad among them", percent),
                    "profit": ("Profit", percent),
                },
                caption="Cut-offs: the policy's, and those that targets ask for; the "
                "score alone, without the rules",
                missing="Cut-offs were not measured.",
            ),
            *found.plot("profit", "Profit by cut-off"),
            *_swaps(found.facts.get("swap_sets", {})),
        ),
    )


def _swaps(facts: Mapping[str, Any]) -> list[Block]:
    if facts.get("champion") is None:
        return [gap("There was no champion to compare approvals with.")]
    against = (
        f"Against champion version {facts['champion']}: profit "
        f"{with_interval(facts.get('profit'), percent)} of all that was applied for, "
        f"difference {with_interval(facts.get('profit_against_champion'), percent)}."
    )
    cells = table(
        facts.get("cells") or [],
        {
            "name": ("Who", name),
            "rows": ("Applications", count),
            "bad_rate": ("Bad rate", percent),
            "low": ("from", percent),
            "high": ("to", percent),
        },
        caption="Swap sets: who would be approved by one and not by the other",
        missing=f"Swap sets were not measured: {facts.get('why')}",
    )
    return [paragraph(against), cells]


def fairness(found: Evidence) -> Section:
    """Approvals, scores and errors by protected group, and alternatives."""
    own = [s for s in found.lines("segment_table") if s["use"] == FAIRNESS_ALONE]
    return Section(
        "fairness",
        "Fairness",
        (
            paragraph(
                "Protected attributes are looked at here alone; no model, rule or "
                "reason sees them. The impact ratio is a group's approval rate over "
                "that of the group named; 0.8 is the four-fifths rule. A difference "
                "says that outcomes differ, not why."
            ),
            table(
                found.lines("fairness_table"),
                {
                    "attribute": ("By", name),
                    "group": ("Group", name),
                    "rows": ("Applications", count),
                    "approval_rate": ("Approved", percent),
                    "reference_group": ("Against", name),
                    "impact_ratio": ("Impact ratio", figure),
                    "impact_ratio_low": ("from", figure),
                    "impact_ratio_high": ("to", figure),
                    "score_difference": ("Score, SD", figure),
                    "opportunity_difference": ("Among goods", figure),
                },
                caption="Groups on the test rows",
                missing="Fairness was not measured.",
            ),
            *found.plot("fairness", "Impact ratios with intervals"),
            table(
                own,
                {
                    "attribute": ("By", name),
                    "segment": ("Group", name),
                    "rows": ("Applications", count),
                    "bad_rate": ("Bad rate", percent),
                    "low": ("from", percent),
                    "high": ("to", percent),
                    "mean_pd": ("Mean PD", percent),
                    "auc": ("AUC", figure),
                },
                caption="How well the model does for each group",
                missing="Groups were not measured.",
            ),
            *_alternatives(found.facts.get("alternatives", {})),
        ),
    )


def _alternatives(facts: Mapping[str, Any]) -> list[Block]:
    if not facts:
        return [
            gap(
                "Less discriminatory alternatives were not searched: "
                "kedro run --pipelines alternatives."
            )
        ]
    champion = facts.get("champion") or {}
    lines = [
        {
            "attribute": attribute,
            "ratio": found["chosen"][0]["impact_ratio_test"],
            "best": max(
                (t["impact_ratio"] for t in found["tested"] if t["auc_not_inferior"]),
                default=None,
            ),
            "names": "; ".join(found["less_discriminatory"]) or "none shown",
        }
        for attribute, found in facts["attributes"].items()
    ]
    said = (
        f"{facts['models']} alternatives were searched against champion version "
        f"{champion.get('version')}; it may be another version than this one."
    )
    return [
        paragraph(said),
        table(
            lines,
            {
                "attribute": ("By", name),
                "ratio": ("Impact ratio of the champion", figure),
                "best": ("Highest with an AUC no worse", figure),
                "names": ("Shown to be less discriminatory", word),
            },
            caption="Less discriminatory alternatives that approve as many, test rows",
            missing="No attribute was compared.",
        ),
    ]


_CHANGED = {
    "mean_pd": ("Mean PD", percent),
    "mean_score": ("Mean score", points),
    "approve_rate": ("Approved", percent),
    "refer_rate": ("Referred", percent),
    "decline_rate": ("Declined", percent),
    "changed": ("Decided otherwise", percent),
}


def sensitivity(found: Evidence) -> Section:
    """What happens to decisions when inputs change."""
    lines = found.lines("stress_table")
    base = [line for line in lines if line["kind"] == "unchanged"]
    return Section(
        "sensitivity",
        "Sensitivity and stress",
        (
            paragraph(
                "The same test applications decided again with changed inputs, all "
                "else equal. It shows what the model and the policy do, not what such "
                "a change of the economy would do to outcomes."
            ),
            table(
                [*base, *(line for line in lines if line["kind"] == "stress")],
                {"text": ("Change", word), **_CHANGED},
                caption="Stress",
                missing="No stress was tried.",
            ),
            table(
                [*base, *(line for line in lines if line["kind"] == "sensitivity")],
                {"text": ("Change", name), **_CHANGED},
                caption="One column at a time",
                missing="No sensitivity was tried.",
            ),
        ),
    )


def mapped(regulations: list[dict[str, Any]], titles: Mapping[str, str]) -> Section:
    """Where the report answers regulations, and where it does not.

    Args:
        regulations: As ``mappings.yml`` has them.
        titles: Anchor -> number and title of a section.
    """
    blocks: list[Block] = [
        paragraph(
            "What a regulation asks for, where this report says something of it, and "
            "what it leaves open. It is no legal advice, and covers no regulation by "
            "itself."
        )
    ]
    for regulation in regulations:
        lines = [
            {
                **line,
                "where": "; ".join(titles[anchor] for anchor in line["where"])
                or NOTHING,
            }
            for line in regulation["lines"]
        ]
        blocks.append(
            table(
                lines,
                {
                    "asks": ("Asks for", word),
                    "where": ("Here", word),
                    "covered": ("Covered", word),
                    "left": ("Not covered", word),
                },
                caption=regulation["regulation"],
                missing="nothing is mapped",
            )
        )
    return Section("regulation", "Regulations", tuple(blocks))
