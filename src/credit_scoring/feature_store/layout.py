"""What the store holds: where, and in which form."""

from dataclasses import dataclass

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.feature_store.columns import HistoryColumns
from credit_scoring.feature_store.encoding import HistoryEncoding
from credit_scoring.feature_store.keys import Keys


@dataclass(frozen=True)
class StoreLayout:
    """Keys, values and columns of one contract and feature version.

    Attributes:
        keys: Where histories are.
        encoding: What they look like.
        columns: Takes them from applications, and gives them back.
    """

    keys: Keys
    encoding: HistoryEncoding
    columns: HistoryColumns


def store_layout(
    contract: Contract,
    decoder: RequestDecoder,
    *,
    namespace: str,
    feature_version: str,
) -> StoreLayout:
    """Lay the store out.

    Args:
        contract: Names the history columns.
        decoder: Of the same contract; it makes the applications.
        namespace: Tells the environments apart that share a server.
        feature_version: Of the features computed from the histories.

    Raises:
        FeatureStoreError: If the namespace or the version cannot be used, or the
            contract has no history.
    """
    return StoreLayout(
        keys=Keys(namespace, feature_version),
        encoding=HistoryEncoding(contract, feature_version),
        columns=HistoryColumns(contract, decoder),
    )
