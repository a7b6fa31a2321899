"""Nodes of the rollback pipeline."""

from typing import Any

from credit_scoring.errors import RollbackRefusedError
from credit_scoring.pipelines.rollback.parameters import RollbackParameters
from credit_scoring.registry.promotion_access import open_promotions


def restore_champion(rollback: RollbackParameters) -> dict[str, Any]:
    """Give an earlier champion its role back, and record why, signed.

    Args:
        rollback: Which one, and why.

    Returns:
        The promotion record.

    Raises:
        RollbackRefusedError: If no reason is given, or nothing can be restored.
        PromotionError: If the history cannot be believed.
    """
    why = rollback.why.strip()
    if not why:
        raise RollbackRefusedError(
            "a rollback needs a reason, which is recorded: make rollback "
            'WHY="declines rose to 60 %", or kedro run --pipelines rollback '
            '--params "rollback.why=declines rose to 60 %"'
        )
    promotions = open_promotions(rollback.registered_model)
    return promotions.roll_back(why=why, version=rollback.version)
