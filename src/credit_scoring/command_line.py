"""How each ``python -m credit_scoring.X`` says what it does, and what it refuses."""

import argparse
import math
import textwrap
from collections.abc import Callable

_WIDTH = 79


def command_parser(module: str, *, does: str, example: str) -> argparse.ArgumentParser:
    """Begin the options of a command; misuse ends it with exit code 2.

    Args:
        module: Without the package, e.g. ``demo``.
        does: What it does and what its exit codes say.
        example: What follows the module's name in an example that can be copied;
            its lines are kept as they are.
    """
    program = f"python -m credit_scoring.{module}"
    return argparse.ArgumentParser(
        prog=program,
        description=textwrap.fill(does, _WIDTH),
        epilog=f"example:\n  {program} {example}".rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def whole_number(least: int) -> Callable[[str], int]:
    """Read an option that is a whole number of at least ``least``.

    Returns:
        What `argparse` calls with the option's text.

    Raises:
        argparse.ArgumentTypeError: Not here, but where it is called: if the text is
            no such number. argparse tells the user, and ends the program with 2.
    """

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, not {text!r}"
            )
        return number

    return read


def number_between(low: float, high: float) -> Callable[[str], float]:
    """Read an option that is a number between two, which it may not reach.

    Returns:
        What `argparse` calls with the option's text.

    Raises:
        argparse.ArgumentTypeError: As for `whole_number`.
    """

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low < number < high:
            raise argparse.ArgumentTypeError(
                f"must be a number between {low:g} and {high:g}, not {text!r}"
            )
        return number

    return read
