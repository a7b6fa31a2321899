"""Opening the promotions of this project with the keys of this place."""

import os

from credit_scoring.registry.mlflow_registry import MlflowRegistry
from credit_scoring.registry.promoting import Promotions
from credit_scoring.registry.promotion_log import PromotionLog
from credit_scoring.registry.provenance import project_folder
from credit_scoring.registry.signing import load_signer, load_trusted_keys


def open_promotions(model: str) -> Promotions:
    """Open the registry, the log and the key that the environment names.

    Args:
        model: Registered name.

    Raises:
        SettingsError: If a key cannot be read.
    """
    project = project_folder()
    return Promotions(
        registry=MlflowRegistry(model),
        log=PromotionLog(model, load_trusted_keys(os.environ, project)),
        signer=load_signer(os.environ, project),
    )
