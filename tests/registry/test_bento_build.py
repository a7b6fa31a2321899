import json
import subprocess
import sys
from pathlib import Path

import pytest

from credit_scoring.errors import PromotionError
from credit_scoring.registry import bento_build
from credit_scoring.registry.bento_build import build_bento

SERVICE = """
import bentoml
from credit_scoring import __version__

@bentoml.service(name="small_service")
class Small:
    @bentoml.api
    def version(self) -> str:
        return __version__
"""
RECORD = {"digest": "r"}
MODELS = {"champion": "small_model:v1-0", "challenger": None}
BENTOFILE = """
service: "bentos.service:Small"
include: ["src/credit_scoring/*.py", "bentos/*.py", "bentos/*.json"]
python: {is_src_layout: true, lock_packages: false}
"""


@pytest.fixture
def service_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bento home"))
    monkeypatch.setenv("BENTOML_DO_NOT_TRACK", "True")
    folder = tmp_path / "a project" / "bentos"
    (folder / "releases").mkdir(parents=True)
    (folder / "releases" / "current.json").write_text("{}")
    (folder / "models.json").write_text("{}")
    (folder / "service.py").write_text(SERVICE)
    (folder.parent / "bentofile.yaml").write_text(BENTOFILE)
    return folder


@pytest.mark.end_to_end
def test_the_bento_holds_service_package_and_models_file(
    service_folder: Path, tmp_path: Path
) -> None:
    name, _, version = build_bento(service_folder, MODELS, RECORD).partition(":")
    assert name == "small_model"
    source = tmp_path / "bento home" / "bentos" / name / version / "src"
    assert json.loads((source / "bentos" / "models.json").read_bytes()) == MODELS
    assert (source / "credit_scoring" / "errors.py").is_file()
    assert not (source / "bentos" / "releases").exists()


@pytest.mark.end_to_end
def test_what_bentoml_says_of_a_broken_service_is_passed_on(
    service_folder: Path,
) -> None:
    (service_folder / "service.py").write_text("import no_such_module")
    with pytest.raises(PromotionError, match=r"(?s)cannot be built.*no_such_module"):
        build_bento(service_folder, MODELS, RECORD)


def test_an_answer_without_a_tag_is_no_bento(
    service_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = subprocess.CompletedProcess([sys.executable], 0, stdout="", stderr="")
    monkeypatch.setattr(bento_build.subprocess, "run", lambda *_, **__: silent)
    with pytest.raises(PromotionError, match="BentoML says: nothing"):
        build_bento(service_folder, MODELS, RECORD)
