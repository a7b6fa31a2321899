"""Fairness of live decisions: approvals by group, where groups are known offline."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from credit_scoring.evaluation.shares import Count, ratio_of_shares
from credit_scoring.monitoring.counting import GroupCounts
from credit_scoring.monitoring.parameters import LiveFairness
from credit_scoring.monitoring.publication import Finding, Verdict, worst
from credit_scoring.registry.gate_parameters import Attribute
from credit_scoring.wording import counted

Json = dict[str, Any]


@dataclass(frozen=True)
class JudgedGroups:
    """Figures by attribute and group, and what was found."""

    figures: Json
    findings: list[Finding]


def groups_of(
    protected: pd.DataFrame | None, parameters: LiveFairness
) -> dict[str, dict[str, str]]:
    """Put applicants into the groups of each protected attribute.

    Args:
        protected: ``loan_id`` and protected columns; None if there are none.
        parameters: Attributes and their groups.

    Returns:
        Attribute -> loan_id -> group, without attributes whose column is absent.
    """
    if protected is None or "loan_id" not in protected:
        return {}
    ids = protected["loan_id"].astype("str")
    found: dict[str, dict[str, str]] = {}
    for name, attribute in parameters.asked.items():
        if attribute.column not in protected:
            continue
        values = protected[attribute.column].to_numpy("float64", na_value=float("nan"))
        members: dict[str, str] = {}
        for group, who in attribute.groups.items():
            members.update(dict.fromkeys(ids[who.members(values)], group))
        found[name] = members
    return found


def judge_groups(counts: GroupCounts, parameters: LiveFairness) -> JudgedGroups:
    """Compare the approval rate of each group with the highest.

    Of an attribute that is not there the figures say so; nothing is found of it.

    Source: 29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures,
        the four-fifths rule.
    """
    figures: Json = {}
    findings: list[Finding] = []
    for name, attribute in parameters.asked.items():
        rows = counts.rows.get(name)
        if not rows:
            figures[name] = {"absent": "no decision could be joined with a group"}
            continue
        judged = _judge(name, attribute, counts, parameters)
        figures[name] = judged.figures
        findings += judged.findings
    return JudgedGroups(figures, findings)


def _judge(
    name: str, attribute: Attribute, counts: GroupCounts, parameters: LiveFairness
) -> JudgedGroups:
    rows, approved = counts.rows[name], counts.approved[name]
    whole = sum(rows.values())
    rates = {
        group: approved[group] / number
        for group, number in rows.items()
        if number >= parameters.reference_share * whole
    }
    reference = max(rates, key=lambda group: (rates[group], group))
    groups: Json = {}
    verdicts: list[Verdict] = ["ok"]
    lowest = 1.0
    for group in attribute.groups:
        if not rows[group]:
            continue
        said: Json = {"decisions": rows[group], "approved": approved[group]}
        if approved[reference]:
            ratio = ratio_of_shares(
                Count(approved[group], rows[group]),
                Count(approved[reference], rows[reference]),
                level=parameters.level,
            )
            said["impact_ratio"] = ratio.as_json()
            if attribute.judged and rows[group] >= parameters.small_rows:
                verdicts.append(_verdict(ratio.value, ratio.high, parameters))
                lowest = min(lowest, ratio.value)
        groups[group] = said
    unassigned = counts.unassigned[name]
    figures = {"reference": reference, "unassigned": unassigned, "groups": groups}
    message = f"lowest approval rate by {name} {lowest:.3f} of the highest"
    if unassigned:
        all_of_them = counted(whole + unassigned, "decision")
        message += f", {unassigned:,} of {all_of_them} in no group"
    finding = Finding(f"fairness_{name}", worst(verdicts), message, lowest)
    return JudgedGroups(figures, [finding] if attribute.judged else [])


def _verdict(ratio: float, high: float | None, parameters: LiveFairness) -> Verdict:
    """Below the mark beyond chance is an alert; by the figure alone a warning."""
    if ratio >= parameters.impact_ratio:
        return "ok"
    beyond_chance = high is not None and high < parameters.impact_ratio
    return "alert" if beyond_chance else "warn"
