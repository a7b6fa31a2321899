"""What a report says of gates, reasons, limits and sign-offs."""

from typing import Any

from credit_scoring.contract.model import Role
from credit_scoring.pipelines.reporting.blocks import (
    Section,
    count,
    gate_figure,
    name,
    paragraph,
    points,
    table,
    verdict,
    word,
)
from credit_scoring.pipelines.reporting.content import Evidence


def gates(found: Evidence) -> Section:
    """Each gate with its figure, threshold and verdict."""
    return Section(
        "gates",
        "Gates of promotion",
        (
            paragraph(
                "Whoever passes every gate may hold a role; who holds which one, and "
                "why, is in the promotion record."
            ),
            table(
                found.gates,
                {
                    "name": ("Gate", name),
                    "figure": ("Figure", gate_figure),
                    "low": ("from", gate_figure),
                    "high": ("to", gate_figure),
                    "threshold": ("Asked for", word),
                    "passed": ("Passed", verdict),
                    "why": ("Why", word),
                },
                caption="Every gate; one that could not be measured is not passed",
                missing="No gate was asked.",
            ),
        ),
    )


def _features(found: Evidence) -> list[dict[str, Any]]:
    """Each feature, those first that move scores furthest."""
    by_feature = {f["feature"]: f for f in found.lines("feature_importance")}
    holds = {f["feature"]: f for f in found.lines("monotonicity_table")}
    says = {1: "raises the PD", -1: "lowers the PD", 0: "either way"}
    lines = [
        {
            "feature": f.name,
            "reason": f.reason,
            "direction": says[f.direction],
            "points": by_feature.get(f.name, {}).get("mean_absolute_points"),
            "against": holds.get(f.name, {}).get("wrong"),
            "what": f.description,
        }
        for f in found.features.features
    ]
    return sorted(lines, key=lambda f: float(f["points"] or 0.0), reverse=True)


def reasons(found: Evidence) -> Section:
    """The catalogue of reasons, and what each feature does."""
    rules = [
        {"code": rule.code, "text": rule.text, "who": f"policy, {rule.outcome}"}
        for rule in found.decision.policy.rules
    ]
    texts = [
        {"code": code, "text": text, "who": "model"}
        for code, text in sorted(found.features.reasons.items())
    ]
    return Section(
        "reasons",
        "Reasons and features",
        (
            paragraph(
                "A decision that is not approve has up to four reasons: rules of the "
                "policy first, then the groups of features that lowered the score most "
                "against just-approved applicants. They are exact shares of the score."
            ),
            table(
                [*rules, *texts],
                {
                    "code": ("Code", word),
                    "text": ("Sentence", word),
                    "who": ("By", word),
                },
                caption="Every reason that can be given",
                missing="There is no reason.",
            ),
            *found.plot("importance", "What moves the score"),
            table(
                _features(found),
                {
                    "feature": ("Feature", name),
                    "reason": ("Reason", word),
                    "direction": ("More of it", word),
                    "points": ("Points, mean", points),
                    "against": ("Against it", count),
                    "what": ("What it is", word),
                },
                caption="Features by how far they move scores; against it: moves of "
                "real values that went against the direction",
                missing="There is no feature.",
            ),
        ),
    )


def limits(found: Evidence) -> Section:
    """What the model is not for, as far as it is known from data."""
    contract = found.contract
    protected = [name(n) for n in contract.names(Role.PROTECTED)]
    dated = bool(contract.names(Role.DATE))
    said = [
        "It knows the population that it was trained on and no other, and only "
        "accounts that were opened: nothing is known of applicants who were refused.",
        "Its reasons say what the score depends on, not what causes default.",
        "Protected attributes "
        f"({', '.join(protected) or 'none in this data'}) are used neither by the "
        "model nor by the decision. What correlates with them is.",
        "It must not decide without the policy, nor on accounts without history, nor "
        "on values that it has never seen, which the policy refers to a person.",
        "It was tested on later applications than it was trained on."
        if dated
        else "The data has no date: it was tested on other accounts of the same time, "
        "so nothing is known of how it ages.",
        "Costs at the cut-off are assumptions, named in the parameters.",
    ]
    return Section("limits", "Limits", tuple(paragraph(text) for text in said))


def sign_offs(found: Evidence) -> Section:
    """Who still has to consent."""
    lines = [
        {
            "role": one.role,
            "of": one.of,
            "name": one.name or "missing",
            "date": one.date or "missing",
            "signed": bool(one.name and one.date),
        }
        for one in found.reporting.sign_offs
    ]
    return Section(
        "signoffs",
        "Sign-offs",
        (
            table(
                lines,
                {
                    "role": ("Who", word),
                    "of": ("For", word),
                    "name": ("Name", word),
                    "date": ("Date", word),
                    "signed": ("Signed", verdict),
                },
                caption="Gates are passed by figures; people answer for the use",
                missing="The parameters name nobody who has to consent.",
            ),
        ),
    )
