"""Reference distributions: what scores and features were like in training."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Distribution = dict[str, list[float] | float]

_BINS = 10


def distribution(values: Values) -> Distribution:
    """Describe values by up to ten bins of about equal share.

    Args:
        values: Shape (n,), n > 0; NaN is missing.

    Returns:
        ``edges``, rising: bin k holds edges[k - 1] <= value < edges[k], the
        first and last are open; ``shares`` of each bin, and ``missing``, which
        together sum to 1. Edges are values that occur, so no bin is empty.
    """
    known = values[~np.isnan(values)]
    edges = np.empty(0)
    if known.size:
        levels = np.arange(1, _BINS) / _BINS
        edges = np.unique(np.quantile(known, levels, method="higher"))
        edges = edges[edges > known.min()]
    counts = np.bincount(
        np.searchsorted(edges, known, side="right"), minlength=edges.size + 1
    )
    return {
        "edges": edges.tolist(),
        "shares": (counts / values.size).tolist(),
        "missing": float(1 - known.size / values.size),
    }


def reference_distributions(
    score: Values, features: Values, names: tuple[str, ...]
) -> dict[str, object]:
    """Describe the training applications' score and features.

    Args:
        score: Reported scores, shape (n,).
        features: Feature matrix, shape (n, n_features).
        names: Names of the features.

    Returns:
        ``rows``, ``score`` and ``features`` by name, as JSON values.
    """
    described: Mapping[str, Distribution] = {
        name: distribution(features[:, index]) for index, name in enumerate(names)
    }
    return {
        "rows": len(score),
        "score": distribution(score),
        "features": dict(described),
    }
