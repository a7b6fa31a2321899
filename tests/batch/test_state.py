"""How a chunk's files are written."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from credit_scoring.batch.state import parquet_bytes

REASON = pa.struct([("code", pa.string()), ("text", pa.string())])


def decisions(n: int) -> pa.Table:
    said = [{"code": "LATE", "text": "You have paid late in recent months."}]
    return pa.table(
        {
            "decision_id": [f"{place:032x}" for place in range(n)],
            "pd": [place / (n + 1) for place in range(n)],
            "reasons": pa.array([said] * n, pa.list_(REASON)),
        }
    )


def test_what_is_written_is_what_is_read() -> None:
    table = decisions(300)
    assert pq.read_table(io.BytesIO(parquet_bytes(table))).equals(table)


def test_texts_of_reasons_are_written_once() -> None:
    table = decisions(300)
    group = pq.ParquetFile(io.BytesIO(parquet_bytes(table))).metadata.row_group(0)
    columns = {group.column(at).path_in_schema: group.column(at) for at in range(4)}
    text = columns["reasons.list.element.text"]
    assert "RLE_DICTIONARY" in text.encodings
    assert text.total_compressed_size < 300
    assert columns["decision_id"].compression == "ZSTD"
    assert "RLE_DICTIONARY" not in columns["pd"].encodings
