"""Going through the log: each decision to who decides it again."""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from credit_scoring.decision_log.reader import (
    Logged,
    LoggedShadow,
    verify_log,
)
from credit_scoring.decision_log.records import (
    BlockEntry,
    DecisionEntry,
    Header,
    LoggedInterval,
    LoggedModel,
    LoggedReason,
    OutcomeEntry,
    ShadowEntry,
)
from credit_scoring.replay.again import CHUNK_ROWS, Difference, Record
from credit_scoring.replay.artifacts import Artifacts
from credit_scoring.replay.judges import Judge, judge_of
from credit_scoring.replay.report import Replayed

# What the challenger made of an application stands close behind its decision, as
# a rule. Where it does not, the log is read once more.
_REMEMBERED = 20_000
_MOST_APART = 50_000
_HEADER_LINE = 1
_DEGRADED = "degraded"


@dataclass(frozen=True)
class Selection:
    """Which decisions are decided again; all are if nothing is set.

    Attributes:
        decision_id: This one, and what the challenger made of it.
        since: Leaves out earlier ones.
        until: Leaves out those of this time and later.
    """

    decision_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, entry: DecisionEntry | ShadowEntry) -> bool:
        """Say whether a decision is to be decided again."""
        return (
            (self.decision_id is None or entry.decision_id == self.decision_id)
            and (self.since is None or entry.scored_at >= self.since)
            and (self.until is None or entry.scored_at < self.until)
        )


def replay_log(
    folder: Path,
    artifacts: Artifacts,
    *,
    selection: Selection | None = None,
    most_differences: int = 10_000,
) -> Replayed:
    """Verify a decision log, and decide again on what is in it.

    Memory does not grow with the log: it is read once, in chunks, and a second
    time only for decisions in the shadow that stand far behind theirs.

    Args:
        folder: Holds the segments and their index.
        artifacts: Where the models that decided are looked for.
        selection: Which decisions; the chain is verified as a whole all the same.
        most_differences: So many are kept; more are counted.

    Raises:
        DecisionLogError: If there is no such log, or it cannot be read.
    """
    with ExitStack() as until:
        replay = _Replay(
            artifacts, selection or Selection(), until, most=most_differences
        )
        log = verify_log(folder, heard=replay.hear)
        if replay.apart:
            verify_log(folder, heard=replay.hear_again)
        return replay.finish(log.removed).with_log(log)


