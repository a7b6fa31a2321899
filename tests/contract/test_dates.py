from datetime import date

import pytest

from credit_scoring.contract.dates import DateFormat, read_date


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("2011-12-01", "YYYY-MM-DD", date(2011, 12, 1)),
        ("2011-12-01 23:59:59", "YYYY-MM-DD hh:mm:ss", date(2011, 12, 1)),
        ("2011-12-01T23:59", "YYYY-MM-DD hh:mm:ss", date(2011, 12, 1)),
        ("2011-12", "YYYY-MM", date(2011, 12, 1)),
        ("20111224", "YYYYMMDD", date(2011, 12, 24)),
        ("Dec-2011", "Mon-YYYY", date(2011, 12, 1)),
        ("FEB 2012", "Mon-YYYY", date(2012, 2, 1)),
        ("03.04.2011", "DD.MM.YYYY", date(2011, 4, 3)),
        ("03/04/2011", "DD/MM/YYYY", date(2011, 4, 3)),
        ("03/04/2011", "MM/DD/YYYY", date(2011, 3, 4)),
    ],
)
def test_a_date_is_read_as_its_format_says(
    text: str, written: DateFormat, expected: date
):
    assert read_date(text, (written,)) == expected


@pytest.mark.parametrize("text", ["2011-02-30", "Dez-2011", "2011", "", "12-2011"])
def test_what_is_no_date_of_the_formats_is_none(text: str):
    assert read_date(text, ("YYYY-MM-DD", "Mon-YYYY", "YYYY-MM")) is None


def test_the_first_format_that_fits_is_taken():
    assert read_date("03/04/2011", ("MM/DD/YYYY", "DD/MM/YYYY")) == date(2011, 3, 4)
    assert read_date("13/04/2011", ("MM/DD/YYYY", "DD/MM/YYYY")) == date(2011, 4, 13)
