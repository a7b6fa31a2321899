"""Bins of an artifact's reference: scores and features counted, chunk by chunk.

The service and the monitoring pipeline count into the same bins, so their figures
are the same for the same decisions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled
from credit_scoring.digests import sha256_of_json
from credit_scoring.errors import ArtifactError

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

SCORE = "score"


@dataclass(frozen=True, eq=False)
class ReferenceBins:
    """The bins of the score, which is the first column, and of each feature.

    Bin k of a column holds edges[k - 1] <= value < edges[k]; the last place of each
    row of counts is that of missing values.

    Attributes:
        names: ``score``, then the features in the model's order.
        edges: Shape (n_columns, most_edges), infinity behind a column's last edge.
        edge_counts: Edges of each column, shape (n_columns,).
        expected: Training applications by bin, shape (n_columns, most_edges + 2).
        digest: Of all that, so that counts of other bins are told apart.
    """

    names: tuple[str, ...]
    edges: Values
    edge_counts: Counts
    expected: Counts
    digest: str

    @classmethod
    def of_reference(
        cls, reference: Mapping[str, Any], features: Sequence[str]
    ) -> "ReferenceBins":
        """Read an artifact's ``reference.json``.

        Args:
            reference: As `reference_distributions` made it.
            features: Names of the model's features, in its order.

        Raises:
            ArtifactError: If a distribution is missing or not as it must be.
        """
        try:
            rows = int(reference["rows"])
            parts = [reference[SCORE], *(reference["features"][n] for n in features)]
            edges = [np.array(part["edges"], np.float64) for part in parts]
            shares = [np.array(part["shares"], np.float64) for part in parts]
            missing = [float(part["missing"]) for part in parts]
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"reference.json: not a reference of these features: {error!r:.100}"
            ) from None
        if any(s.shape != (e.size + 1,) for e, s in zip(edges, shares, strict=True)):
            raise ArtifactError("reference.json: expected one bin more than edges")
        most = max(e.size for e in edges)
        padded = np.full((len(edges), most), np.inf)
        expected = np.zeros((len(edges), most + 2), np.int64)
        for row, (cuts, part, gone) in enumerate(
            zip(edges, shares, missing, strict=True)
        ):
            padded[row, : cuts.size] = cuts
            expected[row, : part.size] = np.rint(part * rows)
            expected[row, -1] = round(gone * rows)
        names = (SCORE, *features)
        return cls(
            names=names,
            edges=padded,
            edge_counts=np.array([e.size for e in edges], np.int64),
            expected=expected,
            digest=sha256_of_json(
                [names, [e.tolist() for e in edges], expected.tolist()]
            ),
        )

    def empty(self) -> Counts:
        """Counts of no application, shape (n_columns, most_edges + 2)."""
        return np.zeros_like(self.expected)

    def count(self, rows: Values, into: Counts) -> None:
        """Count applications.

        Args:
            rows: Score and features of each, shape (n, n_columns), C-ordered; NaN
                is missing.
            into: Counts to add to, as `empty` gives them.

        Raises:
            ArtifactError: If the rows have another number of columns.
        """
        if rows.shape[1:] != (len(self.names),):
            raise ArtifactError(
                f"rows of shape {rows.shape}; expected (n, {len(self.names)})"
            )
        _count(rows, self.edges, self.edge_counts, into)


@compiled
def _count(rows: Values, edges: Values, edge_counts: Counts, into: Counts) -> None:
    for column in range(rows.shape[1]):
        last = into.shape[1] - 1
        number = edge_counts[column]
        for row in range(rows.shape[0]):
            value = rows[row, column]
            if value != value:  # noqa: PLR0124 - NaN
                into[column, last] += 1
                continue
            place = 0
            while place < number and edges[column, place] <= value:
                place += 1
            into[column, place] += 1
