"""The real engine on a month of applications, writing the real decision log."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.errors import SimulationError
from credit_scoring.registry.artifact import Artifact
from credit_scoring.serving.answers import DecisionAnswer, ModelAnswer, Role
from credit_scoring.serving.assembly import Models, router
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording import log_recorder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.scoring import Scoring
from credit_scoring.serving.settings import Settings

Values = NDArray[np.float64]
Contenders = Mapping[Role, tuple[str, Artifact]]

_TOGETHER = 250
_SHADOWS = "credit_scoring_decision_log_shadow_records_total"
_LONGEST_WAIT_SECONDS = 300.0


def request_of(loan_id: str, columns: Mapping[str, Values], row: int) -> bytes:
    """Write an application as a client sends it."""
    body: dict[str, object] = {"loan_id": loan_id}
    for name, values in columns.items():
        value = float(values[row])
        body[name] = (
            None if np.isnan(value) else int(value) if value.is_integer() else value
        )
    return json.dumps(body).encode()


class Desk:
    """Decides as the service does in `shadow`, at the times it is told."""

    def __init__(self, log_folder: Path, contenders: Contenders, *, ids: str) -> None:
        """Put the service's parts together.

        Args:
            log_folder: Of the decision log.
            contenders: Role -> version and artifact; without a challenger nobody
                follows.
            ids: Begins the identifiers of decisions; 8 hexadecimal digits.
        """
        settings = Settings(
            routing="shadow" if "challenger" in contenders else "champion",
            decision_log_dir=str(log_folder),
            challenger_waiting=1_000_000,
        )
        champion = contenders["champion"][1]
        decoder = RequestDecoder(champion.contract)
        runners = {
            role: InProcessRunner(
                engine=artifact.engine,
                decoder=decoder,
                model=ModelAnswer(
                    name="simulated", version=version, role=role, digest=artifact.digest
                ),
            )
            for role, (version, artifact) in contenders.items()
        }
        models = Models(
            champion.contract,
            decoder,
            runners["champion"],
            runners.get("challenger"),
        )
        registry = CollectorRegistry()
        self._registry = registry
        metrics = ServiceMetrics(registry)
        present = [runner for runner in runners.values() if runner is not None]
        self._recorder = log_recorder(
            champion.contract, present, settings, LogMetrics(registry)
        )
        self._router = router(
            models, settings, metrics.routing, listener=self._recorder.record_shadows
        )
        self._decoder, self._follows = decoder, "challenger" in contenders
        self._ids, self._count = ids, 0
        self._moments: Callable[[], datetime] = _no_moment
        self._scoring = Scoring(
            champion=runners["champion"],
            router=self._router,
            metrics=metrics,
            recorder=self._recorder,
            clock=self._now,
            new_id=self._new_id,
        )

    def decide(
        self, bodies: Sequence[bytes], at: Sequence[datetime]
    ) -> list[DecisionAnswer]:
        """Decide on applications, and wait until the challenger has followed.

        Args:
            bodies: As clients send them.
            at: When each comes.

        Raises:
            SimulationError: If one is not decided, or the challenger does not end.
        """
        self._moments = iter(at).__next__
        applications: list[Application] = [self._decoder.decode(b) for b in bodies]
        answers: list[DecisionAnswer] = []
        for start in range(0, len(applications), _TOGETHER):
            part = applications[start : start + _TOGETHER]
            for one in self._scoring.decide_many(part, explain=False):
                if isinstance(one, Exception):
                    raise SimulationError(
                        f"application {len(answers) + 1} was not decided: "
                        f"{type(one).__name__}"
                    )
                answers.append(one)
        self._wait_for(len(answers))
        return answers

    def close(self) -> None:
        """Close the log's segment."""
        self._router.close()
        self._recorder.close()

    def _now(self) -> datetime:
        return self._moments()

    def _new_id(self) -> str:
        self._count += 1
        return f"{self._ids}{self._count:024x}"

    def _wait_for(self, decisions: int) -> None:
        gives_up = time.monotonic() + _LONGEST_WAIT_SECONDS
        while self._follows and self._shadows() < decisions:
            if time.monotonic() > gives_up:
                raise SimulationError(
                    f"the challenger followed on {self._shadows():.0f} of {decisions} "
                    f"decisions within {_LONGEST_WAIT_SECONDS:.0f} s"
                )
            time.sleep(0.01)

    def _shadows(self) -> float:
        return self._registry.get_sample_value(_SHADOWS) or 0.0


def _no_moment() -> datetime:
    raise SimulationError("no application was to come")
