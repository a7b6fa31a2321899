"""The names of what the store holds."""

from credit_scoring.errors import FeatureStoreError

_LONGEST_NAMESPACE = 32


class Keys:
    """Keys of one namespace and feature version.

    ``cs:<namespace>:<feature version>:<loan id>`` holds a history;
    ``cs:<namespace>:current`` says what the last complete materialization wrote.
    """

    def __init__(self, namespace: str, feature_version: str) -> None:
        """Name the keys.

        Args:
            namespace: Tells the environments apart that share a server: letters,
                digits, ``-`` and ``_``, at most 32.
            feature_version: Of the features that are computed from the histories.

        Raises:
            FeatureStoreError: If the namespace is not like that.
        """
        plain = namespace.replace("-", "").replace("_", "")
        if not (plain.isascii() and plain.isalnum()) or (
            len(namespace) > _LONGEST_NAMESPACE
        ):
            raise FeatureStoreError(
                "the namespace of the feature store must be letters, digits, '-' "
                f"and '_', at most {_LONGEST_NAMESPACE}"
            )
        self._prefix = f"cs:{namespace}:{feature_version[:16]}:"
        self.marker = marker_key(namespace)

    def history(self, loan_id: str) -> str:
        """Name the key of a loan's history."""
        return self._prefix + loan_id


def marker_key(namespace: str) -> str:
    """Name the key that says what the last complete materialization wrote."""
    return f"cs:{namespace}:current"
