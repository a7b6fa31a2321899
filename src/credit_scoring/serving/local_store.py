"""A local store of histories for a service, unless another is named."""

import contextlib
import os
from collections.abc import Iterator, Mapping, MutableMapping

from credit_scoring.serving.local_redis import LocalRedisError, start_local_redis

REDIS_URL = "CREDIT_SCORING_REDIS_URL"


def offer_local_store(environment: MutableMapping[str, str]) -> str:
    """Name a local server in the environment, unless another is named there.

    What replaces this process, and inherits its open files, keeps the server alive.

    Args:
        environment: Gets the server's address.

    Returns:
        What a person should know: where histories are.
    """
    if environment.get(REDIS_URL):
        return f"Histories are in the Redis server that {REDIS_URL} names."
    try:
        server = start_local_redis()
    except LocalRedisError as error:
        return f"Applications without history are referred: {error}."
    os.set_inheritable(server.held, True)
    environment[REDIS_URL] = server.url
    return (
        "Histories are kept in memory, as long as the service runs. To fill the store:"
        f"\n  {REDIS_URL}={server.url} kedro run --pipelines materialization"
    )


@contextlib.contextmanager
def local_store() -> Iterator[Mapping[str, str]]:
    """Run a local server until the block is left, unless another is named.

    Without one a service answers all the same; applications without history are
    then referred.

    Yields:
        Environment variables for a service that is to use it.
    """
    if os.environ.get(REDIS_URL):
        yield {}
        return
    try:
        server = start_local_redis()
    except LocalRedisError:
        yield {}
        return
    try:
        yield {REDIS_URL: server.url}
    finally:
        server.release()
