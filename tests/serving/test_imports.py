"""The serving process stays free of what only training needs."""

import json
import subprocess
import sys

FORBIDDEN = (
    "kedro", "mlflow", "evidently", "pandas", "sklearn", "xgboost", "optbinning",
    "matplotlib", "shap", "optuna", "redis",
    # Only a batch in a table needs it, and reads it then.
    "pyarrow",
)  # fmt: skip
PROGRAM = """
import json, sys
import bentoml, _bentoml_impl.server.app, _bentoml_impl.worker.service
import credit_scoring.serving.assembly, credit_scoring.serving.bento
import credit_scoring.serving.examples, credit_scoring.serving.metrics
import credit_scoring.boosting.ensemble, credit_scoring.scorecard.model
print(json.dumps(sorted(sys.modules)))
"""


def test_the_service_imports_no_training_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    modules = json.loads(done.stdout)
    packages = {name.partition(".")[0] for name in modules}
    assert not packages & set(FORBIDDEN)
    # Numba looks for scipy, but takes nothing from it.
    assert not [
        name for name in modules if name.startswith(("scipy.linalg", "scipy.s"))
    ]
