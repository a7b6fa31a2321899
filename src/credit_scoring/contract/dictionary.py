"""The data dictionary in words: Markdown, generated from the contract."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from credit_scoring.command_line import command_parser
from credit_scoring.contract.dates import ISO
from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.model import Column, Contract, Move, Role
from credit_scoring.contract.rules import plain
from credit_scoring.errors import ContractError

_PAGE = "docs/reference/data-dictionary.md"
_ROLES = {
    Role.ID: "identifies the loan; never a feature",
    Role.APPLICATION: "known when the application is made; a feature may use it",
    Role.HISTORY: "from the account's statements; a feature may use it",
    Role.PROTECTED: "for fairness measurement alone; never a feature",
    Role.TARGET: "the outcome to predict; never a feature",
    Role.DATE: "places the row in time; never a feature",
}


def data_dictionary(
    contract: Contract,
    *,
    source: str = "conf/base/parameters_contract.yml",
    page: str = _PAGE,
) -> str:
    """Write the data dictionary of a contract as Markdown.

    Args:
        contract: The contract.
        source: The file that it is in.
        page: The file that the page is kept in.
    """
    named = source if page == _PAGE else f"{source} {page}"
    return "\n".join(
        [
            "# Data dictionary",
            "",
            f"{contract.title}: contract `{contract.name}`, version "
            f"{contract.version}, {len(contract.columns)} columns.",
            "",
            "This page is written by `credit_scoring.contract.dictionary` from",
            f"`{source}`. Change the contract, then run",
            f"`python -m credit_scoring.contract.dictionary {named} > {page}`.",
            "",
            *_overview(contract),
            "",
            "## Roles",
            "",
            *[f"- `{r}`: {_ROLES[r]}." for r in Role if contract.names(r)],
            "",
            "## Columns",
            *[
                line
                for name, column in contract.columns.items()
                for line in _section(name, column)
            ],
            *_recourse(contract),
            *_unused(contract),
            "",
        ]
    )


def _recourse(contract: Contract) -> list[str]:
    recourse = contract.recourse
    lines = []
    if recourse.columns:
        lines += [
            "",
            "## What applicants can change",
            "",
            "What would take an application to an approval is searched in these",
            "columns alone.",
            "",
            "| column | can go | as far as | how |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| `{name}` | {move.direction} | {_farthest(move)} "
            f"| {_escaped(move.advice)} |"
            for name, move in recourse.columns.items()
        ]
    if recourse.cannot_be_changed is not None:
        lines += ["", recourse.cannot_be_changed.strip()]
    return lines


def _farthest(move: Move) -> str:
    if isinstance(move.to, str):
        return f"`{move.to}`"
    return "its range" if move.to is None else plain(move.to)


def _unused(contract: Contract) -> list[str]:
    lines = []
    if contract.known_after_decision:
        named = ", ".join(f"`{name}`" for name in contract.known_after_decision)
        lines += [
            "",
            "## Known only after the decision",
            "",
            "What became of the loan; a run that offers one of these to a feature is",
            f"refused: {named}.",
        ]
    if contract.left_out:
        lines += ["", "## Left out", "", "| in the file | why |", "| --- | --- |"]
        lines += [
            f"| `{name}` | {_escaped(' '.join(why.split()))} |"
            for name, why in contract.left_out.items()
        ]
    return lines


def _overview(contract: Contract) -> list[str]:
    lines = [
        "| column | in the file | role | type | unit | accepted | missing |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, column in contract.columns.items():
        cells = [
            f"[`{name}`](#{name})",
            f"`{column.source}`",
            str(column.role),
            column.type,
            column.unit or "",
            _accepted(column),
            "allowed" if column.nullable else "refused",
        ]
        lines.append(f"| {' | '.join(_escaped(cell) for cell in cells)} |")
    return lines


def _accepted(column: Column) -> str:
    if column.pattern is not None:
        return f"`{column.pattern}`"
    if column.categories is not None and column.type == "string":
        return ", ".join(column.categories.values())
    if column.categories is not None:
        return ", ".join(str(code) for code in sorted(column.categories))
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{plain(low)} to {plain(high)}"
    if low is not None:
        return f"at least {plain(low)}"
    return f"at most {plain(high)}" if high is not None else "any"


def _section(name: str, column: Column) -> list[str]:
    lines = ["", f"### {name}", "", column.description.strip()]
    if column.categories is not None:
        lines += ["", "| code | meaning |", "| --- | --- |"]
        lines += [
            f"| {code} | {_escaped(meaning)} |"
            for code, meaning in sorted(column.categories.items())
        ]
    if column.recode_reason is not None:
        pairs = ", ".join(f"{old} as {new}" for old, new in column.recode.items())
        lines += ["", f"Read {pairs}. {column.recode_reason.strip()}"]
    lines += _in_files(column)
    if column.sentinels:
        values = ", ".join(plain(value) for value in column.sentinels)
        lines += ["", f"Read as missing: {values}."]
    if column.example is not None:
        lines += ["", f"Example: `{column.example}`."]
    return lines


_FORMATS = {
    "percent": "a percentage, `10.65%`; a request and a feature have the share, 0.1065",
    "grouped": "thousands apart, `$1,234.50`; a request has the number alone",
    "decimal_comma": "with a decimal comma, `1.234,50`; a request has the number alone",
}


def _in_files(column: Column) -> list[str]:
    lines = []
    if column.type == "date":
        written = " or ".join(f"`{one}`" for one in column.date_formats)
        lines += ["", f"In files: {written}. In requests: `{ISO}`."]
    if column.format is not None:
        lines += ["", f"In files: {_FORMATS[column.format]}."]
    if column.file_values:
        lines += ["", "| in files | stands for |", "| --- | --- |"]
        lines += [
            f"| {_escaped(text)} | {plain(value)} |"
            for text, value in column.file_values.items()
        ]
    if column.set_aside:
        lines += ["", "| in files | its row is set aside |", "| --- | --- |"]
        lines += [
            f"| {_escaped(t)} | {_escaped(w)} |" for t, w in column.set_aside.items()
        ]
    if column.missing_values:
        named = ", ".join(f"`{text}`" for text in column.missing_values)
        lines += ["", f"In files, read as missing: {named}."]
    return lines


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def write_page(source: str, page: Callable[[Contract], str]) -> int:
    """Write a page about the contract of a file to standard output.

    Args:
        source: The contract's file.
        page: Makes the page.

    Returns:
        Exit code: 0, or 1 if there is no contract in the file, which is said on
        standard error.
    """
    try:
        contract = contract_from_yaml(Path(source))
    except ContractError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(page(contract))
    return 0


def main(arguments: Sequence[str]) -> int:
    """Write the data dictionary of a contract file to standard output.

    Args:
        arguments: The contract's file, and the page's if it is not the default one.

    Returns:
        0, or 1 if there is no contract in the file.
    """
    parser = command_parser(
        "contract.dictionary",
        does="Write the data dictionary of a contract, as Markdown, to standard "
        "output. The exit code is 1 if there is no contract in the file.",
        example=f"conf/base/parameters_contract.yml > {_PAGE}",
    )
    parser.add_argument("source", metavar="CONTRACT", help="file of the contract")
    parser.add_argument(
        "page",
        nargs="?",
        default=_PAGE,
        metavar="PAGE",
        help="where the page will be, which it says itself (default: %(default)s)",
    )
    named = parser.parse_args(arguments)
    return write_page(
        named.source, lambda contract: data_dictionary(contract, **vars(named))
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
