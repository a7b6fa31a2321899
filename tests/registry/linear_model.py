"""A model family of the tests: a weighted sum of the features."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import ArtifactError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Margin = sum of weight times feature."""

    family: ClassVar[str] = "linear"
    features: tuple[str, ...]
    weights: tuple[float, ...]
    background: Values | None = None

    def margin(self, x: Values) -> Values:
        total = np.zeros(len(x))
        for index, weight in enumerate(self.weights):
            total += weight * x[:, index]
        return total

    def contributions(self, x: Values) -> Values:
        if self.background is None:
            raise ArtifactError("no background")
        return (x - self.background.mean(axis=0)) * np.array(self.weights)

    def with_background(self, background: Values) -> Self:
        return type(self)(self.features, self.weights, background)

    def save(self, folder: Path) -> None:
        rows = None if self.background is None else self.background.tolist()
        content = {
            "features": self.features,
            "weights": self.weights,
            "background": rows,
        }
        (folder / "linear.json").write_text(json.dumps(content))

    @classmethod
    def load(cls, folder: Path) -> Self:
        content = json.loads((folder / "linear.json").read_text())
        background = np.array(content["background"]) if content["background"] else None
        return cls(tuple(content["features"]), tuple(content["weights"]), background)
