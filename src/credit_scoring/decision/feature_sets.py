"""Which features a contract has: those of a module, or generic ones."""

from credit_scoring.contract.model import Column, Contract
from credit_scoring.features import generic
from credit_scoring.features.definition import FeatureSet, load_feature_set


def feature_set_of(name: str, contract: Contract) -> FeatureSet:
    """Give the feature set of a name.

    Args:
        name: A module of `credit_scoring.features`, or ``generic`` for features
            that are made of the contract.
        contract: The columns of an application.

    Raises:
        FeatureError: If there is no such module, or the contract has no input
            that a generic feature could be made of.
    """
    if name != generic.NAME:
        return load_feature_set(name)
    columns = {n: contract.columns[n] for n in contract.input_names}
    return generic.generic_feature_set(
        [
            generic.InputColumn(n, column.description, _flags(column))
            for n, column in columns.items()
            if column.type != "date"
        ]
    )


def _flags(column: Column) -> dict[int, str]:
    return {} if column.ordered else dict(column.categories or {})
