"""What a feature is: one pure function over numpy columns, and its meaning."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from credit_scoring.digests import sha256_of_json
from credit_scoring.errors import FeatureError
from credit_scoring.features.kernel import Kernel, Places, compile_features

Values = NDArray[np.float64]
Direction = Literal[-1, 0, 1]

# Rows computed at a time: a block's columns stay in the processor's cache.
_BLOCK_ROWS = 4096


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes:
        name: The function's name.
        function: Takes float64 columns of shape (n,), gives one of shape (n,).
        inputs: The contract's columns it reads: the function's parameter names.
        direction: +1 if the PD may only rise with the feature, -1 if it may
            only fall, 0 if either.
        reason: Code of the reason group that the feature belongs to.
        description: First line of the function's docstring.
    """

    name: str
    function: Callable[..., Values]
    inputs: tuple[str, ...]
    direction: Direction
    reason: str
    description: str


def feature(
    *, direction: Direction, reason: str
) -> Callable[[Callable[..., Values]], Feature]:
    """Declare a function to be a feature; its parameters name its columns.

    A feature uses only operations that IEEE 754 rounds correctly (+ - * /,
    square root, comparison, minimum, maximum, absolute value, where), element
    by element. So its value for a row does not depend on the rows beside it,
    on the machine's vector width, or on who calls it.

    Raises:
        FeatureError: If the function has no docstring.
    """

    def declare(function: Callable[..., Values]) -> Feature:
        """Make a feature of the function that stands below.

        Raises:
            FeatureError: If the function has no docstring.
        """
        documentation = inspect.getdoc(function)
        if not documentation:
            raise FeatureError(f"feature {function.__name__} has no docstring")
        return Feature(
            name=function.__name__,
            function=function,
            inputs=tuple(inspect.signature(function).parameters),
            direction=direction,
            reason=reason,
            description=documentation.splitlines()[0],
        )

    return declare


class FeatureSet:
    """The features of a data set, in a fixed order, with their reason texts."""

    def __init__(
        self,
        *,
        name: str,
        features: Sequence[Feature],
        reasons: Mapping[str, str],
        source: str,
    ) -> None:
        """Collect features.

        Args:
            name: Names the set, e.g. ``taiwan_default``.
            features: In the order of the feature matrix's columns.
            reasons: Reason code -> plain sentence, as an applicant would read it.
            source: Source code that the feature values depend on.

        Raises:
            FeatureError: If two features share a name, or a feature's reason
                code has no sentence.
        """
        names = [f.name for f in features]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise FeatureError(f"features defined twice: {', '.join(twice)}")
        silent = sorted({f.name for f in features if not reasons.get(f.reason)})
        if silent:
            raise FeatureError(f"features without a reason text: {', '.join(silent)}")
        self.name = name
        self.features = tuple(features)
        self.reasons = dict(reasons)
        self._source = source
        self._kernel: Kernel | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the feature matrix's columns, in order."""
        return tuple(f.name for f in self.features)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Monotone direction of each feature, in order."""
        return tuple(f.direction for f in self.features)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Every column that some feature reads, sorted."""
        return tuple(sorted({name for f in self.features for name in f.inputs}))

    def compute(self, columns: Mapping[str, Values]) -> Values:
        """Compute the feature matrix.

        Args:
            columns: Float64 columns of shape (n,) by contract name; a missing
                value is NaN.

        Returns:
            Shape (n, n_features), C order. A row's bits depend on the row
            alone.

        Raises:
            FeatureError: If a column that a feature reads is not there.
        """
        absent = [name for name in self.inputs if name not in columns]
        if absent:
            raise FeatureError(f"columns missing for features: {', '.join(absent)}")
        if self._kernel is None:
            return self._compute_in_blocks(columns)
        given = [columns[name] for name in self.inputs]
        rows = np.stack(given, axis=1, dtype=np.float64)
        return self.compute_rows(np.ascontiguousarray(rows), np.arange(len(given)))

    def compute_rows(self, rows: Values, places: Places) -> Values:
        """Compute the feature matrix of rows that hold the columns side by side.

        Args:
            rows: Shape (n, n_columns), C order; a missing value is NaN.
            places: Where in a row each of `inputs` stands, shape (n_inputs,).

        Returns:
            The bits that `compute` gives for the same columns.
        """
        if self._kernel is None:
            given = zip(self.inputs, places.tolist(), strict=True)
            return self._compute_in_blocks({name: rows[:, at] for name, at in given})
        matrix = np.empty((len(rows), len(self.features)))
        self._kernel(rows, places, matrix)
        return matrix

    @cached_property
    def compiled(self) -> "FeatureSet":
        """The same features in one compiled kernel: the same bits, sooner.

        Takes seconds the first time on a machine and milliseconds afterwards; a
        row then takes microseconds. Worth it where rows come one by one.
        """
        digest = hashlib.sha256(self._source.encode()).hexdigest()[:16]
        places = {name: place for place, name in enumerate(self.inputs)}
        same = copy(self)
        same._kernel = compile_features(
            [f.function for f in self.features],
            [[places[name] for name in f.inputs] for f in self.features],
            digest=digest,
        )
        return same

    def _compute_in_blocks(self, columns: Mapping[str, Values]) -> Values:
        rows = len(columns[self.inputs[0]])
        matrix = np.empty((rows, len(self.features)))
        for start in range(0, rows, _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            part = {name: columns[name][block] for name in self.inputs}
            for place, item in enumerate(self.features):
                matrix[block, place] = item.function(*[part[n] for n in item.inputs])
        return _one_zero_one_nan(matrix)

    def version(self, contract_digest: str) -> str:
        """Version of the feature values: code and contract, 16 hex digits."""
        code = hashlib.sha256(self._source.encode()).hexdigest()
        named = [[f.name, f.direction, f.reason] for f in self.features]
        return sha256_of_json([code, named, contract_digest])[:16]


def _one_zero_one_nan(matrix: Values) -> Values:
    """Give every zero and every NaN the same bits, in place.

    Which zero ``minimum(0.0, -0.0)`` gives, and whose sign a NaN keeps, depends
    on where in a vector register the row happens to be.
    """
    matrix += 0.0
    missing = np.isnan(matrix)
    if missing.any():
        matrix[missing] = np.nan
    return matrix


def load_feature_set(name: str) -> FeatureSet:
    """Import ``credit_scoring.features.<name>`` and give its ``FEATURE_SET``.

    Raises:
        FeatureError: If there is no such module, or it defines no feature set.
    """
    path = f"credit_scoring.features.{name}"
    try:
        module = import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        raise FeatureError(f"no feature set {name!r}: expected a module {path}") from (
            error
        )
    found = getattr(module, "FEATURE_SET", None)
    if not isinstance(found, FeatureSet):
        raise FeatureError(f"module {path} defines no FEATURE_SET")
    return found
