from pathlib import Path

import pytest

from credit_scoring.errors import ArtifactError
from credit_scoring.serving.kernels import compile_kernels, main


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no model in it"):
        compile_kernels(tmp_path)


def test_the_build_stops_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert "there is no model" in capsys.readouterr().err
