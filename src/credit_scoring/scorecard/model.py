"""The scorecard: bins, weights of evidence and coefficients, as it decides."""

import json
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from credit_scoring.compiled import compiled
from credit_scoring.errors import ArtifactError

Values = NDArray[np.float64]
Indices = NDArray[np.int64]

FILE_NAME = "scorecard.json"


@compiled
def locate_bins(values: Values, edges: Values) -> Indices:
    """Place values in bins: bin k holds edges[k - 1] <= value < edges[k].

    Args:
        values: Shape (n,); NaN is missing.
        edges: Inner edges in rising order, shape (n_bins - 1,).

    Returns:
        Shape (n,), in 0 .. n_bins - 1, or n_bins for a missing value.
    """
    rows = values.shape[0]
    found = np.empty(rows, np.int64)
    for row in range(rows):
        value = values[row]
        if np.isnan(value):
            found[row] = edges.shape[0] + 1
            continue
        k = 0
        while k < edges.shape[0] and value >= edges[k]:
            k += 1
        found[row] = k
    return found


@compiled
def term_values(
    x: Values, columns: Indices, edges: Values, starts: Indices, table: Values
) -> Values:
    """Look up each term's value in its feature's bins, row by row.

    Args:
        x: Feature matrix, shape (n, n_features); NaN is missing.
        columns: Column of x that each term reads, shape (n_terms,).
        edges: Inner edges of all terms, one term after the other.
        starts: Where each term's edges start; the last entry is the end,
            shape (n_terms + 1,).
        table: Values of all terms' bins, one term after the other. A term
            with e edges has e + 2 of them, the last for a missing value.

    Returns:
        Shape (n, n_terms).
    """
    rows = x.shape[0]
    terms = columns.shape[0]
    found = np.empty((rows, terms))
    for row in range(rows):
        for term in range(terms):
            value = x[row, columns[term]]
            start, end = starts[term], starts[term + 1]
            first = start + 2 * term
            if np.isnan(value):
                found[row, term] = table[first + end - start + 1]
                continue
            k = 0
            while start + k < end and value >= edges[start + k]:
                k += 1
            found[row, term] = table[first + k]
    return found


@compiled
def sum_terms(values: Values, intercept: float) -> Values:
    """Add the terms to the intercept, in the order of the terms.

    Args:
        values: Terms, shape (n, n_terms).
        intercept: Log-odds of bad where every weight of evidence is 0.

    Returns:
        Shape (n,).
    """
    rows, terms = values.shape
    total = np.empty(rows)
    for row in range(rows):
        running = intercept
        for term in range(terms):
            running += values[row, term]
        total[row] = running
    return total


@compiled
def column_means(values: Values) -> Values:
    """Average each column, adding the rows in their order.

    Args:
        values: Shape (n, n_columns), n > 0.

    Returns:
        Shape (n_columns,).
    """
    rows, columns = values.shape
    means = np.zeros(columns)
    for row in range(rows):
        for column in range(columns):
            means[column] += values[row, column]
    means /= rows
    return means


class Bin(BaseModel):
    """One bin: what it holds, and how safe it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    at_least: float | None = None
    below: float | None = None
    goods: int = Field(ge=0)
    bads: int = Field(ge=0)
    woe: float

    @property
    def rows(self) -> int:
        """Applications of the training split in this bin."""
        return self.goods + self.bads

    @property
    def bad_rate(self) -> float:
        """Share of bads in this bin, in [0, 1]; NaN for an empty bin."""
        return self.bads / self.rows if self.rows else math.nan


class BinnedFeature(BaseModel):
    """A feature cut into bins; a missing value has a bin of its own.

    Attributes:
        feature: Name of the feature.
        direction: +1 if the PD may only rise with the feature, -1 if only
            fall, 0 if either.
        information_value: Sum over the bins of (share of goods - share of
            bads) * woe, on the training split.
        bins: From the lowest values to the highest, without a gap.
        missing: The bin of the missing values; neither bound is set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    feature: str
    direction: Literal[-1, 0, 1]
    information_value: float = Field(ge=0)
    bins: tuple[Bin, ...] = Field(min_length=2)
    missing: Bin

    @model_validator(mode="after")
    def _without_gap(self) -> Self:
        edges = [item.at_least for item in self.bins[1:]]
        outer = (self.bins[0].at_least, self.bins[-1].below)
        if edges != [item.below for item in self.bins[:-1]] or outer != (None, None):
            raise ValueError(f"the bins of {self.feature} leave a gap or overlap")
        if None in edges or np.any(np.diff(self.edges) <= 0):
            raise ValueError(f"the bins of {self.feature} are not in rising order")
        return self

    @property
    def edges(self) -> Values:
        """Inner edges in rising order, shape (n_bins - 1,)."""
        inner = [item.at_least for item in self.bins[1:]]
        return np.array([edge for edge in inner if edge is not None])

    @property
    def woes(self) -> Values:
        """Weight of evidence of each bin, the missing values' bin last."""
        return np.array([item.woe for item in (*self.bins, self.missing)])


