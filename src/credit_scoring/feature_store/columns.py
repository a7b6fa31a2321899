"""From applications to the histories that are stored, and back."""

import math
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
from msgspec import structs

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.contract.rules import code_of_label

_EPOCH = date(1970, 1, 1).toordinal()


class HistoryColumns:
    """The history columns of applications under one contract."""

    def __init__(self, contract: Contract, decoder: RequestDecoder) -> None:
        """Know the columns.

        Args:
            contract: Names them.
            decoder: Of the same contract; it made the applications.
        """
        self.names = contract.names(Role.HISTORY)
        self._decoder = decoder
        columns = [contract.columns[name] for name in self.names]
        self._nullable = any(column.nullable for column in columns)
        self._readers = {
            name: _reader(column)
            for name, column in zip(self.names, columns, strict=True)
            if column.type in ("string", "date")
        }

    def values(self, applications: Sequence[Application]) -> list[list[float]]:
        """Give the histories that applications carry.

        Args:
            applications: Each with its history.

        Returns:
            For each, one float for each history column in contract order, as
            features read it: recoded, and missing values NaN.
        """
        columns = self._decoder.columns(applications)
        rows: list[list[float]] = np.stack(
            [columns[name] for name in self.names], axis=1
        ).tolist()
        return rows

    def complete(
        self, application: Application, values: Sequence[float]
    ) -> Application:
        """Give an application its history.

        Args:
            application: Without a history.
            values: As `values` gave them, for the same contract.

        Returns:
            The same application as if it had carried the history itself: every
            column has the same bits.
        """
        fields: dict[str, Any] = dict(zip(self.names, values, strict=True))
        if self._nullable or self._readers:
            for name, value in fields.items():
                if math.isnan(value):
                    fields[name] = None
                elif name in self._readers:
                    fields[name] = self._readers[name](value)
        return structs.replace(application, **fields)


def _reader(column: Column) -> Callable[[float], Any]:
    if column.type == "date":
        return lambda days: date.fromordinal(_EPOCH + int(days))
    label_of_code = {code: label for label, code in code_of_label(column).items()}
    return label_of_code.__getitem__
