"""Notes are counted together, and none is lost."""

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram

from credit_scoring.serving.tally import Children, Tally, observe_all

BOUNDS = (0.0, 1.0, 2.5, 10.0)


@given(st.lists(st.floats(-5, 20) | st.sampled_from(BOUNDS), min_size=1))
def test_observing_all_is_observing_each(values: list[float]) -> None:
    registry = CollectorRegistry()
    each = Histogram("each", "each", buckets=BOUNDS, registry=registry)
    all_ = Histogram("all", "all", buckets=BOUNDS, registry=registry)
    for value in values:
        each.observe(value)
    observe_all(all_, values)
    for bound in ("0.0", "1.0", "2.5", "10.0", "+Inf"):
        assert registry.get_sample_value(
            "all_bucket", {"le": bound}
        ) == registry.get_sample_value("each_bucket", {"le": bound})
    assert registry.get_sample_value("all_sum") == pytest.approx(
        registry.get_sample_value("each_sum"), abs=1e-9
    )


def counted(registry: CollectorRegistry) -> tuple[Tally, Any]:
    tally = Tally(registry)
    children = Children(Counter("seen", "seen", ["what"], registry=registry))
    return tally, tally.notes(children.count).add


def test_what_is_prepared_for_reading_sees_all_that_is_counted() -> None:
    registry = CollectorRegistry()
    tally, note = counted(registry)
    seen: list[Any] = []

    note(("a",))
    tally.flush()
    assert seen == []
    tally.before_reading(lambda: seen.append("prepared"))
    note(("a",))
    tally.prepare()
    assert seen == ["prepared"]
    assert registry.get_sample_value("seen_total", {"what": "a"}) == 2


def test_whoever_reads_the_registry_sees_every_note() -> None:
    registry = CollectorRegistry()
    _, add = counted(registry)
    for _ in range(2500):
        add(("a",))
    assert registry.get_sample_value("seen_total", {"what": "a"}) == 2500
    assert registry.get_sample_value("seen_total", {"what": "a"}) == 2500


def test_no_note_of_any_thread_is_lost_or_counted_twice() -> None:
    registry = CollectorRegistry()
    tally, add = counted(registry)
    threads = [
        threading.Thread(target=lambda: [add(("a",)) for _ in range(20_000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        tally.flush()
    assert registry.get_sample_value("seen_total", {"what": "a"}) == 80_000


def test_notes_are_counted_without_being_asked_for() -> None:
    registry = CollectorRegistry()
    counter = Counter("seen", "seen", registry=registry)
    happened = asyncio.Event()

    def count(notes: list[int]) -> None:
        counter.inc(len(notes))
        if counter._value.get() >= 3000:
            happened.set()

    async def run() -> None:
        tally = Tally(CollectorRegistry())
        notes = tally.notes(count)
        tally.start()
        for number in range(3000):
            notes.add(number)
        await asyncio.wait_for(happened.wait(), 30)
        notes.add(0)
        tally.stop()

    asyncio.run(run())
    assert registry.get_sample_value("seen_total") == 3001
