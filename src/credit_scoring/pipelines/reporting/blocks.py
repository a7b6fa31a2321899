"""What a report is put together from: paragraphs, tables, pictures, gaps."""

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Line = Mapping[str, Any]
Format = Callable[[Any], str]
# Rows of a table.
_SHORT, _WHOLE = 9, 20
NOTHING = "\N{EN DASH}"
Tone = Literal["", "good", "bad", "gap"]


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    tone: Tone = ""
    number: bool = False


@dataclass(frozen=True)
class Block:
    """One piece of a section.

    Attributes:
        kind: How it is laid out.
        text: Of a paragraph or gap; the caption of a table or picture.
        header: Of a table.
        rows: Of a table.
        image: Of a picture, as a data URI.
    """

    kind: Literal["paragraph", "table", "picture", "gap"]
    text: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    image: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is kept on one page in print."""
        return len(self.rows) <= _WHOLE


@dataclass(frozen=True)
class Section:
    """A numbered part of the report."""

    anchor: str
    title: str
    blocks: tuple[Block, ...] = field(default=())

    @property
    def short(self) -> bool:
        """Whether it needs no page of its own in print."""
        pictures = sum(block.kind == "picture" for block in self.blocks)
        return pictures == 0 and sum(len(b.rows) for b in self.blocks) <= _SHORT


def paragraph(text: str) -> Block:
    """Say something in plain words."""
    return Block("paragraph", text)


def gap(text: str) -> Block:
    """Say what is not there."""
    return Block("gap", text)


def picture(content: bytes, caption: str) -> Block:
    """Show a PNG inside the page."""
    image = "data:image/png;base64," + base64.b64encode(content).decode()
    return Block("picture", caption, image=image)


def table(
    lines: Sequence[Line],
    columns: Mapping[str, tuple[str, Format]],
    *,
    caption: str,
    missing: str,
) -> Block:
    """Lay lines out; a gap where there are none.

    Args:
        lines: What is shown.
        columns: Key of a line -> heading and format.
        caption: What the table is of.
        missing: What is said where there are no lines.
    """
    if not lines:
        return gap(missing)
    rows = tuple(
        tuple(_cell(line.get(key), show) for key, (_, show) in columns.items())
        for line in lines
    )
    return Block("table", caption, tuple(title for title, _ in columns.values()), rows)


def _cell(value: Any, show: Format) -> Cell:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Cell(NOTHING)
    tone: Tone = ""
    if show is verdict:
        tone = "good" if value else "bad"
    return Cell(show(value), tone, number=show not in WORDS)


def word(value: Any) -> str:
    """Show a text as it is."""
    return str(value)


def name(value: Any) -> str:
    """Show a name without its underscores."""
    return str(value).replace("_", " ")


def verdict(value: Any) -> str:
    """Show whether something holds."""
    return "yes" if value else "no"


def count(value: Any) -> str:
    """Show a number of things."""
    return f"{int(value):,}"


def percent(value: Any) -> str:
    """Show a share."""
    # A no-break space keeps the sign beside its number.
    return f"{100 * float(value):.1f}\N{NO-BREAK SPACE}%"


def figure(value: Any) -> str:
    """Show a figure with four digits."""
    return f"{float(value):.4f}"


def gate_figure(value: Any) -> str:
    """Show what a gate measured: a figure with four digits, or a number of things."""
    return count(value) if float(value).is_integer() else figure(value)


def points(value: Any) -> str:
    """Show points of a score."""
    return f"{float(value):.1f}"


WORDS = (word, name, verdict)


def with_interval(measured: Mapping[str, Any] | None, show: Format = figure) -> str:
    """Show a measure with its interval, as far as it has one."""
    if not measured or measured.get("value") is None:
        return "not measured"
    low, high = measured.get("low"), measured.get("high")
    if low is None or high is None:
        return show(measured["value"])
    return f"{show(measured['value'])} ({show(low)} to {show(high)})"


def listed(names: Iterable[str]) -> str:
    """Name several things in a sentence."""
    return ", ".join(str(one).replace("_", " ") for one in names) or "none"
