"""Faults of our own: what the log says about them, and what the client hears."""

import logging
import traceback
import uuid

from credit_scoring.serving.problems import Problem, incident

_LOG = logging.getLogger(__name__)
_MOST_FRAMES = 12


def report_incident(error: Exception) -> Problem:
    """Log where a fault happened, and describe it to the client by a number alone.

    An exception's text may hold an applicant's values, so the log gets its type
    and the lines it passed, and nothing else.
    """
    identifier = str(uuid.uuid4())
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    lines = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    _LOG.error("incident %s: %s at %s", identifier, type(error).__name__, lines)
    return incident(identifier)
