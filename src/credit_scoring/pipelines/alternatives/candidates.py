"""Which alternatives are tried: features left out, and constraints."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.alternatives.parameters import AlternativesParameters

Values = NDArray[np.float64]

# Fewer features make no model that anybody would weigh up.
_FEWEST = 3


@dataclass(frozen=True)
class Alternative:
    """A model that could have been.

    Attributes:
        name: What is different about it.
        kind: ``as_trained``, ``reason_group``, ``proxies``, ``constraint`` or
            ``random``.
        dropped: Features left out.
        changes: Hyper-parameters changed, by name.
    """

    name: str
    kind: str
    dropped: frozenset[str] = frozenset()
    changes: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[frozenset[str], tuple[tuple[str, float], ...]]:
        """What makes it another model than others."""
        return self.dropped, tuple(sorted(self.changes.items()))


def list_alternatives(
    features: FeatureSet,
    proxies: Mapping[str, Values],
    parameters: AlternativesParameters,
) -> list[Alternative]:
    """List the alternatives to try, each once, the most telling first.

    Args:
        features: The features with their reason groups and directions.
        proxies: Protected attribute -> strength of each feature as its proxy.
        parameters: How many, of what kind, and the seed.

    Returns:
        At most ``most_models``; the first changes nothing.
    """
    found: dict[object, Alternative] = {}
    for one in (
        Alternative("all features, fitted again", "as_trained"),
        *_constraints(features, parameters),
        *_without_proxies(features.names, proxies, parameters.drops),
        *_without_a_group(features),
    ):
        if len(features.names) - len(one.dropped) >= _FEWEST:
            found.setdefault(one.key, one)
    wanted = parameters.most_models
    more = _at_random(features.names, proxies, np.random.default_rng(parameters.seed))
    for _ in range(20 * wanted):
        if len(found) >= wanted or not proxies:
            break
        one = next(more)
        if len(features.names) - len(one.dropped) >= _FEWEST:
            found.setdefault(one.key, one)
    return list(found.values())[:wanted]


def _constraints(
    features: FeatureSet, parameters: AlternativesParameters
) -> Iterator[Alternative]:
    for depth in parameters.depths:
        yield Alternative(
            f"trees of depth {depth}", "constraint", changes={"max_depth": depth}
        )
    free = {f.name for f in features.features if f.direction == 0}
    if free:
        yield Alternative(
            "features with a direction alone", "constraint", frozenset(free)
        )


def _without_proxies(
    names: Sequence[str], proxies: Mapping[str, Values], drops: Sequence[int]
) -> Iterator[Alternative]:
    for count in drops:
        for attribute, strength in proxies.items():
            strongest = np.argsort(-strength, kind="stable")[:count]
            yield Alternative(
                f"without the {count} strongest proxies of {attribute}",
                "proxies",
                frozenset(names[place] for place in strongest),
            )


def _without_a_group(features: FeatureSet) -> Iterator[Alternative]:
    for code in sorted(features.reasons):
        members = frozenset(f.name for f in features.features if f.reason == code)
        if members:
            yield Alternative(f"without {code}", "reason_group", members)


def _at_random(
    names: Sequence[str],
    proxies: Mapping[str, Values],
    generator: np.random.Generator,
) -> Iterator[Alternative]:
    """Leave features out at random, the stronger a proxy the more likely."""
    attributes = sorted(proxies)
    number = 0
    while True:
        number += 1
        attribute = attributes[number % len(attributes)]
        strength = proxies[attribute]
        share = generator.uniform(0.1, 0.7)
        chance = strength / max(float(strength.max()), 1e-12) * 2 * share
        left_out = generator.random(len(names)) < chance
        yield Alternative(
            f"random subset {number}, against proxies of {attribute}",
            "random",
            frozenset(name for name, out in zip(names, left_out, strict=True) if out),
        )
