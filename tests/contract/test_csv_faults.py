import pytest

from credit_scoring.contract.csv_faults import explain_csv_fault, line_numbers
from credit_scoring.errors import ContractError


def test_rows_that_cannot_be_told_apart_are_refused():
    with pytest.raises(ContractError, match="rows cannot be told apart"):
        line_numbers(b"a\n1\n\n2\n", rows=1, name="f.csv")


def test_fault_without_a_bad_row_still_has_a_message():
    fault = explain_csv_fault(b"a,b\n1,2\n", cells=2, name="f.csv")
    assert str(fault) == "f.csv: not a table separated by commas"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"a\n1\n2\n", [2, 3]),
        (b"a\n1\n\n2", [2, 4]),
        (b"a\r1\n2\n\n3", [2, 3, 5]),
        (b'a\n"1\n\n1"\n2\n', [2, 5]),
    ],
)
def test_rows_are_numbered_by_the_line_where_they_begin(text: bytes, lines: list[int]):
    assert line_numbers(text, rows=len(lines), name="f.csv").tolist() == lines
