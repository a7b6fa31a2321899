"""Identifiers of decisions are UUIDs that say job, chunk and row."""

import uuid

import numpy as np

from credit_scoring.batch import identifiers
from credit_scoring.batch.identifiers import decision_ids, job_id


def test_an_identifier_ends_in_the_chunk_and_the_row() -> None:
    job = job_id(["a job"])
    rows = np.array([0, 15, 16, 4099, 2**28 - 1])
    found = decision_ids(job, 3, rows).to_pylist()
    assert [text[-7:] for text in found] == [f"{row:07x}" for row in rows.tolist()]
    assert {text[17:25] for text in found} == {"00000003"}
    assert {text[:12] for text in found} == {job[:12]}
    for text in found:
        known = uuid.UUID(text)
        assert (known.version, known.variant) == (8, uuid.RFC_4122)


def test_python_writes_the_same_digits() -> None:
    rows = np.array([0, 9, 171, 2**28 - 1])
    letters = np.empty((2, len(rows), 7), np.uint8)
    write = identifiers._write_digits
    write(rows, letters[0])
    write.py_func(rows, letters[1])  # type: ignore[attr-defined]
    assert letters[0].tobytes() == letters[1].tobytes()
