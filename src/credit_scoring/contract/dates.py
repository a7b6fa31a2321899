"""How files write dates, and how they are read: the same on every machine."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

DateFormat = Literal[
    "YYYY-MM-DD",
    "YYYY-MM-DD hh:mm:ss",
    "YYYY-MM",
    "YYYYMMDD",
    "Mon-YYYY",
    "DD.MM.YYYY",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
]
ISO: DateFormat = "YYYY-MM-DD"

# English, whatever the machine's language.
_MONTHS = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d{2})", r"(?P<day>\d{2})"
_PATTERNS: dict[DateFormat, re.Pattern[str]] = {
    "YYYY-MM-DD": re.compile(f"{_YEAR}-{_MONTH}-{_DAY}", re.ASCII),
    "YYYY-MM-DD hh:mm:ss": re.compile(
        rf"{_YEAR}-{_MONTH}-{_DAY}[ T]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?", re.ASCII
    ),
    "YYYY-MM": re.compile(f"{_YEAR}-{_MONTH}", re.ASCII),
    "YYYYMMDD": re.compile(f"{_YEAR}{_MONTH}{_DAY}", re.ASCII),
    "Mon-YYYY": re.compile(rf"(?P<name>[A-Za-z]{{3}})[- ]{_YEAR}", re.ASCII),
    "DD.MM.YYYY": re.compile(rf"{_DAY}\.{_MONTH}\.{_YEAR}", re.ASCII),
    "DD/MM/YYYY": re.compile(f"{_DAY}/{_MONTH}/{_YEAR}", re.ASCII),
    "MM/DD/YYYY": re.compile(f"{_MONTH}/{_DAY}/{_YEAR}", re.ASCII),
}


def read_date(text: str, formats: Sequence[DateFormat]) -> date | None:
    """Read a date of a file; None if it has none of the formats.

    A month stands for its first day; a time of day is left out.

    Args:
        text: Without blanks around it.
        formats: The first that fits is taken.
    """
    for one in formats:
        found = _PATTERNS[one].fullmatch(text)
        if found is None:
            continue
        try:
            return _as_date(found.groupdict())
        except ValueError:
            continue
    return None


def _as_date(parts: dict[str, str]) -> date:
    month = parts.get("month")
    named = parts.get("name", "").lower()
    number = int(month) if month else _MONTHS.index(named) + 1
    return date(int(parts["year"]), number, int(parts.get("day", "1")))
