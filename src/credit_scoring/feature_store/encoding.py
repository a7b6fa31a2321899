"""The history of one loan as bytes: small, checked, and exact to the bit.

=======  =====  ==============================================================
offset   bytes  what
=======  =====  ==============================================================
0        1      format: 1
1        8      feature version, its first 16 hex digits
9        8      as of: when it was written, ms since 1970-01-01 UTC, unsigned
17       1      form of the wide columns: ``i`` int32, ``q`` int64, ``d`` float64
18       m      one bit a column, lowest first: missing; only if any may be
18 + m   n      narrow columns: one byte or two each, as the contract's range says
...      w      wide columns: four or eight bytes each
end - 4  4      CRC-32 of the loan id in UTF-8 followed by all bytes before
=======  =====  ==============================================================

Little-endian, without padding. The check covers the loan id, so a value that came
under another loan's key is not taken for its own.
"""

import math
import struct
import zlib
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.errors import ContractError, FeatureStoreError, StoredValueError

_FORMAT = 1
_HEADER = "<B8sQB"
_CHECK = struct.Struct("<I")
_OFFSET_OF_WIDE_FORM = 17
_LEAST_BYTES = struct.calcsize(_HEADER) + _CHECK.size
_NARROW = (("b", 2**7), ("h", 2**15))
_INT32, _INT64, _FLOAT64 = (ord(code) for code in "iqd")


class CorruptValueError(StoredValueError):
    """A stored value's bytes are not those that were written for its loan."""

    kind = "corrupt"


class TruncatedValueError(StoredValueError):
    """A stored value has lost its end."""

    kind = "truncated"


class OtherVersionError(StoredValueError):
    """A stored value was written in another format or for other features."""

    kind = "other_version"


class History(NamedTuple):
    """The history of one loan.

    Attributes:
        values: One float for each history column, in contract order; NaN is
            missing. As `RequestDecoder.columns` gives them.
        as_of_ms: When it was written, in milliseconds since 1970-01-01 UTC.
    """

    values: tuple[float, ...]
    as_of_ms: int


