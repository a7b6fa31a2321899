"""Histories as bytes: exact to the bit, small, and never mistaken for another's."""

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.model import Contract, Role
from credit_scoring.errors import ContractError, FeatureStoreError
from credit_scoring.feature_store.encoding import (
    CorruptValueError,
    HistoryEncoding,
    OtherVersionError,
    TruncatedValueError,
)

VERSION = "0123456789abcdef"
AS_OF = 1_700_000_000_123
SHIPPED = contract_from_yaml(
    Path(__file__).parents[2] / "conf" / "base" / "parameters_contract.yml"
)


def contract_of(*history: dict[str, Any]) -> Contract:
    def column(name: str, **fields: Any) -> dict[str, Any]:
        return {"source": name, "description": name, "type": "integer", **fields}

    columns = {
        "loan_id": column("loan_id", type="string", role="id"),
        **{
            f"column_{place}": column(f"column_{place}", role="history", **fields)
            for place, fields in enumerate(history)
        },
        "bad": column("bad", role="target"),
    }
    return Contract.model_validate(
        {"name": "any", "version": 1, "title": "Any", "columns": columns}
    )


def bits(values: tuple[float, ...]) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


# One strategy of a column and of its values, for each kind of column.
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(
    lambda value: value + 0.0
)
SMALL, LARGE = st.integers(-5, 300).map(float), st.integers(0, 2**40).map(float)
KINDS: list[tuple[dict[str, Any], st.SearchStrategy[float]]] = [
    ({"type": "number"}, NUMBERS),
    ({"type": "integer"}, st.integers(-(2**70), 2**70).map(float)),
    ({"type": "integer", "minimum": -5, "maximum": 300}, SMALL),
    ({"type": "integer", "minimum": 0, "maximum": 2**40}, LARGE),
    ({"categories": {-2: "a", 0: "b", 7: "c"}}, st.sampled_from([-2.0, 0.0, 7.0])),
    ({"categories": {1: "a", 40000: "b"}}, st.sampled_from([1.0, 40000.0])),
    ({"type": "date"}, st.integers(-700_000, 2_900_000).map(float)),
    (
        {"type": "integer", "minimum": 0, "maximum": 9, "recode": {-1: 300},
         "recode_reason": "so"},
        st.sampled_from([0.0, 9.0, 300.0]),
    ),
]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> tuple[Contract, list[float]]:
    columns, values = [], []
    for _ in range(draw(st.integers(1, 20))):
        column, value = draw(st.sampled_from(KINDS))
        nullable = draw(st.booleans())
        columns.append({**column, "nullable": nullable})
        missing = nullable and draw(st.booleans())
        values.append(math.nan if missing else draw(value))
    return contract_of(*columns), values


@given(
    histories(), st.text("AZaz09._-", min_size=1, max_size=64), st.integers(0, 2**63)
)
def test_any_history_comes_back_to_the_bit(
    history: tuple[Contract, list[float]], loan_id: str, as_of_ms: int
) -> None:
    contract, values = history
    encoding = HistoryEncoding(contract, VERSION)
    back = encoding.decode(loan_id, encoding.encode(loan_id, values, as_of_ms))
    assert bits(back.values) == bits(tuple(values))
    assert back.as_of_ms == as_of_ms


@pytest.fixture
def encoding() -> HistoryEncoding:
    return HistoryEncoding(SHIPPED, VERSION)


@pytest.fixture
def values() -> list[float]:
    """Six codes, six bills and six payments."""
    return [2.0, -1.0, 0.0, 0.0, 8.0, -2.0, *[1234.0] * 6, *[500.0] * 6]


