"""Where the time of a request goes that comes alone, and what waiting adds to it.

    make bench-alone        # python tests/benchmarks/lone_request.py

The served champion decides on real applications in this process, without HTTP, by the
very functions of the service, and each step is timed. Once the requests follow each
other at once, so that code and data stay in the processor's caches, as under load; once
each comes after a pause, as from a client that sends the next one when it has the
answer. The two take turns, and a table shows the medians.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import uvloop
from prometheus_client import CollectorRegistry

from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import MOST_REASONS, Decision
from credit_scoring.serving.answers import DecisionAnswer, new_decision_id, now
from credit_scoring.serving.assembly import Models, decision_recorder, scoring_app
from credit_scoring.serving.messages import Message, json_reply
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording import Answered, LogRecorder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.scoring import Stamp, answer_of
from credit_scoring.serving.settings import Settings
from replay import applications, served_models

ROUND = 200

Lap = Callable[[str], None]


class Stopwatch:
    """Sums up what each step of a request took."""

    def __init__(self) -> None:
        """Start with nothing taken."""
        self.taken: dict[str, list[int]] = {}
        self._last = 0

    def start(self) -> None:
        """Begin a request."""
        self._last = time.perf_counter_ns()

    def lap(self, step: str) -> None:
        """End a step of it."""
        reached = time.perf_counter_ns()
        self.taken.setdefault(step, []).append(reached - self._last)
        self._last = time.perf_counter_ns()

    def medians(self) -> dict[str, float]:
        """Give the median of each step, in microseconds."""
        return {s: float(np.median(taken)) / 1000 for s, taken in self.taken.items()}


class Steps:
    """The service's work on one request, step by step."""

    def __init__(
        self, models: Models, recorder: LogRecorder, metrics: ServiceMetrics
    ) -> None:
        """Take the parts of the service."""
        self.decoder = models.decoder
        self.champion = models.champion
        self.recorder = recorder
        self.metrics = metrics

    def __call__(self, body: bytes, lap: Lap) -> None:
        """Do it all, and say when each step is done."""
        application = self.decoder.decode(body)
        lap("decode and validate")
        rows = self.decoder.rows([application])
        lap("row of the application")
        self._kernels(rows, lap)
        (decision,) = self.champion.engine.decide_rows(rows, explain=True).rows()
        lap("all of the decision, with reasons")
        answer = self._answer(application, decision)
        lap("answer with id and time")
        self.recorder.record_many(
            [Answered(application, decision, answer, arm="champion", explained=True)]
        )
        lap("decision log")
        self.metrics.count_decision(answer)
        self.metrics.count_request("/predict", 200, 0.001)
        lap("notes for the metrics")
        json_reply(answer)
        lap("encode")

    def _kernels(self, rows: Any, lap: Lap) -> None:
        """Compute what the decision computes again, to see its parts."""
        engine = self.champion.engine
        x = engine.features.compute_rows(rows, engine._input_places)
        lap("  of it features")
        engine.model.margin(x)
        lap("  of it margin")
        contributions = engine.model.contributions(x)
        lap("  of it Shapley values")
        engine.groups.explain(contributions, engine.points_per_unit)
        lap(f"  of it the {MOST_REASONS} reasons in words")

    def _answer(self, application: Application, decision: Decision) -> DecisionAnswer:
        stamp = Stamp(new_decision_id(), now())
        return answer_of(
            self.champion, application, decision, source="request", stamp=stamp
        )


def main() -> None:
    """Measure in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--pause-us", type=float, default=300.0)
    asked = parser.parse_args()
    models = served_models()
    bodies = applications(models, 3000)
    with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
        settings = Settings.model_validate({"decision_log_dir": place})
        registry = CollectorRegistry()
        recorder = decision_recorder(models, settings, LogMetrics(registry))
        metrics = ServiceMetrics(registry)
        steps = Steps(models, recorder, metrics)
        whole = _whole_app(models, settings, recorder)
        at_once, paused = Stopwatch(), Stopwatch()
        for number in range(asked.rounds + 1):
            taken = bodies[number * ROUND % len(bodies) :][:ROUND]
            for watch, pause in ((at_once, 0.0), (paused, asked.pause_us / 1e6)):
                for body in taken:
                    _rest(pause)
                    watch.start()
                    steps(body, watch.lap)
                uvloop.run(whole(taken, pause, watch))
                metrics.tally.flush()
            if number == 0:  # it was the warm-up
                at_once.taken.clear()
                paused.taken.clear()
        recorder.close()
    _print(at_once.medians(), paused.medians(), asked.pause_us)


def _rest(seconds: float) -> None:
    if seconds:
        time.sleep(seconds)


def _whole_app(
    models: Models, settings: Settings, recorder: LogRecorder
) -> Callable[[list[bytes], float, Stopwatch], Any]:
    app = scoring_app(
        models, settings, ServiceMetrics(CollectorRegistry()), recorder=recorder
    )
    scope = {
        "type": "http",
        "path": "/predict",
        "method": "POST",
        "query_string": b"reasons=true",
        "headers": [(b"content-type", b"application/json")],
    }

    async def send(message: Message) -> None:
        """Take the answer."""

    async def whole(taken: list[bytes], pause: float, watch: Stopwatch) -> None:
        for body in taken:
            message = {"type": "http.request", "body": body, "more_body": False}

            async def receive(message: Message = message) -> Message:
                return message

            _rest(pause)
            watch.start()
            await app(dict(scope), receive, send)
            watch.lap("the whole app, in the event loop")

    return whole


def _print(at_once: dict[str, float], paused: dict[str, float], pause: float) -> None:
    say = sys.stdout.write
    say(f"| step | at once, us | after {pause:.0f} us of rest, us | ratio |\n")
    say("| --- | ---: | ---: | ---: |\n")
    for step, took in at_once.items():
        rested = paused[step]
        say(f"| {step} | {took:.1f} | {rested:.1f} | {rested / took:.2f} |\n")


if __name__ == "__main__":
    main()