class HistoryEncoding:
    """Encodes and decodes histories under one contract and feature version."""

    def __init__(self, contract: Contract, feature_version: str) -> None:
        """Lay the bytes out.

        Args:
            contract: Its history columns are what is stored.
            feature_version: At least 16 hex digits; the first 16 count.

        Raises:
            FeatureStoreError: If the contract has no history column, or the
                version is not like that.
        """
        self.names = contract.names(Role.HISTORY)
        if not self.names:
            raise FeatureStoreError(
                f"contract {contract.name} has no column of role history to store"
            )
        self.version = feature_version[:16]
        self._version = _version_bytes(feature_version)
        codes = [_narrow_code(contract.columns[name]) for name in self.names]
        narrow = [place for place, code in enumerate(codes) if code]
        wide = [place for place, code in enumerate(codes) if not code]
        order = [*narrow, *wide]
        self._n_narrow = len(narrow)
        self._reorder = _picker(order)
        self._restore = _picker(sorted(range(len(order)), key=order.__getitem__))
        nullable = [contract.columns[name].nullable for name in self.names]
        self._mask_bytes = (len(order) + 7) // 8 if any(nullable) else 0
        body = (f"{self._mask_bytes}s" if self._mask_bytes else "") + "".join(
            code for code in codes if code
        )
        self._layouts = {
            ord(form): struct.Struct(f"{_HEADER}{body}{len(wide)}{form}")
            for form in "iqd"
        }

    def encode(self, loan_id: str, values: Sequence[float], as_of_ms: int) -> bytes:
        """Encode the history of one loan.

        Args:
            loan_id: The loan; only its check goes into the bytes.
            values: One float for each history column, in contract order; NaN is
                missing. Of zeros the sign may be lost; no column of a contract
                holds a negative one.
            as_of_ms: Time of writing, in milliseconds since 1970-01-01 UTC.

        Raises:
            ContractError: If a value is not one that the contract allows.
        """
        missing: tuple[bytes, ...] = ()
        if self._mask_bytes:
            missing, values = self._without_missing(values)
        ordered = self._reorder(values)
        narrow, wide = ordered[: self._n_narrow], ordered[self._n_narrow :]
        try:
            form, numbers = _form_of(wide)
            content = self._layouts[form].pack(
                _FORMAT,
                self._version,
                as_of_ms,
                form,
                *missing,
                *map(_whole, narrow),
                *numbers,
            )
        except (struct.error, ValueError, OverflowError):
            # Without the cause: its message holds a value.
            raise ContractError(
                "a history has a value that its contract does not allow"
            ) from None
        return content + _CHECK.pack(zlib.crc32(content, _seed(loan_id)))

    def decode(self, loan_id: str, stored: bytes) -> History:
        """Decode the history of one loan.

        Args:
            loan_id: The loan whose key held the value.
            stored: The value.

        Raises:
            TruncatedValueError: If bytes are missing at its end.
            OtherVersionError: If it has another format or feature version.
            CorruptValueError: If it is otherwise not what was written.
        """
        layout = self._layout(stored)
        content = memoryview(stored)[: -_CHECK.size]
        (check,) = _CHECK.unpack_from(stored, layout.size)
        if zlib.crc32(content, _seed(loan_id)) != check:
            raise CorruptValueError("the check of a stored history does not hold")
        parts = layout.unpack_from(stored)
        start = 5 if self._mask_bytes else 4
        values = self._restore(tuple(map(float, parts[start:])))
        if self._mask_bytes and any(parts[4]):
            values = _with_missing(values, parts[4])
        return History(values, parts[2])

    def _layout(self, stored: bytes) -> struct.Struct:
        if not stored:
            raise TruncatedValueError("a stored history is empty")
        if stored[0] != _FORMAT:
            raise OtherVersionError("a stored history has another format")
        if len(stored) < _LEAST_BYTES:
            raise TruncatedValueError("a stored history is shorter than its header")
        if stored[1:9] != self._version:
            raise OtherVersionError("a stored history has another feature version")
        layout = self._layouts.get(stored[_OFFSET_OF_WIDE_FORM])
        if layout is None:
            raise CorruptValueError("a stored history has an unknown form")
        excess = len(stored) - layout.size - _CHECK.size
        if excess < 0:
            raise TruncatedValueError(f"a stored history is {-excess} bytes short")
        if excess:
            raise CorruptValueError(f"a stored history is {excess} bytes too long")
        return layout

    def _without_missing(
        self, values: Sequence[float]
    ) -> tuple[tuple[bytes], list[float]]:
        mask = 0
        present = list(values)
        for place, value in enumerate(values):
            if math.isnan(value):
                mask |= 1 << place
                present[place] = 0.0
        return (mask.to_bytes(self._mask_bytes, "little"),), present


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    if list(places) == list(range(len(places))):
        return tuple
    return itemgetter(*places)


def _seed(loan_id: str) -> int:
    return zlib.crc32(loan_id.encode())


def _version_bytes(feature_version: str) -> bytes:
    try:
        version = bytes.fromhex(feature_version[:16])
    except ValueError:
        version = b""
    if len(version) != 8:  # noqa: PLR2004
        raise FeatureStoreError("a feature version must have at least 16 hex digits")
    return version


def _narrow_code(column: Column) -> str | None:
    """Find the one or two bytes that hold a column; None if it needs more."""
    if column.categories is not None:
        limits = [float(code) for code in column.categories]
    elif column.type == "integer" and None not in (column.minimum, column.maximum):
        limits = [float(column.minimum or 0), float(column.maximum or 0)]
    else:
        return None
    limits += map(float, column.recode.values())
    for code, bound in _NARROW:
        if min(limits) >= -bound and max(limits) < bound:
            return code
    return None


def _whole(value: float) -> int:
    whole = int(value)
    if whole != value:
        raise ValueError
    return whole


def _form_of(wide: Sequence[float]) -> tuple[int, Sequence[float]]:
    """Choose the smallest form that holds the wide columns exactly."""
    try:
        whole = tuple(map(int, wide))
    except OverflowError:  # infinite
        return _FLOAT64, wide
    if whole != tuple(wide):
        return _FLOAT64, wide
    low, high = min(whole, default=0), max(whole, default=0)
    if low >= -(2**31) and high < 2**31:
        return _INT32, whole
    if low >= -(2**63) and high < 2**63:
        return _INT64, whole
    return _FLOAT64, wide


def _with_missing(values: tuple[float, ...], mask: bytes) -> tuple[float, ...]:
    bits = int.from_bytes(mask, "little")
    return tuple(
        math.nan if bits >> place & 1 else value for place, value in enumerate(values)
    )
