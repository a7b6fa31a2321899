"""What the metrics of all workers say, for those who read them as JSON."""

import os
import struct
from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.multiprocess import MultiProcessCollector

_TRIES = 3
_PROMETHEUS = "PROMETHEUS_MULTIPROC_DIR"
_Sample = tuple[Mapping[str, str], float]


class Readings:
    """Samples at one moment, summed up as they are asked for."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        """Take the samples of ours, without the buckets of histograms."""
        self._samples: dict[str, list[_Sample]] = {}
        for metric in metrics:
            for sample in metric.samples:
                if sample.name.startswith("credit_scoring_") and "le" not in (
                    sample.labels
                ):
                    named = self._samples.setdefault(sample.name, [])
                    named.append((sample.labels, sample.value))

    def total(self, name: str) -> int | None:
        """Sum up a metric over all its labels; None if it is not there."""
        found = self._samples.get(name)
        return None if found is None else round(sum(value for _, value in found))

    def by(self, name: str, label: str) -> dict[str, int]:
        """Sum up a metric by one of its labels."""
        sums: Counter[str] = Counter()
        for labels, value in self._samples.get(name, ()):
            sums[labels[label]] += round(value)
        return dict(sorted(sums.items()))


def shared_folder() -> str | None:
    """Name the folder in which several workers count; None for one alone."""
    return os.environ.get(_PROMETHEUS)


def read_metrics(registry: CollectorRegistry) -> Readings:
    """Read the metrics of all workers.

    Args:
        registry: This worker's, used if it counts alone.

    Returns:
        Nothing at all if the files that the workers share cannot be read.
    """
    folder = shared_folder()
    if folder is None:
        return Readings(registry.collect())
    for _ in range(_TRIES):
        try:
            # It ships no types.
            collector = MultiProcessCollector(CollectorRegistry(), path=folder)  # type: ignore[no-untyped-call]
            return Readings(collector.collect())  # type: ignore[no-untyped-call]
        except (OSError, ValueError, struct.error):
            continue  # a worker that is starting has a file without content yet
    return Readings(())
