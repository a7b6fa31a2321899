"""What the decision asks of a model, whichever family it is of."""

from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray


class Model(Protocol):
    """A fitted candidate: features to log-odds of bad, and why.

    Each row's result depends on that row alone, to the bit: not on the rows
    beside it, their number, or the thread that computes them.
    """

    family: ClassVar[str]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the feature matrix's columns, in order."""

    def margin(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of bad before calibration.

        Args:
            x: Feature matrix, shape (n, n_features), C order; NaN is missing.

        Returns:
            Shape (n,).
        """

    def contributions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shapley values of the margin against the background applicants.

        Exact interventional values: each row sums to its margin minus the mean
        margin of the background.

        Args:
            x: Feature matrix, shape (n, n_features).

        Returns:
            Shape (n, n_features), in log-odds of bad; positive is riskier.

        Raises:
            ArtifactError: If the model has no background yet.
        """

    def with_background(self, background: NDArray[np.float64]) -> Self:
        """The same model, explaining against these rows.

        Args:
            background: Feature rows of just-approved applicants, shape
                (n_background, n_features).
        """

    def save(self, folder: Path) -> None:
        """Write the model as plain files (no pickle) into an empty folder.

        What it explains against is written too, if it has a background.
        """

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; needs neither the fitting library nor pandas.

        Raises:
            ArtifactError: If a file is missing or not as `save` writes it.
        """
