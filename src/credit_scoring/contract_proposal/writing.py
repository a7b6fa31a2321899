"""The proposal as files that a person reads, answers and keeps."""

import math
from collections.abc import Iterator
from pathlib import Path

from credit_scoring.contract_proposal.columns import Proposal
from credit_scoring.contract_proposal.gates import gates_yaml
from credit_scoring.contract_proposal.notation import said as _said
from credit_scoring.contract_proposal.proposing import ProposedContract, Roles
from credit_scoring.contract_proposal.sniffing import FileForm

_HEAD = """\
# Proposed from the file by `python -m credit_scoring.contract_proposal`: a first
# contract, for a person to read. What it cannot know stands under `undecided`; no run
# uses the contract while a question is left.
"""
_QUESTIONS = """\
  # Answer each question in the columns below, then delete its line; delete `undecided`
  # with the last one.
"""
_LATE = """\
  # What becomes of a loan, or is settled after the decision. A run that offers one of
  # these to a feature stops. Take a name out only if it is known before the decision.
"""


def contract_yaml(
    made: ProposedContract, roles: Roles, *, name: str, title: str
) -> str:
    """Write a proposed contract as the file of an environment.

    Args:
        made: The proposal.
        roles: The columns that were named.
        name: Short name of the contract.
        title: For people.
    """
    lines = [_HEAD + "contract:", f"  name: {name}", "  version: 1"]
    lines.append(f"  title: {_said(title)}")
    if made.undecided:
        lines += [_QUESTIONS.rstrip(), "  undecided:"]
        lines += [f"    {_said(k)}: {_said(v)}" for k, v in made.undecided.items()]
    if made.known_after_decision:
        lines += [_LATE.rstrip(), "  known_after_decision:"]
        for source, why in made.known_after_decision.items():
            lines.append(f"    - {_said(source)}  # {why}")
    if made.left_out:
        lines.append("  left_out:")
        lines += [f"    {_said(k)}: {_said(v)}" for k, v in made.left_out.items()]
    lines += ["  columns:", *_id(roles), *_columns(made), *_target(made, roles)]
    return "\n".join(lines) + "\n"


def environment_files(
    made: ProposedContract, form: FileForm, *, name: str, file: str
) -> dict[str, str]:
    """Write what an environment says beside its contract.

    Args:
        made: The proposal.
        form: How the file is written.
        name: Of the environment, and of model and Bento.
        file: Path of the raw file.

    Returns:
        File name -> content.
    """
    approve = _score(0.8 * made.bad_rate)
    decline = min(_score(1.6 * made.bad_rate), approve - 20)
    return {
        "globals.yml": (
            "# Nothing of this data set is taken for that of another.\n"
            f"name: {name}\ndata: data/{name}\nrelease: data/{name}/09_release\n"
        ),
        "catalog_ingestion.yml": _catalog(form, file),
        "parameters_feature_engineering.yml": (
            "feature_engineering:\n"
            "  # Made of the contract; or a module of credit_scoring.features.\n"
            "  feature_set: generic\n"
        ),
        "parameters_decision.yml": _decision(made, approve, decline),
        "parameters_promotion.yml": gates_yaml(made, file),
        "parameters_validation.yml": (
            "validation:\n"
            f"  minimum_rows: {min(1000, max(made.rows // 2, 1))}\n"
            "  minimum_rows_of_each_class: 50\n"
        ),
    }


def _catalog(form: FileForm, file: str) -> str:
    return (
        "# The file stays where it is; it is read from there and never copied.\n"
        "raw_applications:\n"
        "  type: credit_scoring.datasets.applications.ApplicationsFileDataset\n"
        f"  filepath: {_said(file)}\n"
        f"  delimiter: {_said(form.delimiter)}\n"
        f"  encoding: {form.encoding}\n"
        "  metadata:\n    kedro-viz:\n      layer: 01_raw\n      preview: false\n"
    )


def _decision(made: ProposedContract, approve: int, decline: int) -> str:
    bands = [("A", approve + 80), ("B", approve + 40), ("C", approve), ("D", decline)]
    listed = "".join(f"      - {{code: {c}, from: {s}}}\n" for c, s in bands)
    return (
        "decision:\n  policy:\n"
        f"    # Proposed from the bad rate of {made.bad_rate:.1%}: approved where\n"
        "    # the PD is below 0.8 of it, declined above 1.6. The lender decides.\n"
        f"    approve_from: {approve}\n    decline_below: {decline}\n    bands:\n"
        f"{listed}      - {{code: E}}\n"
        "    # What no score can soften, such as\n"
        "    # - {code: POLICY_X, outcome: refer, text: ..., "
        "when: {column: ..., at_least: 1}}\n"
        "    rules: []\n"
        f"  background:\n    minimum_rows: {min(1000, max(made.rows // 50, 20))}\n"
    )


def _score(pd_: float) -> int:
    """Score at a PD on the scale of conf/base, to the next ten points."""
    share = min(max(pd_, 0.001), 0.9)
    return (
        round((600 + 40 / math.log(2) * math.log((1 - share) / share / 20)) / 10) * 10
    )


def _id(roles: Roles) -> Iterator[str]:
    yield "    loan_id:"
    yield f"      source: {_said(roles.id_column)}"
    yield "      type: string"
    yield "      role: id"
    yield "      description: Identifies the application; it is never used to predict."
    yield '      pattern: "^[A-Za-z0-9._-]{1,64}$"'
    yield '      example: "A-1001"'


def _columns(made: ProposedContract) -> Iterator[str]:
    for name, (source, role, found) in made.columns.items():
        yield from _remarks(found)
        yield f"    {name}:"
        yield f"      source: {_said(source)}"
        yield f"      role: {role}"
        yield f"      description: {_said(name.replace('_', ' ').capitalize() + '.')}"
        said = {k: v for k, v in found.said.items() if not _withheld(k, role)}
        yield from (f"      {key}: {_said(value)}" for key, value in said.items())


def _withheld(key: str, role: str) -> bool:
    return role == "date" and key == "nullable"


def _remarks(found: Proposal) -> Iterator[str]:
    if found.remarks:
        yield f"    # {'; '.join(found.remarks)}"
    for question in found.questions:
        yield f"    # To decide: {question}"


def _target(made: ProposedContract, roles: Roles) -> Iterator[str]:
    yield "    bad:"
    yield f"      source: {_said(roles.target)}"
    yield "      type: integer"
    yield "      role: target"
    yield "      description: Whether the loan went bad."
    yield "      categories: {0: good, 1: bad}"
    if made.outcome:
        yield f"      file_values: {_said(made.outcome)}"
    if made.set_aside:
        why = dict.fromkeys(made.set_aside, "neither good nor bad")
        yield f"      set_aside: {_said(why)}"


def write_environment(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a new environment.

    Raises:
        FileExistsError: If it is there already.
    """
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