class Term(BinnedFeature):
    """A binned feature with its weight in the scorecard.

    Attributes:
        coefficient: Log-odds of bad for one unit of weight of evidence. Below
            0, as a higher weight of evidence is safer.
        background_woe: Mean weight of evidence of the just-approved applicants
            that the reasons compare with; none before they are known.
    """

    coefficient: float = Field(lt=0)
    background_woe: float | None = None


class ScorecardTable(BaseModel):
    """All that a scorecard is, as its file holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    family: Literal["scorecard"] = "scorecard"
    margin: str = (
        "log-odds of bad = intercept + sum of coefficient * woe; "
        "woe = ln(share of goods / share of bads), positive is safer"
    )
    features: tuple[str, ...]
    intercept: float
    background_rows: int = Field(default=0, ge=0)
    terms: tuple[Term, ...] = Field(min_length=1)
    left_out: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_features(self) -> Self:
        named = [term.feature for term in self.terms]
        unknown = sorted(set(named) - set(self.features))
        if unknown:
            raise ValueError(f"terms of unknown features: {', '.join(unknown)}")
        if len(set(named)) != len(named):
            raise ValueError("two terms have the same feature")
        compared = [term.background_woe is not None for term in self.terms]
        if any(compared) != all(compared) or any(compared) != bool(
            self.background_rows
        ):
            raise ValueError("some terms have a background and some have none")
        return self


class Scorecard:
    """A scorecard ready to score; see `decision.model.Model`."""

    family: ClassVar[str] = "scorecard"

    def __init__(self, table: ScorecardTable) -> None:
        """Lay the table out for the compiled kernels."""
        self.table = table
        terms = table.terms
        self._columns = np.array(
            [table.features.index(term.feature) for term in terms], np.int64
        )
        self._edges = np.concatenate([term.edges for term in terms])
        sizes = [0, *(len(term.edges) for term in terms)]
        self._starts = np.cumsum(np.array(sizes, np.int64))
        self._values = np.concatenate([t.coefficient * t.woes for t in terms])

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the feature matrix's columns, in order."""
        return self.table.features

    @property
    def left_out(self) -> Mapping[str, str]:
        """Features that the scorecard does not use, each with the reason."""
        return self.table.left_out

    def margin(self, x: Values) -> Values:
        """Log-odds of bad before calibration.

        Args:
            x: Feature matrix, shape (n, n_features); NaN is missing.

        Returns:
            Shape (n,).
        """
        return sum_terms(self._look_up(x, self._values), self.table.intercept)

    def contributions(self, x: Values) -> Values:
        """Shapley values of the margin against the background applicants.

        The margin is linear in the weights of evidence, so a feature's exact
        interventional value is coefficient * (woe - mean woe of the background).

        Args:
            x: Feature matrix, shape (n, n_features); NaN is missing.

        Returns:
            Shape (n, n_features), in log-odds of bad; positive is riskier, and
            0 for a feature that the scorecard leaves out.

        Raises:
            ArtifactError: If the scorecard has no background yet.

        Source: Lundberg & Lee, A Unified Approach to Interpreting Model
            Predictions (2017), section 4.2, Corollary 1 (Linear SHAP).
        """
        found = np.zeros((x.shape[0], len(self.features)))
        found[:, self._columns] = self._look_up(x, self._relative_values)
        return found

    @cached_property
    def _relative_values(self) -> Values:
        means = [term.background_woe for term in self.table.terms]
        known = [mean for mean in means if mean is not None]
        if len(known) != len(means):
            raise ArtifactError("the scorecard has no background to explain against")
        return np.concatenate(
            [
                term.coefficient * (term.woes - mean)
                for term, mean in zip(self.table.terms, known, strict=True)
            ]
        )

    def _look_up(self, x: Values, table: Values) -> Values:
        if x.ndim != 2 or x.shape[1] != len(self.features):  # noqa: PLR2004 - matrix
            raise ArtifactError(
                f"expected a matrix of {len(self.features)} features, found "
                f"shape {x.shape}"
            )
        matrix = np.ascontiguousarray(x, np.float64)
        return term_values(matrix, self._columns, self._edges, self._starts, table)

    def with_background(self, background: Values) -> Self:
        """The same scorecard, explaining against these rows.

        Args:
            background: Feature rows of just-approved applicants, shape
                (n_background, n_features).

        Raises:
            ArtifactError: If there is no row.
        """
        if not len(background):
            raise ArtifactError("the background has no row")
        woes = np.concatenate([term.woes for term in self.table.terms])
        means = column_means(self._look_up(background, woes))
        terms = [
            term.model_copy(update={"background_woe": float(mean)})
            for term, mean in zip(self.table.terms, means, strict=True)
        ]
        changes = {"terms": tuple(terms), "background_rows": len(background)}
        return type(self)(self.table.model_copy(update=changes))

    def save(self, folder: Path) -> None:
        """Write the scorecard as one JSON file that a person can read."""
        text = json.dumps(self.table.model_dump(mode="json"), indent=1)
        (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: If the file is missing or not as `save` writes it.
        """
        path = folder / FILE_NAME
        try:
            return cls(ScorecardTable.model_validate_json(path.read_bytes()))
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise ArtifactError(
                f"{path} is not a scorecard: {error.error_count()} errors, "
                f"first at {place}: {first['msg']}"
            ) from error
