"""Batches as tables and lines that are faulty, or odd."""

import io
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .faulty_requests import (
    MARKED_NUMBER,
    MARKER,
    Faulty,
    Row,
    any_number,
    as_json,
    head,
    kind,
    length,
)

NDJSON = b"application/x-ndjson"
CSV = b"text/csv"
PARQUET = b"application/vnd.apache.parquet"
FEW, MANY = 5, 600


def batch(body: bytes, content_type: bytes, *allowed: int, **more: Any) -> Faulty:
    """Make a batch that is sound as HTTP, on a connection that goes on."""
    header = b"Content-Type: " + content_type + b"\r\n"
    said = head(header, length(len(body)), path=b"/predict/batch")
    return Faulty(
        (said + body,), frozenset(allowed or (400,)), own_connection=False, **more
    )


def parquet(table: pa.Table, **options: Any) -> bytes:
    """Write a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def columns(row: Row, count: int) -> dict[str, list[Any]]:
    """Repeat an application, each time under an identifier of its own."""
    found = {name: [value] * count for name, value in row.items()}
    return found | {"loan_id": [f"L-{number}" for number in range(count)]}


def text(table: dict[str, list[Any]]) -> bytes:
    """Write a CSV table, without quotes."""
    rows = [",".join(table)]
    rows += [
        ",".join("" if cell is None else str(cell) for cell in cells)
        for cells in zip(*table.values(), strict=True)
    ]
    return "\n".join(rows).encode() + b"\n"


def flipped(random: Random, body: bytes) -> bytes:
    """Change some bits of a body."""
    changed = bytearray(body)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


@kind("a Parquet file with flipped bits")
def flipped_parquet(random: Random, row: Row) -> Faulty:
    coding = random.choice(["snappy", "zstd", "gzip", "none"])
    body = parquet(pa.table(columns(row, random.choice([1, FEW]))), compression=coding)
    return batch(flipped(random, body), PARQUET, 200, 400, 413)


@kind("a Parquet file cut off")
def cut_parquet(random: Random, row: Row) -> Faulty:
    body = parquet(pa.table(columns(row, FEW)))
    return batch(body[: random.randrange(len(body) - 1)], PARQUET, names="(body)")


@kind("a Parquet file with a column of another type")
def odd_type(random: Random, row: Row) -> Faulty:
    table = pa.table(columns(row, 2))
    odd = random.choice(
        [
            pa.array([[1.0], [2.0]]),
            pa.array([{"a": 1}, {"a": 2}]),
            pa.array([MARKER.encode(), b"\xff"]),
            pa.array([MARKER, None]),
            pa.array([True, False]),
            pa.array([2**62, -(2**62)], pa.timestamp("us")),
            pa.array([2**62, -(2**62)], pa.duration("ns")),
            pa.array([2**30, -(2**30)], pa.date32()),
            pa.array(["1", "2"]).dictionary_encode(),
            pa.array([10**37, 1], pa.decimal128(38, 0)),
            pa.array([1.5, 2.5], pa.float16()),
            pa.array([float("nan"), float("inf")]),
            pa.nulls(2),
        ]
    )
    # Its answer names the loan id that a row has.
    first = 1 if pa.types.is_string(odd.type) else 0
    place = random.randrange(first, table.num_columns)
    name = table.column_names[place]
    return batch(parquet(table.set_column(place, name, odd)), PARQUET, 200, 400)


@kind("a table whose columns are not those of a request")
def odd_columns(random: Random, row: Row) -> Faulty:
    table = pa.table(columns(row, FEW))
    name = any_number(random, row)
    other = random.choice(
        [
            table.drop_columns(name),
            table.append_column(name, table[name]),
            table.append_column(MARKER[:3], table[name]),
            table.rename_columns([f"{n}\n" for n in table.column_names]),
            table.select([]),
        ]
    )
    return batch(parquet(other), PARQUET, 400, 413)


@kind("a CSV table with flipped bits")
def flipped_csv(random: Random, row: Row) -> Faulty:
    return batch(flipped(random, text(columns(row, FEW))), CSV, 200, 400)


@kind("a CSV table with odd rows")
def odd_csv(random: Random, row: Row) -> Faulty:
    lines = text(columns(row, FEW)).split(b"\n")
    odd = [
        b"",
        b",",
        b'"',
        b'"a"b,1',
        b"\r",
        b"x" * 9000,
        b"1;2",
        b",".join([b"1"] * 99),
    ]
    place = random.randrange(1, len(lines))
    lines[place:place] = random.choices(odd, k=random.randint(1, 3))
    start = random.choice([b"", b"\xef\xbb\xbf"])
    ends = random.choice([b"\n", b"\r\n", b"\r"])
    return batch(start + ends.join(lines), CSV, 200, 400)


@kind("a CSV table that is none")
def no_csv(random: Random, row: Row) -> Faulty:
    good = text(columns(row, FEW))
    body = random.choice(
        [
            b"",
            b"\n\n",
            good.decode().encode("utf-16"),
            good.replace(b",", b";"),
            good.partition(b"\n")[0],
            b"\x00" + good,
            good + b"\xff\n",
            b"PK\x03\x04" + good,
            as_json([row]),
        ]
    )
    return batch(body, CSV, names="(body)")


@kind("lines with anything in them")
def odd_lines(random: Random, row: Row) -> Faulty:
    odd = [b"1", b"{", b"\xff", b"[]", b"\x00", as_json(MARKER), as_json(MARKED_NUMBER)]
    lines = random.choices([*odd, b"", as_json(row)], k=random.randint(1, 12))
    due = (200,) if any(lines) else (400,)
    return batch(b"\n".join(lines), NDJSON, *due)


@kind("a batch that is answered in parts", weight=0.05)
def in_parts(random: Random, row: Row) -> Faulty:
    table = columns(row, MANY)
    table[any_number(random, row)] = random.choices([None, -1, 10**9], k=MANY)
    if random.random() < 0.5:
        return batch(text(table), CSV, 200)
    return batch(parquet(pa.table(table)), PARQUET, 200)
