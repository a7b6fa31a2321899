import numpy as np
import pytest

from credit_scoring.registry.reference import reference_distributions
from credit_scoring.simulation.noticing import Reference, first_alarm, look_at_windows


@pytest.fixture
def reference() -> Reference:
    generator = np.random.default_rng(2)
    features = generator.normal(size=(20_000, 3))
    features[:2000, 2] = np.nan
    score = generator.normal(600, 50, 20_000)
    names = ("a", "b", "c")
    return Reference.of_artifact(reference_distributions(score, features, names), names)


def drawn(seed: int, rows: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(rows, 3))
    features[generator.random(rows) < 0.1, 2] = np.nan
    features[:, 1] += shift
    return generator.normal(600, 50, rows), features


def test_values_have_the_bins_of_training(reference: Reference) -> None:
    codes = reference.codes(*drawn(3, 50_000, 0))
    for place, expected in enumerate(reference.counts):
        found = np.bincount(codes[:, place], minlength=expected.size) / 50_000
        assert np.abs(found - expected / 20_000).max() < 0.01
    assert reference.names == ("score", "a", "b", "c")


def test_a_shift_is_noticed_and_named_and_chance_is_not(reference: Reference) -> None:
    quiet = look_at_windows(reference.codes(*drawn(4, 10_000, 0)), reference, size=500)
    assert [w.end for w in quiet] == list(range(500, 10_001, 500))
    assert first_alarm(quiet, alpha=1e-4) is None
    loud = look_at_windows(reference.codes(*drawn(5, 2000, 0.5)), reference, size=500)
    alarm = first_alarm(loud, alpha=1e-4, after=600)
    assert alarm is not None
    assert (alarm.end, alarm.name) == (1000, "b")
