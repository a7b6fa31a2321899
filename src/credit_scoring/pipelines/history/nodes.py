"""Nodes of the history pipeline."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pandas as pd

from credit_scoring.errors import PromotionError
from credit_scoring.pipelines.history.parameters import HistoryParameters
from credit_scoring.registry.promoting import champion_at, history_rows
from credit_scoring.registry.promotion_access import open_promotions


def answer_history(history: HistoryParameters) -> dict[str, Any]:
    """Verify the whole history, and find the champion of a day.

    Args:
        history: The day.

    Returns:
        ``table``: a row for each record; ``answer``: the record that held at the
        end of the day, and until when.

    Raises:
        PromotionError: If a record cannot be believed, or nobody was champion.
    """
    records = open_promotions(history.registered_model).log.records()
    moment = datetime.now(UTC)
    if history.day is not None:
        day_after = datetime.combine(history.day, time(), UTC) + timedelta(days=1)
        moment = min(moment, day_after)
    held = champion_at(records, moment)
    if held is None:
        since = records[0]["created_at"] if records else "never"
        raise PromotionError(
            f"nobody was champion at {moment.isoformat(timespec='seconds')}: the first "
            f"record is of {since}"
        )
    return {"table": pd.DataFrame(history_rows(records)), "answer": held}
