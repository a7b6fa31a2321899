"""The hyper-parameter search: TPE with a fixed seed and a fixed budget."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import optuna
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from credit_scoring.boosting.parameters import (
    BoostingParameters,
    Hyperparameters,
    SearchRange,
    SearchSpace,
)


@dataclass(frozen=True)
class Trial:
    """What one set of hyper-parameters came to on the validation rows.

    Attributes:
        loss: Log loss; the search looks for the smallest.
        measures: Everything else worth a column in the trials' table.
    """

    loss: float
    measures: Mapping[str, float]

    @property
    def figures(self) -> dict[str, float]:
        """Give all of it, by the names that the trials' table has."""
        return {"validation_log_loss": self.loss, **self.measures}


def search_hyperparameters(
    evaluate: Callable[[Hyperparameters], Trial], parameters: BoostingParameters
) -> pd.DataFrame:
    """Try hyper-parameters one after another, as the budget allows.

    The same function, parameters and seed give the same table.

    Args:
        evaluate: Fits with some hyper-parameters, without side effects on others.
        parameters: Budget, seed, starting point and search space.

    Returns:
        One row a trial in order: ``trial`` (from 0), the hyper-parameters,
        ``validation_log_loss`` and the trial's measures.

    Source: Bergstra et al., Algorithms for Hyper-Parameter Optimization (2011).
    """
    study = _new_study(parameters)
    rows = []
    with _progress(parameters.n_trials) as advance:
        for number in range(parameters.n_trials):
            asked = study.ask()
            chosen = _suggest(asked, parameters.search_space)
            trial = evaluate(chosen)
            study.tell(asked, trial.loss)
            rows.append(
                {
                    "trial": number,
                    **chosen.model_dump(),
                    **trial.figures,
                }
            )
            advance()
    return pd.DataFrame(rows)


def _new_study(parameters: BoostingParameters) -> optuna.Study:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            direction="minimize",
            sampler=optuna.samplers.TPESampler(
                seed=parameters.seed, n_startup_trials=max(4, parameters.n_trials // 3)
            ),
        )
    finally:
        optuna.logging.set_verbosity(before)
    study.enqueue_trial(parameters.starting_point.model_dump())
    return study


def _suggest(trial: optuna.Trial, space: SearchSpace) -> Hyperparameters:
    values: dict[str, float] = {}
    for name in SearchSpace.model_fields:
        bounds: SearchRange = getattr(space, name)
        if name == "max_depth":
            values[name] = trial.suggest_int(name, int(bounds.low), int(bounds.high))
        else:
            values[name] = trial.suggest_float(
                name, bounds.low, bounds.high, log=bounds.log
            )
    return Hyperparameters.model_validate(values)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error while a person looks on; silence otherwise."""
    console = Console(stderr=True)
    columns = (
        TextColumn("search {task.fields[family]}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("search", total=total, family="boosting")
        yield lambda: bar.advance(task)
