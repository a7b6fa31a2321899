"""Leave addresses of projects out of an SBOM: they are no part of what is shipped.

usage: python deployment/image/slim_sbom.py SBOM WRITTEN
"""

import json
import sys
from pathlib import Path


def main(source: Path, target: Path) -> None:
    """Write the SBOM without the external references of its parts."""
    sbom = json.loads(source.read_bytes())
    for part in (sbom["metadata"].get("component", {}), *sbom["components"]):
        part.pop("externalReferences", None)
    sbom["metadata"].pop("tools", None)
    target.write_text(json.dumps(sbom, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
