"""``python -m credit_scoring.simulation``: the simulated year and its report."""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from credit_scoring import settings
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.configuration import ProjectConfigLoader
from credit_scoring.errors import SimulationError
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.provenance import project_folder
from credit_scoring.simulation.report import simulation_page, write_pictures
from credit_scoring.simulation.roles import MODEL
from credit_scoring.simulation.simulating import Asked, Models, simulate
from credit_scoring.simulation.stream import DAYS_OF_A_MONTH, Drift, Held
from credit_scoring.simulation.year import Plan
from credit_scoring.startup import prepare

DRIFTING = "credit_limit"
HOURS_OF_A_MONTH = 24 * DAYS_OF_A_MONTH


def main(arguments: Sequence[str]) -> int:
    """Simulate, and write the report.

    Args:
        arguments: Of the command line.

    Returns:
        0.

    Raises:
        SimulationError: If the default run was not done before.
    """
    options = _parser().parse_args(arguments)
    quieten_libraries()
    data = Path(options.data)
    with tempfile.TemporaryDirectory(prefix="credit_scoring-year-") as place:
        found = simulate(
            Path(place),
            Models(data / "09_release/boosting", data / "09_release/scorecard"),
            read_held(data / "05_model_input/test_applications.parquet"),
            _plan(options),
            _asked(options),
        )
    folder = Path(options.output or data / "08_reporting/simulated_year")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=2, allow_nan=False)
    (folder / "simulated_year.json").write_text(text, encoding="utf-8")
    page = folder / "simulated_year.html"
    page.write_text(simulation_page(found), encoding="utf-8")
    if options.pictures:
        write_pictures(found["years"], Path(options.pictures), alpha=options.alpha)
    sys.stdout.write(f"{page}\n")
    return 0


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
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    add = parser.add_argument
    add("--data", default="data", help="folder of the default run's datasets")
    add("--output", default="", help="folder of the report; by default below data")
    add("--months", type=int, default=12, help="length of a year")
    add("--applications", type=int, default=1500, help="a month; whole windows")
    add("--lag", type=int, default=3, help="months until outcomes are reported")
    add("--window", type=int, default=500, help="decisions in a window of drift")
    add("--alpha", type=float, default=1e-4, help="chance of an alarm in a window")
    add("--strength", type=float, default=1.0, help="of the drift")
    add("--years", type=int, default=100, help="that alarms are counted in")
    add("--seed", type=int, default=1, help="of the draws")
    add("--pictures", default="", help="a folder for the plots, too")
    return parser


if __name__ == "__main__":
    prepare()
    sys.exit(main(sys.argv[1:]))
