"""Building the Bento, in a process of its own and from what belongs to it."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import credit_scoring
from credit_scoring.errors import PromotionError
from credit_scoring.registry.image_labels import image_labels, label_instruction

_PACKAGE = Path(credit_scoring.__file__).parent
_BENTOFILE = "bentofile.yaml"
_MODELS = "models.json"
_RECORD = "promotion_record.json"
_DOCKERFILE = "Dockerfile.j2"
_PACKAGES = "requirements.lock"
_TIMEOUT_S = 600
_TAG = re.compile(r"__tag__:(\S+)")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "releases", _MODELS, _RECORD)


def build_bento(
    service_folder: Path,
    models: Mapping[str, str | None],
    record: Mapping[str, Any],
    versions: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Build the Bento from ``bentofile.yaml`` and give its exact tag.

    BentoML looks at every file of the folder it builds in, and imports the
    service into the process. So it gets a folder with nothing else in it (a
    checkout holds an environment of 30,000 files), and a process of its own.

    Args:
        service_folder: ``bentos/`` of the project, with the service;
            ``bentofile.yaml`` is beside it.
        models: Role -> exact tag, which the service reads from ``models.json``.
            The Bento gets the name of the champion's model.
        record: The promotion record, which the service compares with the models.
        versions: Role -> where the model comes from, for the labels of its image.

    Raises:
        PromotionError: If the Bento cannot be built; with BentoML's last words.
    """
    with tempfile.TemporaryDirectory(prefix="credit_scoring-bento-") as place:
        folder = Path(place)
        name = str(models["champion"]).partition(":")[0]
        described = (service_folder.parent / _BENTOFILE).read_text(encoding="utf-8")
        (folder / _BENTOFILE).write_text(f"name: {name}\n{described}", encoding="utf-8")
        shutil.copytree(service_folder, folder / "bentos", ignore=_LEFT_OUT)
        shutil.copytree(_PACKAGE, folder / "src" / _PACKAGE.name, ignore=_LEFT_OUT)
        for file, content in ((_MODELS, models), (_RECORD, record)):
            (folder / "bentos" / file).write_text(json.dumps(dict(content), indent=2))
        template = folder / "bentos" / _DOCKERFILE
        if template.is_file():
            packages = folder / "bentos" / _PACKAGES
            labels = image_labels(models, versions or {}, record, packages)
            _label_image(template, labels)
        done = subprocess.run(
            [sys.executable, "-m", "bentoml", "build", "--output", "tag"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    found = _TAG.search(done.stdout)
    if done.returncode or found is None:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing")[-2000:]
        raise PromotionError(f"the Bento cannot be built; BentoML says: {said}")
    return found.group(1)


def _label_image(template: Path, labels: Mapping[str, str]) -> None:
    """Let the image that our Dockerfile makes of the Bento say what is in it."""
    with template.open("a", encoding="utf-8") as file:
        file.write(label_instruction(labels))
