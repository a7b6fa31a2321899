"""What a person reads during a run: progress, one summary, and errors that help."""

import logging
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from credit_scoring.errors import CreditScoringError
from credit_scoring.run_summary import SUMMARISED, render_summary

logger = logging.getLogger(__name__)


class RunReportHooks:
    """Reports a run node by node and closes it with one table."""

    def __init__(self) -> None:
        """Start with nothing run."""
        self._total = 0
        self._done = 0
        self._started = 0.0
        self._node_started = 0.0
        self._current: Node | None = None
        self._dataset: str | None = None
        self._results: dict[str, Any] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Note how much there is to do."""
        self._total, self._done = len(pipeline.nodes), 0
        self._started = time.perf_counter()
        self._results = {}

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Remember what is being read, for the message if it cannot be."""
        self._current, self._dataset = node, dataset_name

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the node's clock."""
        self._current, self._dataset = node, None
        self._node_started = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node, outputs: Mapping[str, Any]) -> None:
        """Say that the node is done, and keep what the summary shows."""
        self._done += 1
        seconds = time.perf_counter() - self._node_started
        width = len(str(self._total))
        logger.info(
            "[%*d/%d] %-58s %6.1f s",
            width,
            self._done,
            self._total,
            readable_name(node),
            seconds,
        )
        for name, value in outputs.items():
            if name.rpartition(".")[2] in SUMMARISED:
                self._results[name] = value

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Close the run with one table."""
        elapsed = time.perf_counter() - self._started
        logger.info("%s", render_summary(self._results, seconds=elapsed))

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Say which node and dataset failed, why, and what to do next."""
        refusal = refusal_in(error)
        if self._current is None:
            return
        logger.error("%s", failure_text(self._current, self._dataset, refusal or error))
        if refusal is not None:
            _leave_out_traceback()


def readable_name(node: Node) -> str:
    """Name a node as `pipeline or namespace: verb phrase`."""
    scope = node.namespace or next(iter(sorted(node.tags)), "")
    verb = node.short_name.rpartition(".")[2].replace("_", " ").lower()
    return f"{scope.replace('_', ' ')}: {verb}" if scope else verb


def refusal_in(error: BaseException) -> CreditScoringError | None:
    """Find the platform's own error that caused another, if there is one."""
    current: BaseException | None = error
    while current is not None:
        if isinstance(current, CreditScoringError):
            return current
        current = current.__cause__ or current.__context__
    return None


def failure_text(node: Node, dataset: str | None, error: BaseException) -> str:
    """Tell a person where a run stopped, why, and how it goes on."""
    where = f"while reading dataset {dataset!r}" if dataset else "while it ran"
    reads = ", ".join(n for n in node.inputs if not n.startswith("param")) or "-"
    return (
        f"\nStopped at node {node.name!r} {where}.\n"
        f"  It reads:  {reads}\n"
        f"  It makes:  {', '.join(node.outputs) or '-'}\n"
        f"  Reason:    {error}\n"
        "  Next:      mend the cause, then go on from here with\n"
        f"             kedro run --from-nodes={node.name}\n"
    )


def _leave_out_traceback() -> None:
    """Spare the reader a traceback for an error that already says what to do."""
    previous = sys.excepthook

    def quiet(
        kind: type[BaseException],
        error: BaseException,
        traceback: TracebackType | None,
    ) -> None:
        if refusal_in(error) is None:
            previous(kind, error, traceback)

    sys.excepthook = quiet
