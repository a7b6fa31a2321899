"""What a replay found: counts, faults of the chain, and differences."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from credit_scoring.decision_log.reader import LogReport
from credit_scoring.decision_log.records import LoggedModel
from credit_scoring.replay.again import Difference, Record
from credit_scoring.replay.judges import Judge

_MOST_FAULTS = 1000
COLUMNS = ("segment", "line", "kind", "field", "problem")


@dataclass
class Counts:
    """What was decided again.

    Attributes:
        decisions: Answered decisions.
        shadows: What the challenger would have decided.
        explained: Decisions whose reasons were asked for in any case.
        fallbacks: Decisions of the champion where the challenger was drawn.
        shadows_without_decision: Of the shadows, those whose decision is in no
            segment any more; retention has removed some.
        by_source: Decisions by the source of their history.
    """

    decisions: int = 0
    shadows: int = 0
    explained: int = 0
    fallbacks: int = 0
    shadows_without_decision: int = 0
    by_source: Counter[str] = field(default_factory=Counter)


@dataclass
class _Model:
    """A model that decided, and what came of deciding again."""

    name: str
    version: str
    roles: set[str] = field(default_factory=set)
    decisions: int = 0
    shadows: int = 0
    source: str = ""
    code: str = ""


class Replayed:
    """Collects what a replay finds, in bounded memory."""

    def __init__(self, most: int) -> None:
        """Keep so many differences; count the others."""
        self.counts = Counts()
        self.differences: list[Difference] = []
        self._most = most
        self._all = 0
        self._fields: Counter[str] = Counter()
        self._models: dict[str, _Model] = {}
        self._log: LogReport | None = None

    def count_model(self, model: LoggedModel, record: Record) -> None:
        """Count a record for the model that decided."""
        known = self._models.get(model.digest)
        if known is None:
            known = self._models[model.digest] = _Model(model.name, model.version)
        known.roles.add(model.role)
        if record.kind == "shadow":
            known.shadows += 1
        else:
            known.decisions += 1

    def name_judge(self, digest: str, judge: Judge) -> None:
        """Note where a model was found, and whose code decides."""
        self._models[digest].source = judge.source
        self._models[digest].code = judge.code

    def add(self, differences: Iterable[Difference]) -> None:
        """Take differences."""
        for one in differences:
            self._all += 1
            self._fields[one.field] += 1
            if len(self.differences) < self._most:
                self.differences.append(one)

    def with_log(self, log: LogReport) -> "Replayed":
        """Note what is wrong with the chain."""
        self._log = log
        self.differences.sort(key=lambda one: (one.segment, one.line))
        return self

    @property
    def reproduced(self) -> bool:
        """Whether all is as it was logged, and nothing was changed."""
        return not self._all and self._log is not None and not self._log.faults

    def rows(self) -> list[dict[str, Any]]:
        """Give the differences as rows of a table."""
        return [
            {name: getattr(one, name) for name in COLUMNS} for one in self.differences
        ]

    def as_json(self) -> dict[str, Any]:
        """Give all but the rows as plain values."""
        counts = self.counts
        return {
            "reproduced": self.reproduced,
            "chain": {} if self._log is None else _chain(self._log),
            "replayed": {
                "decisions": counts.decisions,
                "shadows": counts.shadows,
                "explained": counts.explained,
                "fallbacks": counts.fallbacks,
                "shadows_without_decision": counts.shadows_without_decision,
                "by_feature_source": dict(sorted(counts.by_source.items())),
            },
            "models": [
                {**vars(model), "roles": sorted(model.roles), "digest": digest}
                for digest, model in self._models.items()
            ],
            "differences": {
                "count": self._all,
                "by_field": dict(sorted(self._fields.items())),
                "first": [str_of(one) for one in self.differences[:10]],
            },
        }


def str_of(found: Difference) -> str:
    """Say in one line where something differs, and how."""
    return f"{found.segment}, line {found.line}: {found.field}: {found.problem}"


def _chain(log: LogReport) -> dict[str, Any]:
    return {
        "segments": len(log.segments),
        "segments_removed_by_age": log.removed,
        "decisions": log.decisions,
        "shadows": log.shadows,
        "torn_segments": [segment.name for segment in log.torn],
        "head": log.head,
        "fault_count": len(log.faults),
        "faults": [str(fault) for fault in log.faults[:_MOST_FAULTS]],
    }
