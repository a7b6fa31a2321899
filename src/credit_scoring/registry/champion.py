"""The champion beside a candidate: what it decides on the same applications."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import CreditScoringError, PromotionError
from credit_scoring.registry.mlflow_registry import MlflowRegistry
from credit_scoring.registry.scoring import Scored, decide_with

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Champion:
    """What the champion makes of the test rows.

    Attributes:
        version: Its version; None if there is no champion.
        decided: None if there is none, or if it could not decide.
        fault: Why it could not.
    """

    version: int | None
    decided: Scored | None
    fault: str | None

    def decisions(self) -> Scored:
        """Give what it decided.

        Raises:
            PromotionError: If it could not.
        """
        if self.decided is None:
            raise PromotionError(
                "there is no champion to compare with"
                if self.fault is None
                else f"the champion could not decide on these rows: {self.fault}"
            )
        return self.decided


NO_CHAMPION = Champion(None, None, None)


def champion_on(
    registry: MlflowRegistry, alias: str, columns: Mapping[str, Values]
) -> Champion:
    """Load the champion from the registry, and let it decide now.

    Args:
        registry: Where it is registered.
        alias: What it is called there.
        columns: Contract columns of the applications, each of shape (n,).
    """
    holder = registry.holder(alias)
    if holder is None:
        return NO_CHAMPION
    try:
        with registry.model_folder(holder.version) as folder:
            return Champion(holder.version, decide_with(folder, columns), None)
    except CreditScoringError as error:
        return Champion(holder.version, None, str(error))
