"""What a start need not do, and what it leaves behind for good."""

import contextlib
import gc
import sys
from collections.abc import Iterator

# Numba looks for scipy's linear algebra when it is first used. No kernel of ours
# calls any, and where scipy is installed it takes a fifth of the start.
_NOT_NEEDED = "scipy.linalg"
# A request leaves next to nothing that only the collector finds, so it need not look
# at the young after every few requests: by default it would after 700 objects.
_OBJECTS_BETWEEN_LOOKS = 20_000
# A single application takes the interpreter's lock several times from a batch that has
# it; each time it would wait 5 ms by default.
_SWITCH_SECONDS = 0.0001


@contextlib.contextmanager
def quick_start() -> Iterator[None]:
    """Load and warm up the service in this block.

    The collector rests meanwhile: nearly all that is made is kept. What is there
    at the end is left out of its sight, so that no request waits the tens of
    milliseconds that a look at all of it takes. From then on threads take turns
    quickly.
    """
    gc.disable()
    try:
        with _hidden(_NOT_NEEDED):
            yield
        gc.collect()
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, *gc.get_threshold()[1:])
        sys.setswitchinterval(_SWITCH_SECONDS)
    finally:
        gc.enable()


@contextlib.contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Let a module seem not to be there, unless it is imported already."""
    if module in sys.modules:
        yield
        return
    # What the import system takes for "there is no such module".
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        # Whoever needs it after all has imported it meanwhile.
        if sys.modules.get(module, module) is None:
            del sys.modules[module]
