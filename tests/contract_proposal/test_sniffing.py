import gzip

import pytest

from credit_scoring.contract_proposal.sniffing import sniff
from credit_scoring.errors import ContractError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_separator_are_found(encoding: str, delimiter: str):
    rows = [["näme", "sum"], ['"a;b,c|d"', "1"], ['"x"', "2"]]
    content = "\n".join(delimiter.join(row) for row in rows).encode(encoding)
    form = sniff(content, "f")
    assert form.delimiter == delimiter
    assert content.decode(form.encoding).removeprefix("\ufeff") == "\n".join(
        delimiter.join(row) for row in rows
    )
    assert sniff(gzip.compress(content), "f") == form


def test_bytes_without_a_meaning_in_windows_1252_are_latin_1():
    assert sniff(b"a,b\n\xe4\x81,2\n", "f").encoding == "latin-1"


def test_decimal_commas_do_not_make_a_separator():
    assert sniff(b"a;b\n1,5;2\n1;2\n", "f").delimiter == ";"


def test_what_is_no_table_is_refused():
    with pytest.raises(ContractError, match="f: not a table"):
        sniff(b"one\ntwo, three\n", "f")
