"""A first contract for a file: ``python -m credit_scoring.contract_proposal FILE``."""

import argparse
import sys
from pathlib import Path

from credit_scoring.command_line import command_parser
from credit_scoring.contract.reading import table_from_bytes
from credit_scoring.contract_proposal.proposing import Roles, propose_contract
from credit_scoring.contract_proposal.sniffing import sniff
from credit_scoring.contract_proposal.writing import (
    contract_yaml,
    environment_files,
    write_environment,
)
from credit_scoring.errors import ContractError, CreditScoringError

_ENVIRONMENT_NAME = r"[a-z][a-z0-9_]*"


def main(arguments: list[str]) -> int:
    """Propose a contract; write it out, or with all of an environment to conf/."""
    given = _parser().parse_args(arguments)
    roles = Roles(
        target=given.target,
        id_column=given.id,
        bad=tuple(given.bad),
        good=tuple(given.good),
        date=given.date,
    )
    try:
        print(_proposed(given.file, roles, given.environment), end="")  # noqa: T201
    except CreditScoringError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the caller reads
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _proposed(path: Path, roles: Roles, environment: str | None) -> str:
    content = path.read_bytes()
    form = sniff(content, str(path))
    table = table_from_bytes(
        content, name=str(path), delimiter=form.delimiter, encoding=form.encoding
    )
    made = propose_contract(table, roles)
    name = environment or "proposed"
    contract = contract_yaml(made, roles, name=name, title=f"Applications of {name}")
    if environment is None:
        return contract
    folder = Path("conf", environment)
    if folder.exists():
        raise ContractError(
            f"{folder} is there already; delete it or take another name"
        )
    files = environment_files(made, form, name=environment, file=str(path))
    write_environment(folder, {"parameters_contract.yml": contract, **files})
    return (
        f"{folder}: {len(made.columns)} columns used, {len(made.left_out)} left out, "
        f"{len(made.known_after_decision)} known only after the decision; "
        f"{made.bad_rate:.1%} bad.\n"
        f"{len(made.undecided)} questions wait in {folder}/parameters_contract.yml. "
        f"Answer them, then:\n  kedro run --env {environment}\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "contract_proposal",
        does="Propose a contract for a delimited file, with questions that a person "
        "must answer, on standard output; or write all that a run needs as an "
        "environment. docs/how-to/bring-your-own-data.md leads on. The exit code "
        "is 1 if the file cannot be used.",
        example="loans.csv --id CustomerNo --target Status --bad defaulted \\\n"
        "    --good repaid --environment my_lender",
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="CSV with a header, plain or gzip")
    add("--target", required=True, metavar="COLUMN", help="holds the outcome")
    add("--id", required=True, metavar="COLUMN", help="tells applications apart")
    add(
        "--bad",
        action="append",
        default=[],
        metavar="VALUE",
        help="value of the target that is bad; may be given several times",
    )
    add(
        "--good",
        action="append",
        default=[],
        metavar="VALUE",
        help="value of the target that is good; may be given several times",
    )
    add("--date", metavar="COLUMN", help="when the application was made")
    add(
        "--environment",
        type=_environment,
        metavar="NAME",
        help="write conf/NAME with all that a run needs, not only the contract",
    )
    return parser


def _environment(name: str) -> str:
    import re

    if not re.fullmatch(_ENVIRONMENT_NAME, name):
        raise argparse.ArgumentTypeError(f"not a name like my_lender: {name!r}")
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
