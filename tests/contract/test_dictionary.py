from pathlib import Path

import pytest

from credit_scoring.contract.dictionary import data_dictionary, main
from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.model import Contract

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "data-dictionary.md"


def test_page_is_current(contract: Contract):
    assert PAGE.read_text(encoding="utf-8") == data_dictionary(contract), (
        "run: python -m credit_scoring.contract.dictionary "
        "conf/base/parameters_contract.yml > docs/reference/data-dictionary.md"
    )


def test_dictionary_says_what_each_column_is(varied_contract: Contract):
    page = data_dictionary(varied_contract)
    for name, column in varied_contract.columns.items():
        assert f"### {name}\n\n{column.description}" in page
    assert "| `Income` | application | number | EUR | at least 0 | allowed |" in page
    assert "| `Years` | application | integer |  | at most 40 | refused |" in page
    assert "| RENT, OWN, OTHER \\| none | refused |" in page
    assert "Read 99 as 40. 99 is the bank's code for more than 40." in page
    assert "Read as missing: -999." in page


def test_dictionary_is_written_to_standard_output(
    contract_file: Path, contract: Contract, capsys: pytest.CaptureFixture[str]
):
    assert main([str(contract_file), "page.md"]) == 0
    page = data_dictionary(contract, source=str(contract_file), page="page.md")
    assert capsys.readouterr().out == page


def test_a_contract_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([str(tmp_path / "none.yml")]) == 1
    assert "there is no such contract file" in capsys.readouterr().err


def test_the_page_of_the_second_data_set_is_current():
    source = "conf/lending_club/parameters_contract.yml"
    page = "docs/reference/data-dictionary-lending-club.md"
    project = Path(__file__).parents[2]
    contract = contract_from_yaml(project / source)
    expected = data_dictionary(contract, source=source, page=page)
    assert (project / page).read_text(encoding="utf-8") == expected, (
        f"run: python -m credit_scoring.contract.dictionary {source} {page} > {page}"
    )
