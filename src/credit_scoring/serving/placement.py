"""Where the models compute: in this process, or in services of their own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from credit_scoring.serving.answers import Role
from credit_scoring.serving.apart import Patience
from credit_scoring.serving.assembly import Models
from credit_scoring.serving.examples import example_body
from credit_scoring.serving.remote import ChampionApart, RemoteRunner
from credit_scoring.serving.runner_channel import RunnerChannel, address_of
from credit_scoring.serving.runner_metrics import RunnerMetrics
from credit_scoring.serving.runners import Runner
from credit_scoring.serving.settings import Settings

# A server starts all its processes at once; the runners are ready at about the same
# time as the worker. One that is not is found later.
_WAIT_SECONDS = 3.0


@dataclass(frozen=True)
class Placement:
    """The models as routing asks them.

    Attributes:
        models: Champion and challenger, wherever they compute.
        remote: Those in services of their own.
    """

    models: Models
    remote: tuple[RemoteRunner, ...] = ()

    async def start(self) -> None:
        """Look for the services, in the event loop that answers."""
        if not self.remote:
            return
        decoder = self.models.decoder
        body = example_body(self.models.contract)
        probe = decoder.decode(msgspec.json.encode(body))
        starts = (one.start(probe, wait_seconds=_WAIT_SECONDS) for one in self.remote)
        await asyncio.gather(*starts)

    async def close(self) -> None:
        """Leave the services; the last request is answered."""
        for runner in self.remote:
            await runner.close()


def placed(
    models: Models,
    settings: Settings,
    metrics: RunnerMetrics,
    *,
    urls: Mapping[Role, str | None],
) -> Placement:
    """Place the models as the settings say.

    The champion computes in this process, too, whenever its service does not. A
    challenger without its service is left out.

    Args:
        models: Loaded, verified and warm, in this process.
        settings: Say where, and how long to wait.
        metrics: Counts the calls.
        urls: Where the service of each role listens; a role without one stays in
            this process.
    """
    if settings.runners == "in_process":
        return Placement(models)

    def remote(runner: Runner, url: str, timeout_ms: int, most: int) -> RemoteRunner:
        patience = Patience(timeout_ms=timeout_ms, most_waiting=most)
        channel = RunnerChannel(address_of(url))
        return RemoteRunner(
            runner, models.decoder, channel, patience=patience, metrics=metrics
        )

    apart = []
    champion, challenger = models.champion, models.challenger
    if url := urls.get("champion"):
        there = remote(
            champion, url, settings.champion_timeout_ms, settings.max_waiting
        )
        champion = ChampionApart(there, champion, metrics)
        apart.append(there)
    if challenger is not None and (url := urls.get("challenger")):
        challenger = remote(
            challenger,
            url,
            settings.challenger_timeout_ms,
            settings.challenger_waiting,
        )
        apart.append(challenger)
    where = replace(models, champion=champion, challenger=challenger)
    return Placement(where, tuple(apart))
