from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from credit_scoring.batch import repeated
from credit_scoring.batch.repeated import count_repeated, hash_ids


def saved(folder: Path, ids: list[list[str]]) -> list[Path]:
    """Save the hashes of each chunk's ids, as a job does."""
    folder.mkdir()
    paths = []
    for number, chunk in enumerate(ids):
        paths.append(folder / f"{number:06d}.npy")
        np.save(paths[-1], hash_ids(pa.array(chunk, pa.large_string())))
    return paths


@pytest.mark.parametrize(("together", "parts"), [(1 << 20, 256), (10, 256), (10, 3)])
@pytest.mark.parametrize("chunks", [1, 7])
def test_every_decision_but_the_first_on_an_id_counts(
    together: int,
    parts: int,
    chunks: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repeated, "_MOST_TOGETHER", together)
    monkeypatch.setattr(repeated, "_MOST_PARTS", parts)
    drawn = np.random.default_rng(chunks).integers(0, 60, (chunks, 40))
    ids = [[f"L-{number}" for number in chunk] for chunk in drawn.tolist()]
    counts = Counter(name for chunk in ids for name in chunk)
    expected = sum(count - 1 for count in counts.values())
    paths = saved(tmp_path / "ids", ids)
    assert count_repeated(paths, drawn.size, tmp_path) == expected > 0
    assert [path.name for path in tmp_path.iterdir()] == ["ids"]


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_job_without_decisions_has_none_repeated(chunks: int, tmp_path: Path) -> None:
    paths = saved(tmp_path / "ids", [[]] * chunks)
    assert count_repeated(paths, 0, tmp_path) == 0
