"""``python -m credit_scoring.benchmark_data``: applications for benchmarks."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from credit_scoring.benchmark_data.smoothing import prepare_source
from credit_scoring.benchmark_data.writing import write_benchmark_data
from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.datasets.progress import row_progress
from credit_scoring.errors import BenchmarkDataError, ContractError

_SPREAD = 0.05


def main(arguments: Sequence[str]) -> int:
    """Write as many applications as are asked for.

    Args:
        arguments: Of the command line.

    Returns:
        0, or 1 if it was refused, which is said on standard error.
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
    parser = argparse.ArgumentParser(
        prog="python -m credit_scoring.benchmark_data", description=__doc__
    )
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="a new folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--spread", type=float, default=_SPREAD, help="of factors, as a logarithm"
    )
    parser.add_argument(
        "--source",
        type=Path,
        default=Path("data/02_intermediate/validated_applications.parquet"),
    )
    parser.add_argument(
        "--contract", type=Path, default=Path("conf/base/parameters_contract.yml")
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
