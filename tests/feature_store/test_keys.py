"""The names of what the store holds."""

import pytest

from credit_scoring.errors import FeatureStoreError
from credit_scoring.feature_store.keys import Keys


def test_a_key_has_namespace_version_and_loan() -> None:
    keys = Keys("staging_2", "0123456789abcdef0123")
    assert keys.history("L-1") == "cs:staging_2:0123456789abcdef:L-1"
    assert keys.marker == "cs:staging_2:current"


@pytest.mark.parametrize("namespace", ["", "a:b", "a b", "é", "-", "x" * 33])
def test_a_namespace_that_could_be_mistaken_is_refused(namespace: str) -> None:
    with pytest.raises(FeatureStoreError, match="namespace"):
        Keys(namespace, "0123456789abcdef")
