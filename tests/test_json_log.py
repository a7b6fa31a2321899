import json
import logging
import sys
from typing import Any

from credit_scoring.json_log import JsonFormatter, facts_of

LOGGER = logging.getLogger("a_test")


def line_of(text: str, *values: Any, **more: Any) -> dict[str, Any]:
    record = LOGGER.makeRecord(
        "credit_scoring.hooks",
        logging.INFO,
        "hooks.py",
        1,
        text,
        values,
        more.get("exc_info"),
        extra=more.get("extra"),
    )
    line = JsonFormatter().format(record)
    assert "\n" not in line
    said: dict[str, Any] = json.loads(line)
    return said


def test_a_message_of_many_lines_is_one_line() -> None:
    said = line_of("\n%s\n", 'a "table"\nof two lines')
    assert said["message"] == 'a "table"\nof two lines'
    assert (said["level"], said["logger"]) == ("INFO", "credit_scoring.hooks")
    assert said["time"].endswith("+00:00")


def test_facts_are_fields_of_their_own() -> None:
    said = line_of("made", extra=facts_of(what="training: fit", seconds=1.5))
    assert (said["what"], said["seconds"]) == ("training: fit", 1.5)


def test_a_traceback_is_a_field() -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        said = line_of("stopped", exc_info=sys.exc_info())
    assert "ZeroDivisionError" in said["exception"]
