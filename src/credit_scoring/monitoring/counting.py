"""Counting the decisions of a window: memory does not grow with their number."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision_log.records import DecisionEntry
from credit_scoring.monitoring.bins import ReferenceBins

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

_CHUNK_ROWS = 2000
_PD_BINS = 2000
_DEGRADED = "degraded"
_APPROVE = "approve"

# Digest of a model and the names of its features -> its bins; None if they cannot
# be had.
References = Callable[[str, Sequence[str]], ReferenceBins | None]
# Digest of a model and decisions of it that are logged without their features -> the
# feature row of each; None for one that cannot be had.
FeatureRows = Callable[[str, Sequence[DecisionEntry]], Sequence[Values | None]]


class ModelCounts:
    """What one model decided, as counts and a sample."""

    def __init__(
        self, bins: ReferenceBins | None, names: tuple[str, ...], *, sample: int
    ) -> None:
        """Begin with no decision.

        Args:
            bins: Of its reference; None if it cannot be had.
            names: Its features.
            sample: So many decisions are kept.
        """
        self.names = names
        self.bins = bins
        self.rows = 0
        self.counts: Counts | None = None if bins is None else bins.empty()
        self.pd_counts = np.zeros(_PD_BINS, np.int64)
        self.pd_sums = np.zeros(_PD_BINS)
        self._most = sample
        self._waiting: list[list[float]] = []
        self._pds: list[float] = []
        self._sample: list[tuple[int, list[float]]] = []

    def add(self, key: int, entry: DecisionEntry, features: Values) -> None:
        """Count a decision.

        Args:
            key: Drawn by chance; the sample has the decisions with the lowest.
            entry: The decision, with a score and a PD.
            features: Its feature row.
        """
        row = [float(entry.score or np.nan), *features.tolist()]
        self.rows += 1
        self._waiting.append(row)
        self._pds.append(float(entry.pd or np.nan))
        if len(self._sample) < self._most:
            heapq.heappush(self._sample, (-key, row))
        elif self._most and -self._sample[0][0] > key:
            heapq.heapreplace(self._sample, (-key, row))
        if len(self._waiting) >= _CHUNK_ROWS:
            self.flush()

    def flush(self) -> None:
        """Count those that wait."""
        if not self._waiting:
            return
        if self.bins is not None and self.counts is not None:
            self.bins.count(np.array(self._waiting), self.counts)
        pds = np.array(self._pds)
        place = np.clip((pds * _PD_BINS).astype(np.int64), 0, _PD_BINS - 1)
        np.add.at(self.pd_counts, place, 1)
        np.add.at(self.pd_sums, place, pds)
        self._waiting.clear()
        self._pds.clear()

    def pds(self) -> tuple[Values, Counts]:
        """Give the mean PD of each bin that has a decision, and how many."""
        used = self.pd_counts > 0
        return self.pd_sums[used] / self.pd_counts[used], self.pd_counts[used]

    def sample(self) -> Values:
        """Give the sample, shape (n, 1 + n_features): scores and features."""
        rows = [row for _, row in sorted(self._sample, key=lambda one: -one[0])]
        return np.array(rows).reshape(len(rows), 1 + len(self.names))


class GroupCounts:
    """Approvals by group of protected attributes, joined by ``loan_id``."""

    def __init__(self, groups: Mapping[str, Mapping[str, str]]) -> None:
        """Begin with no decision.

        Args:
            groups: Attribute -> loan_id -> group; nobody else is in a group.
        """
        self._groups = groups
        self.rows: dict[str, Counter[str]] = defaultdict(Counter)
        self.approved: dict[str, Counter[str]] = defaultdict(Counter)
        self.unassigned: Counter[str] = Counter()

    def add(self, entry: DecisionEntry) -> None:
        """Count a decision."""
        for attribute, members in self._groups.items():
            group = members.get(entry.loan_id)
            if group is None:
                self.unassigned[attribute] += 1
                continue
            self.rows[attribute][group] += 1
            self.approved[attribute][group] += entry.decision == _APPROVE


class WindowCounts:
    """Everything that is counted of a window."""

    def __init__(
        self,
        references: References,
        groups: Mapping[str, Mapping[str, str]],
        *,
        feature_rows: FeatureRows,
        sample: int,
        seed: int,
    ) -> None:
        """Begin with no decision.

        Args:
            references: Find a model's bins.
            groups: Attribute -> loan_id -> group.
            feature_rows: Find the features of decisions that are logged without.
            sample: So many decisions of each model are kept.
            seed: Draws them.
        """
        self.decisions = 0
        self.by_decision: Counter[str] = Counter()
        self.by_feature_source: Counter[str] = Counter()
        self.by_role: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.contracts: Counter[str] = Counter()
        # Of decisions with a history: those have what an applicant said.
        self.with_history = 0
        self.approved_with_history = 0
        self.given: Counter[str] = Counter()
        self.groups = GroupCounts(groups)
        self.models: dict[str, ModelCounts] = {}
        self.roles: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.inputs: set[str] = set()
        # Scored ones whose features cannot be had: no drift is seen in them.
        self.without_features = 0
        self._references = references
        self._feature_rows = feature_rows
        self._bare: dict[str, list[DecisionEntry]] = defaultdict(list)
        self._names: dict[str, tuple[str, ...]] = {}
        self._sample = sample
        self._seed = str(seed).encode()

    def add(
        self,
        entry: DecisionEntry,
        *,
        contract_digest: str,
        inputs: Sequence[str],
        features: Sequence[str],
    ) -> None:
        """Count a decision.

        Args:
            entry: The decision.
            contract_digest: Of the contract that it was read under.
            inputs: Columns that could be given.
            features: Names of the deciding model's features.
        """
        self.decisions += 1
        self.by_decision[entry.decision] += 1
        self.by_feature_source[entry.feature_source] += 1
        self.by_role[entry.model.role] += 1
        self.contracts[contract_digest] += 1
        self.reasons.update(reason.code for reason in entry.reasons)
        if entry.feature_source == _DEGRADED:
            return
        self.with_history += 1
        self.approved_with_history += entry.decision == _APPROVE
        self.inputs.update(inputs)
        self.given.update(n for n, v in entry.inputs.items() if v is not None)
        self.groups.add(entry)
        if entry.pd is None:
            return
        self._names[entry.model.digest] = tuple(features)
        row = entry.feature_row()
        if row is None:
            self._add_bare(entry)
        else:
            self._add_row(entry, row)

    def _add_row(self, entry: DecisionEntry, row: Values) -> None:
        model = self._model(entry, self._names[entry.model.digest])
        model.add(self._key(entry.decision_id), entry, row)

    def _add_bare(self, entry: DecisionEntry) -> None:
        """Let a decision wait until many of its model are computed together."""
        waiting = self._bare[entry.model.digest]
        waiting.append(entry)
        if len(waiting) >= _CHUNK_ROWS:
            self._compute(entry.model.digest)

    def _compute(self, digest: str) -> None:
        entries = self._bare.pop(digest)
        rows = self._feature_rows(digest, entries)
        for entry, row in zip(entries, rows, strict=True):
            if row is None:
                self.without_features += 1
            else:
                self._add_row(entry, row)

    def finish(self) -> None:
        """Count what waits."""
        for digest in list(self._bare):
            self._compute(digest)
        for model in self.models.values():
            model.flush()

    @property
    def main(self) -> str | None:
        """Digest of the model that decided most, with features; None if none did."""
        counts = {digest: model.rows for digest, model in self.models.items()}
        return max(counts, key=lambda digest: (counts[digest], digest), default=None)

    def _model(self, entry: DecisionEntry, names: tuple[str, ...]) -> ModelCounts:
        digest = entry.model.digest
        model = self.models.get(digest)
        if model is None:
            bins = self._references(digest, names)
            model = ModelCounts(bins, names, sample=self._sample)
            self.models[digest] = model
            self.roles[digest] = entry.model.role
            self.versions[digest] = entry.model.version
        return model

    def _key(self, decision_id: str) -> int:
        hashed = blake2b(decision_id.encode(), digest_size=8, key=self._seed)
        return int.from_bytes(hashed.digest(), "big")
