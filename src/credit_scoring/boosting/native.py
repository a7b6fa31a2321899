"""Margins from XGBoost itself, where the compiled trees do not agree with it.

It is imported only then: XGBoost is large, and the service has no other use for it.
"""

import sys
from functools import cached_property
from types import ModuleType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from credit_scoring.boosting.ensemble import BOOSTER_FILE, TreeEnsemble
from credit_scoring.errors import ArtifactError

# Contributions are sums of single-precision leaves.
_TOLERANCE = 1e-4
_LARGEST = float(np.finfo(np.float32).max)
_HIDDEN = "scipy.linalg"


class NativeEnsemble(TreeEnsemble):
    """The same model, whose margins XGBoost computes from its own file.

    Reasons still come from the tables; each row's are proved to add up to what
    XGBoost says, so that none is given that is not of the model that decided.
    """

    margins: ClassVar[str] = "xgboost"

    @classmethod
    def of(cls, ensemble: TreeEnsemble) -> Self:
        """Take a model over.

        Raises:
            ArtifactError: If XGBoost is not installed, or cannot read the model.
        """
        native = cls(
            features=ensemble.features,
            trees=ensemble.trees,
            base_margin=ensemble.base_margin,
            booster=ensemble.booster,
            tables=ensemble.tables,
        )
        if native._booster.num_features() != len(native.features):
            raise ArtifactError(
                f"{BOOSTER_FILE} has {native._booster.num_features()} features; "
                f"expected {len(native.features)}"
            )
        return native

    def margin(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of bad before calibration; see `TreeEnsemble.margin`."""
        rows = np.clip(self._rows(x), -_LARGEST, _LARGEST)
        if not len(rows):
            return np.empty(0)
        found = self._booster.inplace_predict(rows, predict_type="margin")
        return np.asarray(found, np.float64)

    def contributions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shapley values of the margin; see `TreeEnsemble.contributions`.

        Raises:
            ArtifactError: If the model has no background, or a row's values do not
                add up to XGBoost's margin less the background's mean margin.
        """
        values = super().contributions(x)
        if self.tables is None:
            return values
        expected = self.margin(x) - self.tables.background_margin_mean
        off = np.abs(values.sum(axis=1) - expected)
        if not (off <= _TOLERANCE).all():
            raise ArtifactError(
                f"the contributions of {int((~(off <= _TOLERANCE)).sum())} of "
                f"{len(off)} rows do not add up to XGBoost's margins; first at row "
                f"{int((~(off <= _TOLERANCE)).argmax())}"
            )
        return values

    @cached_property
    def _booster(self) -> Any:
        xgboost = _import_xgboost()
        # One thread: a row's margin must not wait for another core.
        booster = xgboost.Booster({"nthread": 1})
        try:
            booster.load_model(bytearray(self.booster))
        except xgboost.core.XGBoostError as error:
            raise ArtifactError(f"{BOOSTER_FILE} is not an XGBoost model") from error
        return booster


def _import_xgboost() -> ModuleType:
    # The service hides it from numba while it starts; XGBoost's scipy needs it.
    hidden = _HIDDEN in sys.modules and sys.modules[_HIDDEN] is None
    if hidden:
        del sys.modules[_HIDDEN]
    try:
        import xgboost
    except ImportError as error:
        raise ArtifactError(
            "the compiled trees do not agree with XGBoost, and XGBoost is not "
            "installed to take their place: install the extra 'fallback' of this "
            "package (xgboost-cpu), or train again on this platform"
        ) from error
    module: ModuleType = xgboost
    return module
