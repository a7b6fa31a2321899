"""What fitting a candidate gives, whichever family it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import pandas as pd

ModelT = TypeVar("ModelT")


@dataclass(frozen=True, eq=False)
class FittedCandidate(Generic[ModelT]):
    """A fitted model and how it was chosen.

    Attributes:
        model: The model, not yet calibrated.
        trials: What the search tried, one row a trial, in order.
        chosen: The hyper-parameters of the model, by name.
    """

    model: ModelT
    trials: pd.DataFrame
    chosen: dict[str, Any]
