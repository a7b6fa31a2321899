"""Another password of Redis, in real containers: ``make rotation-test`` (minutes)."""

from pathlib import Path

import pytest
from tests.deployment import stack as rehearsal
from tests.deployment.stack_engine import Stack
from tests.deployment.stack_load import Load

from .containers_run import load, stack, work

__all__ = ["load", "stack", "work"]

pytestmark = pytest.mark.end_to_end


def password_of(folder: Path) -> str:
    """The password that the next start takes."""
    env = (folder / ".env").read_text(encoding="utf-8")
    return env.split("REDIS_PASSWORD=")[1].split()[0]


def test_a_changed_password_of_redis_loses_nothing(
    stack: Stack, load: Load, bento: str
) -> None:
    old = password_of(stack.folder)

    def change() -> None:
        stack.secrets("--rotate", "REDIS_PASSWORD")
        stack.compose("up", "-d", "--no-deps", "--force-recreate", "redis")
        stack.roll_out(bento)

    rehearsal.under_load(stack, load, "another password of Redis", change)

    _, sent, failed, _, lost = stack.rows[-1]
    assert int(lost) == 0
    # One in the air may fail where Redis vanishes from under both servers.
    assert int(failed) <= int(sent) // 100
    new = password_of(stack.folder)
    assert new != old
    for server in ("service-1", "service-2"):
        assert f":{new}@redis" in stack.run(
            *("podman", "exec", stack.container(server), "printenv"),
            "CREDIT_SCORING_REDIS_URL",
        )
    for password, answer in ((new, "PONG"), (old, "NOAUTH")):
        said = stack.run(
            *("podman", "exec", f"--env=REDISCLI_AUTH={password}"),
            *(stack.container("redis"), "sh", "-c", "redis-cli ping 2>&1 || true"),
        )
        assert answer in said
