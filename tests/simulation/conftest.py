"""A small population of whom one column tells the risk."""

import numpy as np
import pytest

from credit_scoring.simulation.stream import Held


@pytest.fixture
def held() -> Held:
    generator = np.random.default_rng(1)
    limit = generator.lognormal(11, 0.8, 4000)
    bad = (generator.random(4000) < 0.1 + 0.2 * (limit < np.median(limit))).astype(
        float
    )
    return Held({"limit": limit}, bad)
