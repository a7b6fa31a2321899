"""A Dask cluster: one on this machine, or one that is there at an address.

Dask pickles what it sends between processes that trust one another; nothing of it is
written into a model or a release.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_scoring.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

logger = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.2
# A scheduler on this machine that does not answer for so long is gone.
_LOCAL_SECONDS = 10.0
# A cluster that was told to end may take this long.
_END_SECONDS = 15.0
_SPAWN = multiprocessing.get_context("spawn")


class Adaptive(BaseModel):
    """Bounds of a cluster that grows and shrinks with its work.

    Attributes:
        minimum: Workers that stay when there is nothing to do.
        maximum: Most workers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: int = Field(ge=1)
    maximum: int = Field(ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self


class ClusterParameters(BaseModel):
    """Where work is done by several processes or machines.

    Attributes:
        address: Of a scheduler that is there, as ``tcp://scheduler:8786``; its workers
            have this package installed. None starts workers on this machine.
        workers: How many there are, or are waited for at an address; None is one for
            each core.
        threads_per_worker: Of a worker on this machine.
        memory_limit: Of a worker on this machine, as ``2GiB``; one that reaches it is
            begun again.
        adaptive: Bounds, for workers on this machine; None for `workers` of them.
        tries: How often a piece of work may lose its worker before it is given up.
        patience_seconds: How long workers are waited for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str | None = Field(default=None, pattern=r"^(tcp|tls|ucx|ws|wss)://\S+$")
    workers: int | None = Field(default=None, ge=1, le=10_000)
    threads_per_worker: int = Field(default=1, ge=1, le=1024)
    memory_limit: str = Field(default="auto", min_length=1)
    adaptive: Adaptive | None = None
    tries: int = Field(default=3, ge=1, le=100)
    patience_seconds: float = Field(default=60, gt=0)

    @model_validator(mode="after")
    def _scaled_by_one(self) -> Self:
        if self.adaptive is not None and self.address is not None:
            raise ValueError(
                "adaptive is for workers on this machine; a cluster at an address is "
                "scaled by what started it"
            )
        return self

    @property
    def expected(self) -> int:
        """Workers that are there at all times."""
        if self.adaptive is not None:
            return self.adaptive.minimum
        return self.workers or os.cpu_count() or 1

    @property
    def most(self) -> int:
        """Workers that there may be."""
        return self.expected if self.adaptive is None else self.adaptive.maximum


def require_dask() -> None:
    """Check that Dask is installed, before what needs it is imported.

    Raises:
        ClusterError: If it is not.
    """
    try:
        import distributed  # noqa: F401
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"{error.name} is not installed: install the extra `cluster`, or leave "
            "`cluster` empty in the parameters"
        ) from None


@contextmanager
def connected(parameters: ClusterParameters) -> Iterator["Client"]:
    """Connect to a cluster, or start one that ends with the block.

    Raises:
        ClusterError: If Dask is not installed, nobody answers at the address, or
            too few workers come.
    """
    require_dask()
    from distributed import Client

    there = parameters.address is not None
    patience = parameters.patience_seconds if there else _LOCAL_SECONDS
    with _cluster(parameters) as where:
        try:
            client = Client(where, timeout=patience)
        except (OSError, TimeoutError):
            raise ClusterError(f"{where}: no scheduler of Dask answers there") from None
        with client:
            workers_of(client, parameters.expected, parameters.patience_seconds)
            logger.info("%d workers of Dask", parameters.expected)
            yield client


@contextmanager
def _cluster(parameters: ClusterParameters) -> Iterator[str]:
    """Name the scheduler's address, having started a cluster if none is there.

    It runs in a process of its own. XGBoost's tracker lives where the scheduler does,
    and where a worker dies while it introduces the workers to one another, it takes
    its process with it.
    """
    if parameters.address is not None:
        yield parameters.address
        return
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(parameters, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(parameters.patience_seconds):
            raise ClusterError(
                f"no cluster started within {parameters.patience_seconds:g} s: ask "
                "for fewer workers (cluster.workers), or wait longer "
                "(cluster.patience_seconds)"
            )
        try:
            address = ours.recv()
        except EOFError:
            raise ClusterError(
                "the cluster's process ended before it started; what it said is above"
            ) from None
        yield address
    finally:
        ours.close()
        process.join(_END_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(parameters: ClusterParameters, asked: Connection) -> None:
    """Run a cluster until whoever asked for it, closes the connection or ends."""
    import dask
    from distributed import LocalCluster

    # An interrupt is for the asking process; this one ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A chunk that takes so many workers down with it is at fault itself.
    failures = {"distributed.scheduler.allowed-failures": parameters.tries}
    with (
        dask.config.set(failures),
        LocalCluster(
            n_workers=parameters.expected,
            threads_per_worker=parameters.threads_per_worker,
            memory_limit=parameters.memory_limit,
            host=_LOOPBACK,
            dashboard_address=f"{_LOOPBACK}:0",
            worker_dashboard_address=f"{_LOOPBACK}:0",
            silence_logs=logging.ERROR,
        ) as cluster,
    ):
        if parameters.adaptive is not None:
            cluster.adapt(
                minimum=parameters.adaptive.minimum,
                maximum=parameters.adaptive.maximum,
            )
        asked.send(cluster.scheduler_address)
        with contextlib.suppress(EOFError):
            asked.recv()


def workers_of(client: "Client", count: int, patience_seconds: float) -> list[str]:
    """Name the addresses of a number of workers, waiting for them if need be.

    Args:
        client: Connected.
        count: How many are wanted.
        patience_seconds: How long they are waited for.

    Raises:
        ClusterError: If too few come.
    """
    until = time.monotonic() + patience_seconds
    while len(found := present(client)) < count:
        if time.monotonic() > until:
            raise ClusterError(
                f"{len(found)} of {count} workers came within {patience_seconds:g} s: "
                "start more, or ask for fewer (cluster.workers)"
            )
        time.sleep(_POLL_SECONDS)
    return sorted(found)[:count]


def present(client: "Client") -> set[str]:
    """Name the addresses of the workers that are there at this moment.

    There are none where the scheduler is gone.
    """
    return set(client.scheduler_info(n_workers=-1).get("workers", ()))
