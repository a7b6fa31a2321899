import gzip
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import (
    read_applications,
    select_columns,
    table_from_bytes,
)
from credit_scoring.errors import ContractError


def table(content: bytes) -> pd.DataFrame:
    return table_from_bytes(content, name="f.csv")


def file_with(tmp_path: Path, content: bytes, name: str = "f.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_real_file_is_read_as_text_with_its_digest(
    real_table: pd.DataFrame, raw_file: Path
):
    assert real_table.shape == (30_000, 25)
    assert (real_table.dtypes == "str").all()
    assert real_table.columns[0] == "ID", "the byte order mark is not part of the name"
    assert real_table.index[0] == 2
    assert real_table.index[-1] == 30_001
    assert not real_table.isna().any(axis=None)
    expected = hashlib.sha256(raw_file.read_bytes()).hexdigest()
    assert real_table.attrs["sha256"] == expected


def test_nothing_is_guessed_but_the_empty_cell():
    read = table(b'a,b,c\nNA,007,""\nnull,nan,\n')
    assert read["a"].tolist() == ["NA", "null"]
    assert read["b"].tolist() == ["007", "nan"]
    assert read["c"].isna().all()


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_line_endings_do_not_matter(ending: bytes):
    read = table(ending.join([b"a,b", b"1,2", b"3,4"]))
    assert read["b"].tolist() == ["2", "4"]
    assert read.index.tolist() == [2, 3]


def test_byte_order_mark_is_stripped():
    assert list(table(b"\xef\xbb\xbfa,b\n1,2\n").columns) == ["a", "b"]


def test_gzip_is_recognised_by_content_not_by_name(tmp_path: Path):
    path = file_with(tmp_path, gzip.compress(b"a\n1\n"), "plain.csv")
    assert read_applications(path)["a"].tolist() == ["1"]


def test_source_row_is_the_line_of_the_file():
    read = table(b'a,b\n1,2\n\n3,"x\ny"\n5,6\n\n')
    assert read.index.tolist() == [2, 4, 6]
    assert read["b"].tolist() == ["2", "x\ny", "6"]


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ContractError, match=r"none\.csv: cannot be read: No such file"):
        read_applications(tmp_path / "none.csv")


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path):
    with pytest.raises(ContractError, match="cannot be read: Is a directory"):
        read_applications(tmp_path)


@pytest.mark.parametrize(
    "content",
    # Without a time of its own, the compressed one has the same name everywhere.
    [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)],
)
def test_empty_file_is_refused(content: bytes):
    with pytest.raises(ContractError, match=r"f\.csv: the file is empty"):
        table(content)


def test_header_without_rows_is_refused():
    with pytest.raises(ContractError, match="has a header but no rows"):
        table(b"a,b\n")


def test_blank_first_line_is_refused():
    with pytest.raises(ContractError, match="the first line is blank"):
        table(b"\na,b\n1,2\n")


def test_header_over_several_lines_is_refused():
    with pytest.raises(ContractError, match="header goes over more than one line"):
        table(b'a,"b\nc"\n1,2\n')


@pytest.mark.parametrize("share", [0.3, 0.9, 0.9999])
def test_truncated_gzip_is_refused(raw_file: Path, share: float):
    content = raw_file.read_bytes()
    cut = content[: int(len(content) * share)]
    message = f"gzip file is truncated after {len(cut)} bytes; copy or download"
    with pytest.raises(ContractError, match=message):
        table(cut)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.99])
def test_corrupt_gzip_is_refused(raw_file: Path, place: float):
    content = bytearray(raw_file.read_bytes())
    at = int(len(content) * place)
    content[at : at + 8] = bytes(255 - byte for byte in content[at : at + 8])
    with pytest.raises(ContractError, match=r"gzip file is (corrupt|truncated)"):
        table(bytes(content))


def test_wrong_checksum_is_refused():
    content = bytearray(gzip.compress(b"a,b\n1,2\n"))
    content[-6] ^= 255
    with pytest.raises(ContractError, match="gzip file is corrupt"):
        table(bytes(content))


