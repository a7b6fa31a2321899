"""Telling Alertmanager that a pipeline failed, or is not over in time.

`SCHEDULE_ALERTMANAGER_URL` names it, e.g. http://alertmanager:9093. Without it,
and where it does not answer, the alert is in Airflow's log alone.
"""

import asyncio
import json
import logging
import os
import urllib.request
from typing import Any

logger = logging.getLogger(__name__)

VARIABLE = "SCHEDULE_ALERTMANAGER_URL"
_TIMEOUT_SECONDS = 10


def alert(name: str, dag_id: str) -> dict[str, Any]:
    """Give an alert as Alertmanager takes it."""
    return {
        "labels": {"alertname": name, "severity": "ticket", "pipeline": dag_id},
        "annotations": {"summary": f"{name}: {dag_id}; see its run in Airflow"},
    }


def send(name: str, dag_id: str) -> bool:
    """Send an alert.

    Returns:
        Whether it was taken.
    """
    server = os.environ.get(VARIABLE, "")
    logger.error("%s: %s", name, dag_id)
    if not server.startswith(("http://", "https://")):
        logger.warning("%s is not set: nobody else is told", VARIABLE)
        return False
    request = urllib.request.Request(  # noqa: S310 - http or https, see above
        f"{server.rstrip('/')}/api/v2/alerts",
        data=json.dumps([alert(name, dag_id)]).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
            return True
    except OSError as error:
        logger.error("%s does not take the alert: %s", VARIABLE, type(error).__name__)
        return False


def tell_failure(context: Any) -> None:
    """Tell that a task failed for the last time."""
    send("PipelineFailed", str(context["dag"].dag_id))


async def tell_lateness(**kwargs: Any) -> None:
    """Tell that a run is not over by its deadline."""
    await asyncio.to_thread(send, "PipelineLate", str(kwargs["dag_id"]))
