"""A contract for a table that nobody has described, with open questions."""

import keyword
import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.contract_proposal import suspicion
from credit_scoring.contract_proposal.columns import Proposal, propose_column
from credit_scoring.errors import ContractError
from credit_scoring.evaluation.single_feature import feature_power

# A single column that tells as much is asked about.
SUSPICIOUS_AUC = 0.75
_ALMOST_ALL = 0.95
_SHOWN = 12
_ID = r"[A-Za-z0-9._-]{1,64}"
_RESERVED = ("loan_id", "bad", "source_row", "has_history")


@dataclass(frozen=True)
class Roles:
    """Which columns of the file have a part that only a person knows.

    Attributes:
        target: Holds the outcome.
        id_column: Tells applications apart.
        bad: Texts of the outcome that mean bad; none if it is 0 and 1.
        good: Texts that mean good; none for all the others.
        date: Places the application in time, if any does.
    """

    target: str
    id_column: str
    bad: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    date: str | None = None


@dataclass
class ProposedContract:
    """A contract that waits for a person.

    Attributes:
        columns: API name -> source, role and proposal.
        known_after_decision: Source -> why it seems so.
        left_out: Source -> why.
        undecided: Source -> question.
        outcome: Text in the file -> 1 for bad, 0 for good; empty for 0 and 1.
        set_aside: Text of the outcome that is neither.
        bad_rate: Share of bad among those that are good or bad.
        rows: Rows of the file.
    """

    columns: dict[str, tuple[str, str, Proposal]] = field(default_factory=dict)
    known_after_decision: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    undecided: dict[str, str] = field(default_factory=dict)
    outcome: dict[str, int] = field(default_factory=dict)
    set_aside: list[str] = field(default_factory=list)
    bad_rate: float = 0.0
    rows: int = 0


def propose_contract(table: pd.DataFrame, roles: Roles) -> ProposedContract:
    """Propose what each column of a table is.

    Args:
        table: Cells as text, as `read_applications` gives them.
        roles: Which column is which.

    Raises:
        ContractError: If a named column is not there, or the outcome cannot be
            read as good and bad.
    """
    named = [n for n in (roles.target, roles.id_column, roles.date) if n is not None]
    absent = [name for name in named if name not in table.columns]
    if absent:
        raise ContractError(
            f"no column {', '.join(absent)} in the file; it has "
            f"{', '.join(list(table.columns)[:_SHOWN])}"
        )
    made = ProposedContract(rows=len(table))
    bad = _outcome(table[roles.target].str.strip(), roles, made)
    _check_id(table[roles.id_column], roles.id_column, made)
    for source in table.columns:
        if source not in (roles.target, roles.id_column):
            _place(str(source), table[source], bad, roles, made)
    return made


def _outcome(
    cells: pd.Series, roles: Roles, made: ProposedContract
) -> NDArray[np.float64]:
    present = cells[cells.notna() & (cells != "")]
    texts = sorted(present.unique())
    bad, good = set(roles.bad), set(roles.good)
    unknown = sorted((bad | good) - set(texts))
    if unknown:
        raise ContractError(f"column {roles.target} never says {', '.join(unknown)}")
    if not bad and set(texts) <= {"0", "1"}:
        outcome = {text: int(text) for text in texts}
    elif bad and (good or len(texts) == len(bad) + 1):
        good = good or set(texts) - bad
        outcome = dict.fromkeys(sorted(bad), 1) | dict.fromkeys(sorted(good), 0)
        made.outcome = outcome
        made.set_aside = [text for text in texts if text not in outcome]
    else:
        shown = ", ".join(texts[:_SHOWN])
        raise ContractError(
            f"column {roles.target} says {len(texts)} different things: {shown}; name "
            "what is bad with --bad and what is good with --good, once for each. Rows "
            "that say something else are set aside"
        )
    if made.set_aside:
        made.undecided[roles.target] = (
            f"{', '.join(made.set_aside)}: neither good nor bad, as proposed?"
        )
    values = cells.map(outcome).to_numpy(np.float64, na_value=np.nan)
    made.bad_rate = float(np.nanmean(values))
    return values


def _check_id(cells: pd.Series, source: str, made: ProposedContract) -> None:
    odd = int((~cells.str.fullmatch(_ID, na=False)).sum())
    twice = int(cells.duplicated(keep=False).sum())
    if odd or twice:
        made.undecided[source] = (
            f"{odd} rows have an id that is missing or has other signs than letters, "
            f"digits, '.', '_' and '-', and {twice} share theirs with another row; "
            "such rows may be rejected"
        )


def _place(
    source: str,
    cells: pd.Series,
    bad: NDArray[np.float64],
    roles: Roles,
    made: ProposedContract,
) -> None:
    found = propose_column(cells)
    if source == roles.date:
        if found.said.get("type") != "date":
            raise ContractError(f"column {source} holds no dates that can be read")
        made.columns[api_name(source, made.columns)] = (source, "date", found)
        return
    if found.left_out or found.said.get("type") == "date":
        made.left_out[source] = found.left_out or (
            f"A date ({', '.join(found.remarks)}): generic features read none."
        )
        return
    late = _why_too_late(source, found, cells, bad)
    if late:
        made.known_after_decision[source] = late
        made.undecided[source] = f"{late}; proposed as known_after_decision"
        return
    if _identifies(source, found):
        made.left_out[source] = "Tells applications apart."
        return
    if suspicion.looks_like_the_lenders_decision(source):
        made.left_out[source] = "Looks like the lender's own decision."
        made.undecided[source] = (
            "looks like the lender's own grade, price or decision; proposed as left out"
        )
        return
    role = "application"
    if suspicion.looks_protected(source):
        role = "protected"
        found.questions.insert(
            0, "looks like a protected attribute or stands for one; proposed so"
        )
    if found.questions:
        made.undecided[source] = "; ".join(found.questions)
    made.columns[api_name(source, made.columns)] = (source, role, found)


def _why_too_late(
    source: str, found: Proposal, cells: pd.Series, bad: NDArray[np.float64]
) -> str:
    power = ""
    resolved = ~np.isnan(bad)
    values = found.values
    if values is None:
        # The bad rate of its category stands for a text.
        values = pd.Series(bad).groupby(cells.to_numpy()).transform("mean").to_numpy()
    if len(np.unique(bad[resolved])) > 1:
        measured = feature_power(values[resolved], bad[resolved])
        if measured.low > SUSPICIOUS_AUC:
            power = f"has an AUC of {measured.auc:.2f} by itself"
    named = ""
    if suspicion.looks_like_the_outcome(source):
        named = "is named like what becomes of a loan"
    return " and ".join(part for part in (named, power) if part)


def _identifies(source: str, found: Proposal) -> bool:
    if found.values is None or found.said["type"] != "integer":
        return False
    present = found.values[~np.isnan(found.values)]
    unique = len(np.unique(present)) >= _ALMOST_ALL * len(present)
    return unique and suspicion.looks_identifying(source)


def api_name(source: str, taken: object = ()) -> str:
    """Make a name like ``annual_income`` of a column's name in a file.

    Args:
        source: Name in the file.
        taken: Names that are given already.
    """
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", source)
    slug = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")
    name = slug if re.match(r"[a-z]", slug) else f"column_{slug}".strip("_")
    if keyword.iskeyword(name) or name in _RESERVED:
        name = f"{name}_value"
    plain, number = name, 1
    while name in taken:  # type: ignore[operator]
        number += 1
        name = f"{plain}_{number}"
    return name
