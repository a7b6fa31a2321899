from pathlib import Path
from typing import Any

import yaml

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.serving.openapi_page import main, openapi_page

PROJECT = Path(__file__).parents[2]
CONTRACT = PROJECT / "conf" / "base" / "parameters_contract.yml"
PAGE = PROJECT / "docs" / "reference" / "openapi.md"


def test_the_page_is_current() -> None:
    page = openapi_page(contract_from_yaml(CONTRACT))
    assert PAGE.read_text(encoding="utf-8") == page, (
        "run: python -m credit_scoring.serving.openapi_page "
        "conf/base/parameters_contract.yml > docs/reference/openapi.md"
    )


def test_each_column_route_and_problem_status_is_on_it() -> None:
    page = openapi_page(contract_from_yaml(CONTRACT))
    columns = yaml.safe_load(CONTRACT.read_text())["contract"]["columns"]
    asked = [name for name, column in columns.items() if column["role"] == "history"]
    assert len(asked) > 10
    assert not [name for name in asked if f"| `{name}` | " not in page]
    for route in ("POST /predict", "POST /predict/batch", "GET /monitoring/report"):
        assert f"### `{route}`" in page
    assert "| 409 | The Idempotency-Key was sent with another request |" in page
    assert "[DecisionAnswer](#decisionanswer)" in page


def test_it_is_written_to_standard_output(capsys: Any) -> None:
    assert main([str(CONTRACT)]) == 0
    assert capsys.readouterr().out.startswith("# Routes and fields\n")


def test_a_contract_that_is_none_is_refused(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "contract.yml"
    file.write_text("contract: {}\n")
    assert main([str(file)]) == 1
    assert "contract" in capsys.readouterr().err
