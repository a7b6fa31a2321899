"""The first page: what the model does and how well, in plain words."""

from dataclasses import dataclass

from credit_scoring.pipelines.reporting.blocks import count, listed, percent
from credit_scoring.pipelines.reporting.content import Evidence


@dataclass(frozen=True)
class Summary:
    """The first page.

    Attributes:
        title: Names model and portfolio.
        passed: Whether every gate was passed.
        verdict: The same in a sentence.
        sentences: What a reader should know first.
        missing: Who has not signed.
    """

    title: str
    passed: bool
    verdict: str
    sentences: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def summarise(found: Evidence) -> Summary:
    """Write the first page from what was measured."""
    failed = [str(g["name"]) for g in found.gates if not g["passed"]]
    passed = bool(found.gates) and not failed
    verdict = (
        f"All {len(found.gates)} gates were passed."
        if passed
        else f"Not passed: {listed(failed)}, of {len(found.gates)} gates."
    )
    missing = tuple(
        one.role for one in found.reporting.sign_offs if not (one.name and one.date)
    )
    return Summary(
        title=f"{found.manifest.family.capitalize()} model, version "
        f"{found.registration.get('version', 'not registered')}",
        passed=passed,
        verdict=verdict,
        sentences=tuple(
            (heading, text)
            for heading, text in (
                ("What it is for", found.reporting.purpose),
                ("What it learned from", _learned(found)),
                ("How well it ranks", _ranks(found)),
                ("Whether its probabilities are right", _calibrated(found)),
                ("What the policy does with it", _decides(found)),
                ("How groups fare", _groups(found)),
                ("What shakes it", _shaken(found)),
                ("What it cannot do", _limits(found)),
            )
            if text
        ),
        missing=missing,
    )


def _learned(found: Evidence) -> str:
    train = found.metrics.get("train", {}).get("rows", {}).get("value")
    target = found.contract.columns[found.contract.target_name].description
    seen = found.validation.get("rows", 0)
    whole = found.validation.get("rows_in_files", seen)
    of_more = f" They are a sample of {count(whole)}." if whole > seen else ""
    rows = "" if train is None else f"It was trained on {count(train)} of them. "
    grown = found.facts.get("chosen_parameters", {}).get("training_rows")
    if train is not None and grown is not None and grown > train:
        rows = (
            f"Its trees were grown on {count(int(grown))} rows, all else was found out "
            "on the sample. "
        )
    bad = percent(found.validation.get("bad_rate", 0))
    return (
        f"{found.contract.title}: {count(seen)} rows, of which {bad} turned out bad."
        f"{of_more} {rows}"
        f"Bad means: {target.removesuffix('.')}."
    )


def _ranks(found: Evidence) -> str:
    auc = found.test.get("auc", {})
    if auc.get("value") is None:
        return "It was not measured."
    sure = (
        f" (with 95 % certainty between {100 * auc['low']:.1f} and "
        f"{100 * auc['high']:.1f})"
        if auc.get("low") is not None
        else ""
    )
    return (
        "Of a bad and a good applicant whom it has not seen it gives the bad one "
        f"the higher risk in {100 * auc['value']:.1f} of 100 cases{sure}; "
        "guessing would be right in 50."
    )


def _calibrated(found: Evidence) -> str:
    mean, rate = (found.test.get(n, {}).get("value") for n in ("mean_pd", "bad_rate"))
    if mean is None or rate is None:
        return "It was not measured."
    intervals = found.lines("interval_table")
    inside = sum(bool(line["inside"]) for line in intervals)
    held = (
        f" Of {len(intervals)} groups of similar applicants the bad rate of {inside} "
        "lay in the interval that the model states."
        if intervals
        else ""
    )
    return (
        f"On the test rows it expected {percent(mean)} bads, and {percent(rate)} "
        f"came.{held}"
    )


def _decides(found: Evidence) -> str:
    bands = found.lines("band_table")
    if not bands:
        return "It was not measured."
    rows, approved, referred = (
        sum(line[name] for line in bands) for name in ("rows", "approved", "referred")
    )
    rule = found.decision.policy
    own = [c for c in found.lines("cut_off_table") if c["rule"] == "policy"]
    bads = (
        f" By the score alone {percent(own[0]['bad_rate'])} of the approved turned out "
        "bad."
        if own and own[0]["bad_rate"] is not None
        else ""
    )
    return (
        f"From {rule.approve_from:g} points on it approves: {percent(approved / rows)} "
        f"of the test applications. {percent(referred / rows)} go to a person, the "
        f"others are declined, each with reasons.{bads}"
    )


def _groups(found: Evidence) -> str:
    lines = [
        line
        for line in found.lines("fairness_table")
        if line["judged"] and line["impact_ratio"] is not None and not line["reference"]
    ]
    if not lines:
        return "It was not measured."
    worst = min(lines, key=lambda line: float(line["impact_ratio"]))
    return (
        f"Of the groups that the gates judge, {worst['attribute']}: {worst['group']} "
        f"is approved least often, {worst['impact_ratio']:.2f} times as often as "
        f"{worst['reference_group']}. Protected attributes are "
        "measured, never used.".replace("_", " ")
    )


def _shaken(found: Evidence) -> str:
    stresses = [s for s in found.lines("stress_table") if s["kind"] == "stress"]
    base = [s for s in found.lines("stress_table") if s["kind"] == "unchanged"]
    if not stresses or not base:
        return ""
    worst = max(stresses, key=lambda line: float(line["mean_pd"]))
    return (
        f"Of the stresses tried this raises the mean PD most: {worst['text']} It goes "
        f"from {percent(base[0]['mean_pd'])} to {percent(worst['mean_pd'])}, and "
        f"approvals from {percent(base[0]['approve_rate'])} to "
        f"{percent(worst['approve_rate'])}."
    )


def _limits(found: Evidence) -> str:
    return (
        "It knows no other population than this one, and nobody who was refused. Its "
        "reasons are what the score depends on, not causes. It is evidence for people "
        "who decide, not their decision."
    )
