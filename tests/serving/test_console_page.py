"""The console's files: complete, from here alone, under a strict policy."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from credit_scoring.serving import console_page

Call = Callable[..., httpx.Response]
FOLDER = Path(console_page.__file__).with_name("console")
FILES = sorted(path.name for path in FOLDER.iterdir() if path.name != "index.html")


@pytest.mark.parametrize("name", ["", *(f"/{name}" for name in FILES)])
def test_each_file_is_served_under_the_policy(call: Call, name: str) -> None:
    answer = call("GET", f"/console{name}")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_slash_leads_to_the_page(call: Call) -> None:
    answer = call("GET", "/console/")
    assert answer.status_code == 308
    assert answer.headers["location"] == "../console"


def test_nothing_comes_from_elsewhere_and_nothing_stands_in_the_page() -> None:
    page = (FOLDER / "index.html").read_text()
    linked = re.findall(r'(?:src|href)="(console/[^"]+)"', page)
    assert {name.removeprefix("console/") for name in linked} <= set(FILES)
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page)
    for name in FILES:
        text = (FOLDER / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML" not in text


def test_each_import_leads_to_a_file() -> None:
    for name in FILES:
        if name.endswith(".js"):
            named = re.findall(r'from "\./([^"]+)"', (FOLDER / name).read_text())
            assert set(named) <= set(FILES), name
