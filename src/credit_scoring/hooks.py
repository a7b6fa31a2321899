"""What a person reads during a run: progress, one summary, and errors that help."""

import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.validation.exceptions import ParameterValidationError

from credit_scoring.errors import RollbackRefusedError
from credit_scoring.json_log import facts_of
from credit_scoring.run_commands import first_unfinished, run_command
from credit_scoring.run_failures import (
    failure_text,
    misnaming_in,
    next_text,
    parameters_text,
    reason_of,
    refusal_in,
    says_enough,
)
from credit_scoring.run_inputs import require_inputs, require_known_parameters
from credit_scoring.run_marks import UnfinishedMarks
from credit_scoring.run_progress import DELAY_S, RunningLine
from credit_scoring.run_summary import SUMMARISED, TELLS_WHY, render_summary

logger = logging.getLogger(__name__)
# What is left where only errors and what came out are to be read.
outcome = logging.getLogger(f"{__name__}.outcome")

# It shows how far it is by itself.
_SHOWS_ITS_PROGRESS = "fit_candidate"


@dataclass
class _Work:
    """What a node does at the moment."""

    node: Node
    doing: str
    started: float = 0.0
    unsaved: int = 0
    ended: float = 0.0


class RunReportHooks:
    """Reports a run node by node and closes it with one table."""

    def __init__(self) -> None:
        """Start with nothing run."""
        self._context: KedroContext | None = None
        self._marks: UnfinishedMarks | None = None
        self._line = RunningLine()
        self._reset()

    def _reset(self, total: int = 0) -> None:
        self._total, self._counted = total, 0
        self._started = time.perf_counter()
        # Several nodes work at once under some runners.
        self._work: dict[str, _Work] = {}
        self._done: set[str] = set()
        self._results: dict[str, Any] = {}
        self._marked_now: set[str] = set()
        self._reported: BaseException | None = None

    # Others may refuse the run; then it is said without a traceback, too.
    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Note where the project is, and spare its errors their tracebacks."""
        self._context = context
        names = context.config_loader["globals"]
        self._marks = UnfinishedMarks(Path(context.project_path, names["data"]))
        _report_at_exit(self)

    # Before MLflow opens a run.
    @hook_impl(tryfirst=True)
    def before_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: Any
    ) -> None:
        """See that what is read is there and new; note how much there is to do.

        Raises:
            RunError: If it is not, or a parameter of the command is unknown.
        """
        self._reset(len(pipeline.nodes))
        if self._context is not None:
            given = run_params.get("runtime_params")
            require_known_parameters(self._context.config_loader, given)
        if self._marks is not None:
            require_inputs(pipeline, catalog, self._marks, run=run_params)
            outputs = pipeline.all_outputs()
            self._marked_now = outputs - set(self._marks.among(outputs))
            self._marks.put(outputs, run_command(run_params))

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Remember what is being read, for the message if it cannot be."""
        self._work[node.name] = _Work(node, f"while reading {dataset_name}")
        self._line.start(f"{self._position(1)} reading {dataset_name}")

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the node's clock."""
        work = _Work(node, "while it ran", time.perf_counter(), len(node.outputs))
        self._work[node.name] = work
        self._line.stop()
        if node.short_name.rpartition(".")[2] != _SHOWS_ITS_PROGRESS:
            self._line.start(f"{self._position(1)} {readable_name(node)}")

    @hook_impl
    def after_node_run(self, node: Node, outputs: Mapping[str, Any]) -> None:
        """Say that the node is done, and keep what the summary shows."""
        self._line.stop()
        self._counted += 1
        work = self._work[node.name]
        work.ended = time.perf_counter()
        self._tell(readable_name(node), work.ended - work.started)
        for name, value in outputs.items():
            if name.rpartition(".")[2] in SUMMARISED:
                self._results[name] = value
        if not work.unsaved:
            self._finish(node)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Remember what is being written, for the message if it cannot be."""
        self._work[node.name].doing = f"while writing {dataset_name}"
        self._line.start(f"{self._position(0)} writing {dataset_name}")

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Take the mark off the dataset."""
        self._line.stop()
        if self._marks is not None:
            self._marks.remove([dataset_name])
        work = self._work[node.name]
        work.unsaved -= 1
        if not work.unsaved:
            self._finish(node)

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline) -> None:
        """Close the run with one table."""
        if self._marks is not None:
            # Processes of a parallel run may not have done it.
            self._marks.remove(pipeline.all_outputs())
        elapsed = time.perf_counter() - self._started
        outcome.info("%s", render_summary(self._results, seconds=elapsed))

    @hook_impl
    def on_pipeline_error(
        self, error: Exception, run_params: Mapping[str, Any], pipeline: Pipeline
    ) -> None:
        """Say which node and dataset failed, why, and what to do next."""
        self._line.stop()
        again = go_on = run_command(run_params)
        if self._done:
            start = first_unfinished(pipeline, self._done)
            go_on = run_command(run_params, start=start)
        waiting: dict[str, str] = {}
        if self._marks is not None:
            if isinstance(error, RollbackRefusedError):
                self._marks.remove(self._marked_now)
            waiting = self._marks.among(pipeline.all_outputs())
            self._marks.put(waiting, go_on)
        # What still works when a run has stopped is what failed.
        failed = next(iter(self._work.values()), None)
        text = f"\nStopped.\n  Reason:    {reason_of(error)}"
        if failed is not None:
            text = failure_text(failed.node, failed.doing, error)
        logger.error("%s\n%s", text, next_text(go_on, again, waiting))
        if TELLS_WHY in self._results:
            told = {TELLS_WHY: self._results[TELLS_WHY]}
            elapsed = time.perf_counter() - self._started
            outcome.info("%s", render_summary(told, seconds=elapsed, done=False))
        self._reported = error

    def explain(self, error: BaseException) -> str | None:
        """Give what is left to say of an error that ends the command.

        Returns:
            Nothing or a text, for an error that says enough; None for one whose
            traceback is needed.
        """
        if isinstance(error, ParameterValidationError) and self._context is not None:
            return parameters_text(error, self._context)
        if error is self._reported and says_enough(error):
            return ""
        refusal = refusal_in(error)
        why = misnaming_in(error) if refusal is None else str(refusal)
        return None if why is None else f"\nNothing was run: {why}\n"

    def _finish(self, node: Node) -> None:
        self._done.add(node.name)
        work = self._work.pop(node.name)
        writing = time.perf_counter() - work.ended
        # What a generator or a folder's writer does is done here, not by the node.
        if writing >= DELAY_S:
            self._tell(f"{readable_name(node)}, written", writing)

    def _tell(self, what: str, seconds: float) -> None:
        facts = facts_of(what=what, seconds=round(seconds, 3))
        text = f"{self._position(0)} {what:<58} {seconds:6.1f} s"
        logger.info("%s", text, extra=facts)

    def _position(self, ahead: int) -> str:
        width = len(str(self._total))
        return f"[{self._counted + ahead:{width}}/{self._total}]"


def readable_name(node: Node) -> str:
    """Name a node as `pipeline or namespace: verb phrase`."""
    scope = node.namespace or next(iter(sorted(node.tags)), "")
    verb = node.short_name.rpartition(".")[2].replace("_", " ").lower()
    return f"{scope.replace('_', ' ')}: {verb}" if scope else verb


def _report_at_exit(hooks: RunReportHooks) -> None:
    """Spare the reader a traceback for an error that says what to do."""
    previous = sys.excepthook

    def report(
        kind: type[BaseException],
        error: BaseException,
        traceback: TracebackType | None,
    ) -> None:
        text = hooks.explain(error)
        if text is None:
            previous(kind, error, traceback)
        elif text:
            logger.error("%s", text)

    sys.excepthook = report
