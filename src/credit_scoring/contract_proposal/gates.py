"""Gates for a data set that nobody knows yet: modest, and by the groups it has."""

from collections.abc import Iterator

from credit_scoring.contract_proposal.notation import said
from credit_scoring.contract_proposal.proposing import ProposedContract
from credit_scoring.contract_proposal.suspicion import words_of

_ELDERLY = "{under_62: {below: 62}, from_62: {at_least: 62}}"
_NO_ATTRIBUTE = (
    "No protected attribute with groups is named. Fairness must be measured before "
    "a model decides on anybody."
)


def gates_yaml(made: ProposedContract, file: str) -> str:
    """Write the gates of a proposed contract.

    Fairness is measured by the categories of each protected column, and by age of
    62 where a number is named so; a person names the groups that count.

    Args:
        made: The proposal.
        file: Path of the raw file.
    """
    attributes = dict(_attributes(made))
    listed = "".join(f"        {name}: {text}\n" for name, text in attributes.items())
    listed = f"\n{listed}" if attributes else " {}\n"
    waiver = f"      waiver: {said(_NO_ATTRIBUTE)}\n"
    return (
        f"promotion:\n  data_source: {said(file)}\n  gates:\n"
        "    # Below this no model is worth having; raise it.\n"
        "    minimum_auc: 0.60\n"
        "    calibration:\n      rule: estimate\n"
        "      slope: {low: 0.7, high: 1.4}\n"
        "      in_the_large: {low: -0.3, high: 0.3}\n"
        "    fairness:\n"
        f"      attributes:{listed}{'' if attributes else waiver}"
        "    profit:\n      costs:\n"
        "        # What a good earns and a bad costs, as a share of the loan;\n"
        "        # exposure names the amount, null counts each loan as one.\n"
        "        gain_from_good: 0.10\n        loss_from_bad: 0.50\n"
        "        exposure: null\n      # Set it to 0 once the figures are yours.\n"
        "      minimum: -1.0\n"
    )


def _attributes(made: ProposedContract) -> Iterator[tuple[str, str]]:
    for name, (source, role, found) in made.columns.items():
        if role != "protected":
            continue
        codes = found.said.get("categories")
        if codes:
            groups = {f"code_{code}": {"values": [code]} for code in codes}
            yield name, f"{{column: {name}, groups: {said(groups)}}}"
        elif "age" in words_of(source):
            yield name, f"{{column: {name}, groups: {_ELDERLY}}}"