def test_latin_1_is_refused_with_its_place():
    message = r"not UTF-8 at byte 9 \(line 3\); it may be Latin-1"
    with pytest.raises(ContractError, match=message):
        table(b"a,b\n1,2\nM\xfcller,4\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_wide_encoding_is_named(encoding: str):
    with pytest.raises(ContractError, match=f"encoded as {encoding.upper()}; save it"):
        table("a,b\n1,2\n".encode(encoding))


def test_wide_encoding_without_mark_is_recognised():
    with pytest.raises(ContractError, match="zero byte at byte 1"):
        table("a,b\n1,2\n".encode("utf-16-le"))


def test_excel_file_is_recognised():
    with pytest.raises(ContractError, match="a ZIP or Excel file; save it as CSV"):
        table(b"PK\x03\x04rest")


@pytest.mark.parametrize(("row", "cells"), [(b"3", 1), (b"3,4,5", 3)])
def test_row_with_too_many_or_too_few_cells_is_placed(row: bytes, cells: int):
    message = f"line 3 has {cells} cell.s.; expected 2 as in the header"
    with pytest.raises(ContractError, match=message):
        table(b"a,b\n1,2\n" + row + b"\n5,6\n")


def test_file_cut_off_within_a_row_is_refused():
    with pytest.raises(ContractError, match=r"line 3 has 1 cell\(s\)"):
        table(b"a,b\n1,2\n3")


def test_unclosed_quote_is_placed():
    message = "a quote opened in the row that begins on line 3 is not closed"
    with pytest.raises(ContractError, match=message):
        table(b'a,b\n1,2\n"3,4\n5,6\n7,8\n')


def test_unclosed_quote_of_megabytes_is_placed():
    with pytest.raises(ContractError, match="begins on line 2 is not closed"):
        table(b'a,b\n"1,2\n' + b"3,4\n" * 600_000)


def test_unclosed_quote_in_the_header_is_placed():
    with pytest.raises(ContractError, match="begins on line 1 is not closed"):
        table(b'"a,b\n1,2\n')


def test_text_after_a_closing_quote_is_placed():
    with pytest.raises(ContractError, match="line 2 a closing quote is followed"):
        table(b'a,b\n"1"x,2\n3\n')


def test_quotes_that_blur_the_rows_are_refused():
    with pytest.raises(ContractError, match=r"line 2 a closing quote is followed"):
        table(b'a,b\n"1"x,2\n\n3,4\n')


def test_messages_do_not_quote_the_row():
    with pytest.raises(ContractError) as error:
        table(b"a,b\nSECRET,2\nSECRET\n")
    assert "SECRET" not in str(error.value)


def test_columns_come_under_the_names_of_the_contract(
    real_table: pd.DataFrame, contract: Contract
):
    extra = real_table.head(3).assign(NOTE="x", OTHER="y")
    frame, ignored = select_columns(extra, contract)
    assert list(frame.columns) == ["source_row", *contract.columns]
    assert ignored == ("NOTE", "OTHER")
    assert frame["source_row"].tolist() == [2, 3, 4]
    assert "NOTE" in extra.columns, "the input is untouched"


def test_missing_columns_are_named_with_near_ones(
    real_table: pd.DataFrame, contract: Contract
):
    head = real_table.head(3)
    changed = head.drop(columns="AGE").rename(columns={"LIMIT_BAL": "Limit_Bal "})
    with pytest.raises(ContractError) as error:
        select_columns(changed, contract, name="f.csv")
    assert str(error.value) == (
        "f.csv: 2 column(s) missing: LIMIT_BAL, AGE; instead of LIMIT_BAL there is "
        "'Limit_Bal '. Correct the file's header, or the contract's sources"
    )


def test_many_missing_columns_make_a_short_message(contract: Contract):
    message = "25 column.s. missing: ID, .* and 17 more; the header seems to be separat"
    with pytest.raises(ContractError, match=message) as error:
        select_columns(table(b"ID;LIMIT_BAL\n1;2\n"), contract)
    assert "semicolons: expected commas" in str(error.value)


def test_column_that_stands_twice_is_refused(contract: Contract):
    with pytest.raises(ContractError, match=r"more than once: AGE, SEX"):
        select_columns(table(b"ID,AGE,SEX,AGE,SEX\n1,2,3,4,5\n"), contract)


def test_ignored_columns_may_stand_twice(real_table: pd.DataFrame, contract: Contract):
    header = [*real_table.columns, "", ""]
    row = [*real_table.iloc[0], "", ""]
    frame, ignored = select_columns(
        table(f"{','.join(header)}\n{','.join(row)}\n".encode()), contract
    )
    assert ignored == ("", "")
    assert frame["credit_limit"].tolist() == ["20000"]


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8")]
)
def test_other_separators_and_encodings_are_read_when_they_are_named(
    delimiter: str, encoding: str
):
    rows = [["näme", "sum"], ['"a;b, c|d"', "1,5"], ['"x\ny"', "2"], ["é", "3"]]
    content = "\n".join(delimiter.join(row) for row in rows).encode(encoding)
    table = table_from_bytes(content, name="f", delimiter=delimiter, encoding=encoding)
    assert list(table.columns) == ["näme", "sum"]
    assert table["näme"].tolist() == ["a;b, c|d", "x\ny", "é"]
    assert table.index.tolist() == [2, 3, 5]


@pytest.mark.parametrize(
    ("encoding", "message"),
    [("klingon", "no encoding is named 'klingon'"), ("ascii", "not encoded as ascii")],
)
def test_a_wrong_encoding_is_refused(encoding: str, message: str):
    with pytest.raises(ContractError, match=message):
        table_from_bytes("ä,b\n1,2\n".encode(), name="f", encoding=encoding)


def test_a_fault_of_a_file_with_semicolons_is_found():
    with pytest.raises(ContractError, match=r"line 3 has 1 cell\(s\); expected 2"):
        table_from_bytes(b"a;b\n1;2\n3\n", name="f", delimiter=";")
