import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.digests import (
    canonical_json,
    salted_shares,
    sha256_of_file,
    sha256_of_json,
)


def test_digest_of_json_does_not_depend_on_key_order() -> None:
    assert sha256_of_json({"a": 1, "b": [2.5]}) == sha256_of_json({"b": [2.5], "a": 1})


def test_canonical_json_is_compact_sorted_utf8() -> None:
    assert canonical_json({"b": "é", "a": 1}) == '{"a":1,"b":"é"}'.encode()


def test_canonical_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rows.bin"
    path.write_bytes(b"x" * (3 << 20))
    assert sha256_of_file(path) == hashlib.sha256(b"x" * (3 << 20)).hexdigest()


def test_share_is_the_head_of_the_salted_digest() -> None:
    head = int.from_bytes(hashlib.sha256(b"salt\x001234").digest()[:8], "big")
    assert salted_shares(["1234"], "salt").tolist() == [(head >> 11) / 2**53]


def test_share_of_a_loan_does_not_depend_on_its_company() -> None:
    alone = salted_shares(["7"], "s")[0]
    assert salted_shares([str(i) for i in range(20)], "s")[7] == alone


def test_share_is_the_same_in_another_process() -> None:
    code = (
        "from credit_scoring.digests import salted_shares;"
        "print(float(salted_shares(['a'], 's')[0]).hex())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == float(salted_shares(["a"], "s")[0]).hex()


def test_shares_are_even_and_salts_independent() -> None:
    identifiers = [str(i) for i in range(20_000)]
    first, second = salted_shares(identifiers, "a"), salted_shares(identifiers, "b")
    counts, _ = np.histogram(first, bins=20, range=(0, 1))
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-square, 19 df, p 0.001
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


@given(st.lists(st.text(), max_size=20), st.text())
def test_shares_lie_in_the_unit_interval(identifiers: list[str], salt: str) -> None:
    shares = salted_shares(identifiers, salt)
    assert shares.shape == (len(identifiers),)
    assert ((shares >= 0) & (shares < 1)).all()
