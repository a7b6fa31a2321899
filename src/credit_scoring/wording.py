"""Words for people: counts with their nouns."""


def counted(number: int, one: str, several: str | None = None) -> str:
    """Say how many of something there are: ``1 segment``, ``1,200 segments``.

    Args:
        number: How many, 0 or more; thousands are parted by commas.
        one: What one of them is called.
        several: What more or none of them are called; ``one`` with an s by default.
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"
