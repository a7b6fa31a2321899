"""A year, month by month: decisions, outcomes, looks at the challenger, verdicts."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from credit_scoring.challenge.concluding import ask_registry, carry_out
from credit_scoring.challenge.looking import take_look
from credit_scoring.challenge.looks import Look
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.decision_log.reader import read_decisions
from credit_scoring.decision_log.records import Origin, OutcomeEntry
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.outcomes.decisions import read_decision_table, read_outcome_table
from credit_scoring.outcomes.joining import join_outcomes
from credit_scoring.pipelines.monitoring.nodes import (
    index_decision_log,
    monitor_windows,
)
from credit_scoring.registry.artifact import Artifact, load_artifact
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.promoting import Promotions
from credit_scoring.serving.answers import Role
from credit_scoring.simulation.deciding import Desk, request_of
from credit_scoring.simulation.noticing import Reference, Window, look_at_windows
from credit_scoring.simulation.roles import artifact_folder
from credit_scoring.simulation.stream import (
    BEGIN,
    DAYS_OF_A_MONTH,
    Drift,
    Held,
    draw_month,
    moments,
)

# Bad is seen on the 20th day; good when the window of a month has ended.
_DAYS_UNTIL = {1: 20, 0: 31}
_WINDOW_MONTHS = 1
NOT_WELL = ("warn", "alert")
_ROLES: tuple[Role, ...] = ("champion", "challenger")


@dataclass(frozen=True)
class Plan:
    """How a year goes.

    Attributes:
        months: How many, of 30 days each.
        size: Applications a month; whole windows.
        lag_months: Months until the outcomes of a month are reported.
        window: Decisions in a window of drift.
        drift: What changes; None for nothing.
        seed: Of the draws.
    """

    months: int
    size: int
    lag_months: int
    window: int
    drift: Drift | None
    seed: int


@dataclass
class Happened:
    """What happened in a year.

    Attributes:
        decisions: How many were made.
        windows: Of drift, in order.
        monitored: Windows as the monitoring pipeline judged them, in order: begin,
            count of decisions up to the end, verdict, and what is not well.
        looks: Taken at the challenger.
        verdicts: Month, verdict, why, and the kind of the record, if one was made.
        roles: Month -> versions of champion and challenger at its begin.
        counts: Outcomes and decisions, as the last join counted them.
    """

    decisions: int = 0
    windows: list[Window] = field(default_factory=list)
    monitored: list[dict[str, Any]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    roles: list[list[int | None]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class Year:
    """Lives through a year."""

    def __init__(
        self,
        folder: Path,
        promotions: Promotions,
        held: Held,
        plan: Plan,
        *,
        asked: tuple[ChallengeParameters, GateParameters, MonitoringParameters],
    ) -> None:
        """Begin.

        Args:
            folder: Logs are written below it.
            promotions: Champion and challenger, and their records.
            held: The population.
            plan: How the year goes.
            asked: What the challenge and the monitoring pipeline ask.
        """
        self._decisions, self._outcomes = folder / "decisions", folder / "outcomes"
        self._promotions, self._held, self._plan = promotions, held, plan
        self._asked = asked
        self._log_index: dict[str, Any] = {}
        self._records: dict[str, dict[str, Any]] = {}
        self._due: list[list[tuple[str, datetime, int]]] = []
        self.happened = Happened()

    def live(self) -> Happened:
        """Go through all months."""
        for month in range(self._plan.months):
            self._decide(month)
            self._monitor(month)
            self._report(month)
            self._look(month)
        return self.happened

    def _decide(self, month: int) -> None:
        plan, held = self._plan, self._held
        rows = draw_month(held, month, size=plan.size, drift=plan.drift, seed=plan.seed)
        bodies = [
            request_of(f"S-{month}-{number}", held.columns, int(row))
            for number, row in enumerate(rows)
        ]
        with ExitStack() as open_files:
            contenders = dict(self._contenders(open_files))
            desk = Desk(self._decisions, contenders, ids=f"{month:08x}")
            answers = desk.decide(bodies, moments(month, plan.size))
            desk.close()
            self._watch_drift(month, contenders["champion"][1])
        self.happened.decisions += len(answers)
        self._due.append(
            [
                (answer.decision_id, answer.scored_at, int(held.bad[row]))
                for answer, row in zip(answers, rows, strict=True)
                if answer.decision == "approve"
            ]
        )

    def _contenders(
        self, files: ExitStack
    ) -> Iterator[tuple[Role, tuple[str, Artifact]]]:
        versions: list[int | None] = []
        for role in _ROLES:
            holder = self._promotions.registry.holder(role)
            versions.append(holder.version if holder else None)
            if holder is not None:
                opened = self._promotions.registry.model_folder(holder.version)
                folder = artifact_folder(files.enter_context(opened))
                yield role, (str(holder.version), load_artifact(folder))
        self.happened.roles.append(versions)

    def _watch_drift(self, month: int, champion: Artifact) -> None:
        """Judge the month's windows by what the log says of its decisions."""
        begin = BEGIN + timedelta(days=DAYS_OF_A_MONTH * month)
        entries = [
            one.entry
            for one in read_decisions(self._decisions)
            if one.entry.scored_at >= begin
        ]
        reference = Reference.of_artifact(
            champion.reference, champion.engine.features.names
        )
        features = [entry.feature_row() for entry in entries]
        codes = reference.codes(
            np.array([entry.score for entry in entries], np.float64),
            np.array([row for row in features if row is not None], np.float64),
        )
        before = self._plan.size * month
        self.happened.windows += [
            Window(before + one.end, one.p_value, one.name)
            for one in look_at_windows(codes, reference, size=self._plan.window)
        ]

    def _monitor(self, month: int) -> None:
        """Let the monitoring pipeline's nodes judge the windows that have ended."""
        parameters = self._asked[2].model_copy(update={"as_of": self._end_of(month)})
        log, records = self._decisions, self._records
        self._log_index = index_decision_log(log, self._log_index, parameters)
        for judged in monitor_windows(
            log, self._log_index, records, None, None, parameters
        ):
            record = judged["record"]
            records[record["window"]] = record
        self.happened.monitored = _monitored(list(records.values()))

    def _report(self, month: int) -> None:
        """Report the outcomes that are due by now, as a lender's system does."""
        of = month - self._plan.lag_months
        if of < 0 or not self._due[of]:
            return
        received = self._end_of(month)
        entries = [
            OutcomeEntry(
                received_at=received,
                observed_at=at + timedelta(days=_DAYS_UNTIL[bad]),
                bad=bad,
                decision_id=decision_id,
            )
            for decision_id, at, bad in self._due[of]
        ]
        log = DecisionLog(self._outcomes, Origin("simulated", "", (), ()))
        log.append(entries)
        log.close()

    def _look(self, month: int) -> None:
        if self._promotions.registry.holder("challenger") is None:
            return
        challenge, gates, _ = self._asked
        as_of = self._end_of(month)
        exposure = gates.profit.costs.exposure
        joined = join_outcomes(
            read_decision_table(self._decisions, [exposure] if exposure else []),
            read_outcome_table(self._outcomes),
            window_months=_WINDOW_MONTHS,
            as_of=as_of,
        )
        self.happened.counts = joined.counts
        asked = ask_registry(self._promotions, challenge, gates)
        looked = take_look(
            joined.decisions,
            asked,
            past=self.happened.looks,
            as_of=as_of.isoformat(),
        )
        self.happened.looks = looked.looks
        verdict = looked.judged.verdict
        kind = None
        if challenge.carry_out and verdict != "keep":
            kind = carry_out(self._promotions, looked, asked.roles)["kind"]
        self.happened.verdicts.append(
            {
                "month": month,
                "verdict": verdict,
                "why": looked.judged.why,
                "record": kind,
                "measures": looked.report["measures"],
            }
        )

    def _end_of(self, month: int) -> datetime:
        return BEGIN + timedelta(days=DAYS_OF_A_MONTH * (month + 1))


def _monitored(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say of each window what came of it, and how many decisions there were by then."""
    told, end = [], 0
    for record in sorted(records, key=lambda one: str(one["since"])):
        end += int(record["figures"].get("decisions", 0))
        told.append(
            {
                "since": record["since"],
                "end": end,
                "verdict": record["verdict"],
                "why": [
                    finding["message"]
                    for finding in record["findings"]
                    if finding["verdict"] in NOT_WELL
                ],
            }
        )
    return told
