"""``python -m credit_scoring.benchmark_data``: applications for benchmarks."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from credit_scoring.benchmark_data.smoothing import prepare_source
from credit_scoring.benchmark_data.writing import write_benchmark_data
from credit_scoring.command_line import (
    command_parser,
    number_between,
    whole_number,
)
from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.datasets.progress import row_progress
from credit_scoring.errors import BenchmarkDataError, ContractError

_SPREAD = 0.05
_DEFAULT = "(default: %(default)s)"


def main(arguments: Sequence[str]) -> int:
    """Write as many applications as are asked for.

    Args:
        arguments: Of the command line.

    Returns:
        0, or 1 if it was refused, which is said on standard error.

    Raises:
        SystemExit: If the command line is not understood, with 2.
    """
    options = _parser().parse_args(arguments)
    try:
        if not options.source.is_file():
            raise BenchmarkDataError(
                f"{options.source}: is not there; `kedro run --pipelines "
                "ingestion,validation` makes it"
            )
        source = prepare_source(
            pq.read_table(options.source),
            contract_from_yaml(options.contract),
            spread=options.spread,
        )
        with row_progress("Writing", options.rows) as progress:
            write_benchmark_data(
                source,
                options.output,
                rows=options.rows,
                seed=options.seed,
                progress=progress,
            )
    except (BenchmarkDataError, ContractError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{options.output}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "benchmark_data",
        does="Make applications that behave as real ones do, as Parquet that batch "
        "scoring reads. The exit code is 1 if it was refused.",
        example="--rows 1000000 --output data/benchmarks/million",
    )
    add = parser.add_argument
    add("--rows", type=whole_number(1), required=True, help="how many to make")
    add("--output", type=Path, required=True, help="a folder that is not there yet")
    add("--seed", type=whole_number(0), default=1, help=f"of the draws {_DEFAULT}")
    add(
        "--spread",
        type=number_between(0, 1),
        default=_SPREAD,
        help="standard deviation of the logarithm of the factor that amounts are "
        f"multiplied by {_DEFAULT}",
    )
    add(
        "--source",
        type=Path,
        default=Path("data/02_intermediate/validated_applications.parquet"),
        help=f"the real applications {_DEFAULT}",
    )
    add(
        "--contract",
        type=Path,
        default=Path("conf/base/parameters_contract.yml"),
        help=f"what their columns are {_DEFAULT}",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
