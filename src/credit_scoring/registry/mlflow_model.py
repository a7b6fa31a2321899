"""The artifact as an MLflow model: contract columns in, a decision out.

MLflow finds `_load_pyfunc` by this module's name and hands it the artifact's
folder. So the model in MLflow is the artifact itself, not a pickle around it.
"""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract
from credit_scoring.contract.rules import code_of_label
from credit_scoring.registry.artifact import Artifact, load_artifact

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = ("pd", "score", "decision")
# What loading and asking the model imports; mlflow serves it.
_PACKAGES = ("mlflow", "msgspec", "numba", "numpy", "pandas", "pydantic")


class DecisionModel:
    """Answers MLflow's calls with the artifact's decisions."""

    def __init__(self, artifact: Artifact) -> None:
        """Take a verified artifact."""
        self.artifact = artifact

    def predict(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Decide on applications.

        Args:
            frame: One row an application, one column each of the contract's
                input columns; missing values are NaN or None.

        Returns:
            ``pd`` in (0, 1), ``score`` in points and ``decision``, in the
            order and with the index of the rows.
        """
        import pandas as pd

        columns: dict[str, NDArray[np.float64]] = {
            name: frame[name].to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
            for name in self.artifact.contract.input_names
        }
        decisions = self.artifact.engine.decide_unexplained(columns)
        answers = {
            "pd": decisions.pd_,
            "score": decisions.score,
            "decision": [row.decision for row in decisions.rows()],
        }
        return pd.DataFrame(answers, index=frame.index)


def _load_pyfunc(path: str) -> DecisionModel:
    """Load the artifact, for MLflow."""
    return DecisionModel(load_artifact(Path(path)))


def pinned_requirements() -> list[str]:
    """Pin what the model needs to the versions it was made with."""
    return [f"{package}=={version(package)}" for package in _PACKAGES]


def input_example(contract: Contract) -> "pd.DataFrame":
    """Give one application made of the contract's examples.

    A column without an example has its lowest allowed value, or 0; a label is its
    code, as in all that the model is asked.
    """
    import pandas as pd

    values: dict[str, list[float]] = {}
    for name in contract.input_names:
        column = contract.columns[name]
        example = column.example if column.example is not None else column.minimum
        codes = code_of_label(column) if column.type == "string" else {}
        values[name] = [float(codes.get(str(example), example or 0))]
    return pd.DataFrame(values)