class _Replay:
    """What is under way while the log is read."""

    def __init__(
        self,
        artifacts: Artifacts,
        selection: Selection,
        until: ExitStack,
        *,
        most: int,
    ) -> None:
        self.apart: dict[str, list[LoggedShadow]] = {}
        self._artifacts = artifacts
        self._selection = selection
        self._until = until
        self._found = Replayed(most)
        self._judges: dict[str, Judge] = {}
        self._waiting: dict[str, list[Record]] = defaultdict(list)
        self._recent: OrderedDict[str, tuple[str, Any]] = OrderedDict()
        self._headers: set[tuple[str, str]] = set()

    def hear(self, logged: Logged[Any]) -> None:
        """Take a decision in the order of the log."""
        entry, segment, line = logged.entry, logged.segment, logged.line
        if isinstance(entry, OutcomeEntry) or not self._selection.takes(entry):
            return
        if isinstance(entry, DecisionEntry):
            self._count(entry)
            self._check(entry, segment, line)
            self._remember(entry)
            record = _decision(entry, segment, line, block=logged.block)
            self._take(entry.model, record)
        else:
            self._found.counts.shadows += 1
            shadow: LoggedShadow = logged
            known = self._recent.get(entry.decision_id)
            if known is None:
                self._put_apart(shadow)
            else:
                self._take_shadow(shadow, known)
        self._check_header(entry.model, logged.header, segment)

    def hear_again(self, logged: Logged[Any]) -> None:
        """Find the decisions of those in the shadow that were put apart."""
        entry = logged.entry
        if isinstance(entry, DecisionEntry):
            for shadow in self.apart.pop(entry.decision_id, ()):
                self._take_shadow(shadow, (entry.loan_id, entry.inputs))

    def finish(self, removed_segments: int) -> Replayed:
        """Decide on what is left, and say what was found."""
        for digest in list(self._waiting):
            self._flush(digest)
        for judge in self._judges.values():
            self._found.add(judge.finish())
        for shadow in (one for several in self.apart.values() for one in several):
            if removed_segments:
                self._found.counts.shadows_without_decision += 1
                continue
            place = (shadow.segment, shadow.line, "shadow", "decision_id")
            self._found.add([Difference(*place, "no decision has it")])
        return self._found

    def _count(self, entry: DecisionEntry) -> None:
        counts = self._found.counts
        counts.decisions += 1
        counts.explained += entry.explained
        counts.by_source[entry.feature_source] += 1
        counts.fallbacks += (entry.arm, entry.model.role) == (
            "challenger",
            "champion",
        ) and entry.feature_source != _DEGRADED

    def _check(self, entry: DecisionEntry, segment: str, line: int) -> None:
        """Look at what says who decided, and on what."""
        place = (segment, line, "decision")
        if entry.model.role == "challenger" and entry.arm != "challenger":
            problem = "the challenger decided where the champion was drawn"
            self._found.add([Difference(*place, "arm", problem)])
        if entry.feature_source not in {"request", "store", _DEGRADED}:
            problem = "none of request, store, degraded"
            self._found.add([Difference(*place, "feature_source", problem)])

    def _check_header(self, model: LoggedModel, header: Header, segment: str) -> None:
        """Compare a segment's header with the artifact, once for each model."""
        if (segment, model.digest) in self._headers:
            return
        self._headers.add((segment, model.digest))
        if all(one.digest != model.digest for one in header.origin.models):
            problem = f"does not name the model {model.digest[:12]} that decided"
            self._found.add(
                [Difference(segment, _HEADER_LINE, "header", "models", problem)]
            )

    def _remember(self, entry: DecisionEntry) -> None:
        if entry.feature_source == _DEGRADED:
            return
        self._recent[entry.decision_id] = (entry.loan_id, entry.inputs)
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    def _put_apart(self, shadow: LoggedShadow) -> None:
        decision_id = shadow.entry.decision_id
        if len(self.apart) < _MOST_APART or decision_id in self.apart:
            self.apart.setdefault(decision_id, []).append(shadow)
            return
        place = (shadow.segment, shadow.line, "shadow", "decision_id")
        problem = f"{_MOST_APART} others, too, are too far from their decisions"
        self._found.add([Difference(*place, problem)])

    def _take_shadow(self, shadow: LoggedShadow, known: tuple[str, Any]) -> None:
        record = _shadow(shadow.entry, shadow.segment, shadow.line, known=known)
        self._take(shadow.entry.model, record)

    def _take(self, model: LoggedModel, record: Record) -> None:
        self._found.count_model(model, record)
        waiting = self._waiting[model.digest]
        waiting.append(record)
        if len(waiting) >= CHUNK_ROWS:
            self._flush(model.digest)

    def _flush(self, digest: str) -> None:
        records = self._waiting.pop(digest)
        judge = self._judges.get(digest)
        if judge is None:
            judge = judge_of(digest, self._artifacts, self._until)
            self._judges[digest] = judge
            self._found.name_judge(digest, judge)
        self._found.add(judge.take(records))


def _decision(
    entry: DecisionEntry, segment: str, line: int, *, block: BlockEntry | None
) -> Record:
    return Record(
        segment=segment,
        line=line,
        kind="decision" if block is None else "block",
        told=block is None or block.told,
        loan_id=entry.loan_id,
        inputs=entry.inputs,
        explained=entry.explained,
        degraded=entry.feature_source == _DEGRADED,
        features=entry.features,
        pd_interval=None if entry.pd_interval is None else _interval(entry.pd_interval),
        margin=entry.margin,
        pd=entry.pd,
        score=entry.score,
        band=entry.band,
        decision=entry.decision,
        reasons=_reasons(entry.reasons),
        policy_version=entry.policy_version,
    )


def _shadow(
    entry: ShadowEntry, segment: str, line: int, *, known: tuple[str, Any]
) -> Record:
    return Record(
        segment=segment,
        line=line,
        kind="shadow",
        loan_id=known[0],
        inputs=known[1],
        explained=False,
        degraded=False,
        features=None,
        margin=entry.margin,
        pd=entry.pd,
        score=entry.score,
        band=entry.band,
        decision=entry.decision,
        reasons=_reasons(entry.reasons),
        policy_version=entry.policy_version,
    )


def _interval(logged: LoggedInterval) -> tuple[float, float, float]:
    return logged.low, logged.high, logged.level


def _reasons(
    reasons: Sequence[LoggedReason],
) -> list[tuple[str, str | None, float | None]]:
    return [(reason.code, reason.feature, reason.points) for reason in reasons]
