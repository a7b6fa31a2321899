"""Which pipelines there are, and which of them a plain `kedro run` runs."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

DEFAULT = (
    "ingestion",
    "validation",
    "feature_engineering",
    "training",
    "evaluation",
    "promotion",
    "reporting",
    "packaging",
)


def register_pipelines() -> dict[str, Pipeline]:
    """Find the pipelines in `credit_scoring.pipelines`, one folder each.

    Kedro looks for those alone that a command names, so the default run is there
    only where all of them are.

    Raises:
        ImportError: If a pipeline's module cannot be imported.
        KeyError: If a pipeline of the default run is not there.
    """
    found: dict[str, Pipeline] = find_pipelines(raise_errors=True)
    if "__default__" in found:
        found["__default__"] = sum((found[n] for n in DEFAULT), Pipeline([]))
    return found
