"""Registered versions and the roles they may have, without the registry itself."""

from dataclasses import dataclass

MODEL_NAME = "credit_scoring"
CHAMPION = "champion"
CHALLENGER = "challenger"


@dataclass(frozen=True)
class RegisteredVersion:
    """A version in the registry.

    Attributes:
        version: Its number.
        run_id: The run that made it.
        digest: Digest of its artifact.
        family: Family of its model.
        model: Name of the registered model that it is a version of.
    """

    version: int
    run_id: str
    digest: str
    family: str
    model: str = MODEL_NAME
