"""What an image says about itself: the labels of a Bento's Dockerfile."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from credit_scoring import __version__
from credit_scoring.digests import sha256_of_file
from credit_scoring.registry.provenance import project_folder, revision_of

_OCI = "org.opencontainers.image"
# In a Dockerfile a value in quotes may hold all but these.
_FORBIDDEN = re.compile(r"[^\w .:/+-]")


def image_labels(
    models: Mapping[str, str | None],
    versions: Mapping[str, Mapping[str, Any]],
    record: Mapping[str, Any],
    packages: Path,
) -> dict[str, str]:
    """Name code, models, promotion and packages of a Bento.

    Args:
        models: Role -> exact tag in BentoML's store.
        versions: Role -> what the version is and where it comes from.
        record: The promotion record.
        packages: Lock file of what the Bento installs.

    Returns:
        Label -> value; none for a role without a model.
    """
    revision, dirty = revision_of(project_folder())
    labels = {
        f"{_OCI}.title": "credit_scoring",
        f"{_OCI}.version": __version__,
        f"{_OCI}.licenses": "Apache-2.0",
        f"{_OCI}.revision": revision,
        "credit_scoring.git_dirty": "unknown" if dirty is None else str(dirty).lower(),
        "credit_scoring.promotion_record": str(record.get("digest", "")),
        "credit_scoring.packages_digest": sha256_of_file(packages),
    }
    for role, tag in models.items():
        if tag is None:
            continue
        described = {**versions.get(role, {}), "model": tag}
        for name, value in described.items():
            labels[f"credit_scoring.{role}.{name}"] = str(value)
    return labels


def label_instruction(labels: Mapping[str, str]) -> str:
    """Write the labels as an instruction of a Dockerfile.

    Characters that mean something to a Dockerfile or to its template, and that no
    version and no digest has, become ``_``.
    """
    pairs = (
        f"{_FORBIDDEN.sub('_', name)}={json.dumps(_FORBIDDEN.sub('_', value))}"
        for name, value in sorted(labels.items())
    )
    return "LABEL " + " \\\n    ".join(pairs) + "\n"
