import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.routing_state.state import FILE, change_state
from credit_scoring.serving.override import (
    LOOK_SECONDS,
    Overridable,
    OverrideMetrics,
    OverrideWatch,
)
from credit_scoring.serving.routing import Decided


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Always:
    """A routing that always gives one answer, and notes who followed."""

    def __init__(self, runner: str) -> None:
        self.runner: Any = runner
        self.followed = 0
        self.closed = False

    def decided(self) -> Decided:
        decision: Any = None
        return Decided(self.runner, decision, "champion")

    async def decide(self, application: Any, *, explain: bool) -> Decided:
        return self.decided()

    def decide_many(self, applications: Any, *, explain: bool) -> list[Any]:
        return [self.decided(), ValueError("w")][: len(applications)]

    def arm(self, application: Any) -> Any:
        return "challenger" if self.runner == "configured" else "champion"

    def answered(self, application: Any, answer: Any) -> None:
        self.followed += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def shown(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("credit_scoring_routing_override")


def test_the_challenger_neither_decides_nor_follows_while_it_holds(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    clock = Clock()
    watch = OverrideWatch(tmp_path, OverrideMetrics(registry), clock=clock)
    configured = Always("configured")
    routing = Overridable(configured, Always("champion"), watch)  # type: ignore[arg-type]
    one: Any = object()

    def runners() -> list[Any]:
        alone = asyncio.run(routing.decide(one, explain=False))
        together, error = routing.decide_many([one, one], explain=False)
        assert isinstance(error, ValueError)
        routing.answered(one, one)
        return [alone, together]

    assert [d.runner for d in runners()] == ["configured"] * 2
    assert configured.followed == 1
    change_state(tmp_path, "override", why="it broke", who="guard")
    clock.now += 2.01 * LOOK_SECONDS
    overridden = runners()
    assert [d.runner for d in overridden] == ["champion"] * 2
    # The log goes on saying who was drawn.
    assert [d.arm for d in overridden] == ["challenger"] * 2
    assert configured.followed == 1
    assert shown(registry) == 1
    change_state(tmp_path, "cleared", why="mended", who="ada")
    clock.now += 2.01 * LOOK_SECONDS
    assert [d.runner for d in runners()] == ["configured"] * 2
    assert shown(registry) == 0
    assert routing.arm(one) == "challenger"
    routing.close()
    assert configured.closed


def test_what_held_before_a_restart_holds_after_it(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    change_state(tmp_path, "override", why="it broke", who="guard")
    assert OverrideWatch(tmp_path, OverrideMetrics(registry)).overridden
    assert shown(registry) == 1


def test_a_file_that_vanishes_clears_nothing_and_a_broken_one_overrides(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    clock = Clock()
    change_state(tmp_path, "override", why="it broke", who="guard")
    change_state(tmp_path, "cleared", why="mended", who="ada")
    watch = OverrideWatch(tmp_path, OverrideMetrics(registry), clock=clock)
    assert not watch.overridden
    kept = (tmp_path / FILE).read_bytes()
    for break_it in (lambda p: p.unlink(), lambda p: p.write_bytes(b"{")):
        break_it(tmp_path / FILE)
        clock.now += 1
        assert watch.overridden
        (tmp_path / FILE).write_bytes(kept)
        clock.now += 1
        assert not watch.overridden


def test_a_folder_that_cannot_be_looked_into_overrides(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    place = tmp_path / "file"
    place.write_text("")
    assert OverrideWatch(place, OverrideMetrics(registry)).overridden


def test_the_metric_follows_without_any_decision(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    watch = OverrideWatch(tmp_path, OverrideMetrics(registry))
    watch.start()
    try:
        change_state(tmp_path, "override", why="it broke", who="guard")
        deadline = time.monotonic() + 30
        while shown(registry) != 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        watch.stop()
    assert os.path.exists(tmp_path / FILE)
