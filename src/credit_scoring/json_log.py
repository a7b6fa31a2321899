"""Log lines for machines: one JSON object a line (conf/logging_json.yml)."""

import json
import logging
from datetime import UTC, datetime

# What `facts_of` puts on a record.
_FACTS = "facts"


class JsonFormatter(logging.Formatter):
    """Writes a record as one line: time, level, logger, message, and its facts."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line; an exception's traceback is in the field ``exception``."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().strip(),
            **getattr(record, _FACTS, {}),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


def facts_of(**facts: str | float) -> dict[str, dict[str, str | float]]:
    """Give what a message tells by name, for ``extra`` of a logging call."""
    return {_FACTS: facts}
