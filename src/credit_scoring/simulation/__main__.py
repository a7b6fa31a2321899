"""``python -m credit_scoring.simulation``: the simulated year and its report."""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from credit_scoring import settings
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.command_line import (
    command_parser,
    number_between,
    whole_number,
)
from credit_scoring.configuration import ProjectConfigLoader
from credit_scoring.errors import CreditScoringError, SimulationError
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.provenance import project_folder
from credit_scoring.run_progress import RunningLine
from credit_scoring.simulation.report import (
    simulation_page,
    summary_lines,
    write_pictures,
)
from credit_scoring.simulation.roles import MODEL
from credit_scoring.simulation.simulating import Asked, Models, simulate
from credit_scoring.simulation.stream import DAYS_OF_A_MONTH, Drift, Held
from credit_scoring.simulation.year import Plan
from credit_scoring.startup import prepare

DRIFTING = "credit_limit"
HOURS_OF_A_MONTH = 24 * DAYS_OF_A_MONTH
_STRENGTH = (
    "of the drift: applicants of the lowest credit limit come exp(strength) times as "
    "often as those of the highest"
)


def main(arguments: Sequence[str]) -> int:
    """Simulate, and write the report.

    Args:
        arguments: Of the command line.

    Returns:
        0, or 1 if there is nothing to simulate with, which is said.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    size, window = options.applications, options.window
    if size % window or size > HOURS_OF_A_MONTH * window:
        parser.error(
            f"--applications ({size}) must be a multiple of --window ({window}), at "
            f"most {HOURS_OF_A_MONTH} times as many: no window is below an hour"
        )
    quieten_libraries()
    line = RunningLine()
    line.start(f"Living through two years of {options.months} months, and many more")
    try:
        told = _simulated(options)
    except CreditScoringError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        line.stop()
    sys.stdout.writelines(f"{one}\n" for one in told)
    return 0


def _simulated(options: argparse.Namespace) -> list[str]:
    data = options.data
    with tempfile.TemporaryDirectory(prefix="credit_scoring-year-") as place:
        found = simulate(
            Path(place),
            Models(data / "09_release/boosting", data / "09_release/scorecard"),
            read_held(data / "05_model_input/test_applications.parquet"),
            _plan(options),
            _asked(options),
        )
    folder = options.output or data / "08_reporting/simulated_year"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=2, allow_nan=False)
    (folder / "simulated_year.json").write_text(text, encoding="utf-8")
    page = folder / "simulated_year.html"
    page.write_text(simulation_page(found), encoding="utf-8")
    if options.pictures:
        write_pictures(found["years"], options.pictures, alpha=options.alpha)
    return [*summary_lines(found), f"{'Report':<12}  {page}"]


def quieten_libraries() -> None:
    """Leave out what a year would say hundreds of times, and nobody acts on."""
    for name in ("credit_scoring", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It looks for fonts that a machine may not have, and takes another.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def read_held(path: Path) -> Held:
    """Read the held-out applications.

    Raises:
        SimulationError: If they are not there.
    """
    if not path.is_file():
        raise SimulationError(f"{path} is not there: do `kedro run` first")
    table = pd.read_parquet(path).astype(np.float64)
    names = [name for name in table if name != "bad"]
    columns = {str(name): table[name].to_numpy() for name in names}
    return Held(columns, table["bad"].to_numpy())


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        months=options.months,
        size=options.applications,
        lag_months=options.lag,
        window=options.window,
        drift=Drift(DRIFTING, options.months // 2, options.strength),
        seed=options.seed,
    )


def _asked(options: argparse.Namespace) -> Asked:
    conf = project_folder() / "conf"
    arguments: Mapping[str, Any] = settings.CONFIG_LOADER_ARGS
    loader = ProjectConfigLoader(str(conf), **arguments)
    given = loader["parameters"]
    challenge = {**given["challenge"], "registered_model": MODEL, "carry_out": True}
    return Asked(
        ChallengeParameters.model_validate(challenge),
        GateParameters.model_validate(given["promotion"]["gates"]),
        MonitoringParameters.model_validate(
            {
                **given["monitoring"],
                "registered_model": MODEL,
                "window_hours": HOURS_OF_A_MONTH
                * options.window
                // options.applications,
                "settle_minutes": 0,
                "least_decisions": options.window // 2,
                # Evidently's report of each window would take most of the time.
                "sample_rows": 0,
            }
        ),
        options.alpha,
        options.years,
    )


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "simulation",
        does="Live through two years of decisions, outcomes and drift with the models "
        "of `kedro run`, count alarms over many more, and write a report. Nothing "
        "but the report is kept. Some minutes; the exit code is 1 without a "
        "`kedro run`.",
        example="--months 12 --years 50",
    )

    def add(name: str, kind: Callable[[str], Any], default: Any, says: str) -> None:
        said = says if default is None else f"{says} (default: {default})"
        parser.add_argument(f"--{name}", type=kind, default=default, help=said)

    add("data", Path, Path("data"), "folder of the default run's datasets")
    add("output", Path, None, "folder of the report (default: one below --data)")
    add("months", whole_number(2), 12, "length of a year; half of it has drift")
    add("applications", whole_number(50), 1500, "in a month; whole windows")
    add("lag", whole_number(0), 3, "months until outcomes are reported")
    add("window", whole_number(50), 500, "decisions in a window of drift")
    add("alpha", number_between(0, 1), 1e-4, "chance of an alarm in a window")
    add("strength", number_between(0, 20), 1.0, _STRENGTH)
    add("years", whole_number(1), 100, "that alarms are counted in")
    add("seed", whole_number(0), 1, "of the draws")
    add("pictures", Path, None, "folder for the plots as files, too (default: none)")
    return parser


if __name__ == "__main__":
    prepare()
    sys.exit(main(sys.argv[1:]))