def test_the_shipped_contract_takes_76_bytes(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    """Header 18, six codes of one byte, twelve amounts of four, check 4."""
    assert len(encoding.encode("L-1", values, AS_OF)) == 18 + 6 + 12 * 4 + 4


def test_the_bytes_are_those_that_are_documented(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    content = (
        b"\x01"
        + bytes.fromhex(VERSION)
        + AS_OF.to_bytes(8, "little")
        + b"i"
        + bytes([2, 255, 0, 0, 8, 254])
        + (1234).to_bytes(4, "little") * 6
        + (500).to_bytes(4, "little") * 6
    )
    check = zlib.crc32(b"L-1" + content).to_bytes(4, "little")
    assert encoding.encode("L-1", values, AS_OF) == content + check


@pytest.mark.parametrize(
    ("amount", "form", "size"),
    [(2**31, b"q", 124), (0.25, b"d", 124), (-1e9, b"i", 76)],
)
def test_large_and_broken_amounts_take_eight_bytes(
    encoding: HistoryEncoding,
    values: list[float],
    amount: float,
    form: bytes,
    size: int,
) -> None:
    values[-1] = amount
    stored = encoding.encode("L-1", values, AS_OF)
    assert (stored[17:18], len(stored)) == (form, size)
    assert encoding.decode("L-1", stored).values[-1] == amount


def test_every_lost_end_is_noticed(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    stored = encoding.encode("L-1", values, AS_OF)
    for length in range(len(stored)):
        with pytest.raises(TruncatedValueError, match=r"short|empty"):
            encoding.decode("L-1", stored[:length])


def test_every_flipped_bit_is_noticed(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    stored = encoding.encode("L-1", values, AS_OF)
    for place in range(8 * len(stored)):
        broken = bytearray(stored)
        broken[place // 8] ^= 1 << place % 8
        with pytest.raises(
            (CorruptValueError, OtherVersionError, TruncatedValueError), match="stored"
        ):
            encoding.decode("L-1", bytes(broken))


def test_another_loans_history_is_not_taken(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    stored = encoding.encode("L-1", values, AS_OF)
    with pytest.raises(CorruptValueError, match="check") as raised:
        encoding.decode("L-2", stored)
    assert raised.value.kind == "corrupt"
    assert "L-" not in str(raised.value)


def test_another_version_is_named_so(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    stored = encoding.encode("L-1", values, AS_OF)
    newer = HistoryEncoding(SHIPPED, "fedcba9876543210")
    with pytest.raises(OtherVersionError, match="another feature version"):
        newer.decode("L-1", stored)
    with pytest.raises(OtherVersionError, match="another format"):
        encoding.decode("L-1", b"\x02" + stored[1:])


def test_bytes_too_many_and_unknown_forms_are_corrupt(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    stored = encoding.encode("L-1", values, AS_OF)
    with pytest.raises(CorruptValueError, match="1 bytes too long"):
        encoding.decode("L-1", stored + b"\0")
    with pytest.raises(CorruptValueError, match="unknown form"):
        encoding.decode("L-1", stored[:17] + b"z" + stored[18:])


@pytest.mark.parametrize("wrong", [math.nan, 200.0, 0.5, math.inf])
def test_a_value_outside_the_contract_is_refused_and_not_shown(
    encoding: HistoryEncoding, values: list[float], wrong: float
) -> None:
    values[0] = wrong
    with pytest.raises(ContractError, match="a value that its contract") as raised:
        encoding.encode("L-1", values, AS_OF)
    assert str(wrong) not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_missing_amount_of_a_contract_without_any_is_refused(
    encoding: HistoryEncoding, values: list[float]
) -> None:
    values[-1] = math.nan
    with pytest.raises(ContractError, match="not allow"):
        encoding.encode("L-1", values, AS_OF)


def test_the_columns_are_those_of_the_history() -> None:
    encoding = HistoryEncoding(SHIPPED, VERSION)
    assert encoding.names == SHIPPED.names(Role.HISTORY)
    assert encoding.version == VERSION


def test_a_contract_without_history_has_no_encoding() -> None:
    with pytest.raises(FeatureStoreError, match="no column of role history"):
        HistoryEncoding(contract_of(), VERSION)


@pytest.mark.parametrize("version", ["", "0123", "not hexadecimal!"])
def test_a_version_must_be_hexadecimal(version: str) -> None:
    with pytest.raises(FeatureStoreError, match="16 hex digits"):
        HistoryEncoding(SHIPPED, version)
