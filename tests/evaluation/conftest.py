import numpy as np
import pytest


@pytest.fixture(scope="session")
def predicted():
    """PDs of 3,000 applications, somewhat too extreme, with their outcomes."""
    random = np.random.default_rng(11)
    truth = random.normal(-1.3, 1, 3000)
    bad = (random.random(3000) < 1 / (1 + np.exp(-truth))).astype(float)
    margin = np.round(0.2 + 1.3 * truth + random.normal(0, 0.3, 3000), 2)
    return 1 / (1 + np.exp(-margin)), bad


@pytest.fixture(scope="session")
def weights():
    return np.random.default_rng(12).integers(0, 4, 3000).astype(float)
