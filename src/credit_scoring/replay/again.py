"""Deciding again on logged applications, and comparing to the bit.

It runs also by the code that a model was registered with, in a process of its own.
So it names nothing of the package but what every version of it has: an artifact
that is loaded, its engine and its contract's decoder.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.request import RequestDecoder
from credit_scoring.errors import CreditScoringError, InvalidRequestError
from credit_scoring.registry.artifact import Artifact, load_artifact

Values = NDArray[np.float64]
LoggedReasons = list[tuple[str, str | None, float | None]]

CHUNK_ROWS = 2048
_NAMED = 3


class Record(msgspec.Struct, frozen=True, gc=False):
    """A logged decision: what was decided on, and what came of it.

    Attributes:
        segment: Name of its segment.
        line: Its line there, from 1.
        kind: ``decision``, ``shadow``, or ``block`` for a decision of a batch.
        loan_id: Of the application.
        inputs: Contract columns by name; what was not given is left out.
        explained: Whether the reasons of an approval were asked for, too.
        degraded: Decided without a history.
        features: Feature row; None if none was computed, or none is logged.
        margin: This and what follows: as logged.
        pd_interval: Low, high and level; None if none was asked for.
        told: Whether reasons were asked for.
    """

    segment: str
    line: int
    kind: str
    loan_id: str
    inputs: Any
    explained: bool
    degraded: bool
    features: Any
    margin: float | None
    pd: float | None
    score: float | None
    band: str | None
    decision: str
    reasons: LoggedReasons
    policy_version: str
    pd_interval: tuple[float, float, float] | None = None
    told: bool = True


class Difference(msgspec.Struct, frozen=True):
    """Something of a record that is not decided again as it was logged.

    Attributes:
        segment: Name of the segment.
        line: Line of the record, from 1.
        kind: ``decision``, ``shadow``, ``block`` or ``header``.
        field: What differs.
        problem: How; never a value of the application or of its decision.
    """

    segment: str
    line: int
    kind: str
    field: str
    problem: str


def difference(record: Record, field: str, problem: str) -> Difference:
    """Say that something of a record differs."""
    return Difference(record.segment, record.line, record.kind, field, problem)


class Again:
    """Decides on logged applications again with the model that decided."""

    def __init__(self, artifact: Artifact) -> None:
        """Decide with an artifact, reading inputs under its contract."""
        self._engine = artifact.engine
        self._decoder = RequestDecoder(artifact.contract)
        self._names = frozenset(self._engine.columns)

    def differences(self, records: Sequence[Record]) -> list[Difference]:
        """Decide again, and name everything that is not as it was logged.

        Args:
            records: Of decisions by this artifact.
        """
        found: list[Difference] = []
        for explained in (False, True):
            asked, applications = [], []
            for record in records:
                if record.explained is not explained:
                    continue
                application = self._application(record, found)
                if application is not None and self._has_history(
                    record, application, found
                ):
                    asked.append(record)
                    applications.append(application)
            if asked:
                found += self._decided(asked, applications, explain=explained)
        return found

    def _application(self, record: Record, found: list[Difference]) -> Any | None:
        inputs = record.inputs
        if not isinstance(inputs, dict) or not self._names.issuperset(inputs):
            problem = "not columns that a decision may use"
            found.append(difference(record, "inputs", problem))
            return None
        body = msgspec.json.encode({**inputs, "loan_id": record.loan_id})
        try:
            return self._decoder.decode(body)
        except InvalidRequestError as error:
            names = ", ".join(e.field for e in error.errors[:_NAMED])
            problem = f"{len(error.errors)} break the contract of the model: {names}"
            found.append(difference(record, "inputs", problem[:200]))
            return None

    def _has_history(
        self, record: Record, application: Any, found: list[Difference]
    ) -> bool:
        """Compare what was referred at once; say whether there is more to do."""
        if record.degraded:
            if application.has_history:
                problem = "decided without a history that is there"
                found.append(difference(record, "feature_source", problem))
            found += self._unscored(record)
            return False
        if not application.has_history:
            problem = "decided with a history that is not in the inputs"
            found.append(difference(record, "feature_source", problem))
            return False
        return True

    def _unscored(self, record: Record) -> Iterator[Difference]:
        again = self._engine.decide_without_history()
        for name in ("features", "margin", "pd", "score", "band", "pd_interval"):
            if getattr(record, name) is not None:
                yield difference(record, name, "there is one without a history")
        if record.decision != again.decision:
            yield difference(record, "decision", "another one without a history")
        yield from self._said(record, again.reasons)

    def _decided(
        self, records: list[Record], applications: list[Any], *, explain: bool
    ) -> list[Difference]:
        try:
            again = self._engine.decide(
                self._decoder.columns(applications), explain=explain
            )
        except CreditScoringError as error:
            if len(records) == 1:
                problem = f"cannot be computed ({type(error).__name__})"
                return [difference(records[0], "decision", problem)]
            # One must not hide the others.
            return [
                found
                for record, application in zip(records, applications, strict=True)
                for found in self._decided([record], [application], explain=explain)
            ]
        found = list(_features(records, again.features, self._engine.features.names))
        for name, computed in (
            ("margin", again.margin),
            ("pd", again.pd_),
            ("score", again.score),
        ):
            found += _numbers(records, name, computed)
        for record, row in zip(records, again.rows(), strict=True):
            for name in ("band", "decision"):
                if getattr(record, name) != getattr(row, name):
                    found.append(difference(record, name, "another one now"))
            if record.pd_interval not in {None, self._interval(row)}:
                found.append(difference(record, "pd_interval", "another one now"))
            found += self._said(record, row.reasons)
        return found

    def _interval(self, row: Any) -> tuple[float, float, float] | None:
        # Code of an earlier time gives none, and none was logged then.
        interval_of = getattr(self._engine, "pd_interval", None)
        interval = None if interval_of is None else interval_of(row)
        if interval is None:
            return None
        return interval.low, interval.high, interval.level

    def _said(self, record: Record, again: Sequence[Any]) -> Iterator[Difference]:
        """Compare the reasons and the policy; the code stands for the sentence."""
        if record.policy_version != self._engine.policy_version:
            problem = "not that of the model's artifact"
            yield difference(record, "policy_version", problem)
        if not record.told:
            return
        logged = record.reasons
        if len(logged) != len(again):
            problem = f"{len(logged)} were given, {len(again)} are now"
            yield difference(record, "reasons", problem)
            return
        for place, (given, now) in enumerate(zip(logged, again, strict=True), 1):
            code, feature, points = given
            if (code, feature) != (now.code, now.feature):
                yield difference(record, "reasons", f"number {place} is another now")
            elif points != now.points:
                problem = f"number {place} has other points now"
                yield difference(record, "reasons", problem)


def _numbers(
    records: Sequence[Record], name: str, computed: Values
) -> Iterator[Difference]:
    logged = np.array([getattr(record, name) for record in records], np.float64)
    for row in np.flatnonzero(~_same(logged, computed)).tolist():
        record = records[row]
        problem = "none was logged"
        if getattr(record, name) is not None:
            apart = abs(logged[row] - computed[row])
            problem = f"another number now, {apart:.1e} apart"
        yield difference(record, name, problem)


def _features(
    records: Sequence[Record], computed: Values, names: Sequence[str]
) -> Iterator[Difference]:
    rows = [row for row, record in enumerate(records) if record.kind == "decision"]
    if not rows:
        return
    logged = np.full((len(rows), len(names)), np.nan)
    readable = np.ones(len(rows), bool)
    try:
        logged[:] = np.array([records[row].features for row in rows], np.float64)
    except (TypeError, ValueError):
        for place, row in enumerate(rows):
            readable[place] = _read_features(records[row].features, logged[place])
    same = _same(logged, computed[rows])
    for place in np.flatnonzero(~(same.all(axis=1) & readable)).tolist():
        record = records[rows[place]]
        if not readable[place]:
            problem = f"not the {len(names)} numbers that the model reads"
        else:
            wrong = [names[i] for i in np.flatnonzero(~same[place]).tolist()]
            more = f" and {len(wrong) - _NAMED} more" if wrong[_NAMED:] else ""
            problem = f"other values now: {', '.join(wrong[:_NAMED])}{more}"
        yield difference(record, "features", problem)


def _read_features(given: Any, row: Values) -> bool:
    """Read a feature row on its own; False if it is none."""
    try:
        values = np.array(given, np.float64)
    except (TypeError, ValueError):
        return False
    if values.shape != row.shape:
        return False
    row[:] = values
    return True


def _same(logged: Values, computed: Values) -> NDArray[np.bool_]:
    """Compare bit by bit; every missing value is the same one."""
    missing = np.isnan(logged) & np.isnan(computed)
    same: NDArray[np.bool_] = missing | (
        np.ascontiguousarray(logged).view(np.int64)
        == np.ascontiguousarray(computed).view(np.int64)
    )
    return same


def main(folder: str, asked: str, answered: str) -> None:
    """Decide again on the records in one file; write the differences to another.

    Args:
        folder: The artifact.
        asked: A JSON record on each line.
        answered: A JSON difference is written on each line.
    """
    again = Again(load_artifact(Path(folder)))
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Record)
    with Path(asked).open("rb") as source, Path(answered).open("wb") as target:
        while lines := list(islice(source, CHUNK_ROWS)):
            for found in again.differences([decoder.decode(line) for line in lines]):
                target.write(encoder.encode(found) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
