"""Compiling, while an image is built, all that its service would compile at start.

``python -m credit_scoring.serving.kernels MODELS``: the folder of the Bento's models.
"""

import sys
from pathlib import Path

from credit_scoring.command_line import command_parser
from credit_scoring.errors import ArtifactError, CreditScoringError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.bento_store import ARTIFACT


def compile_kernels(models: Path) -> int:
    """Load and warm up each model as the service does; give how many there are.

    What is compiled is kept where ``NUMBA_CACHE_DIR`` says.

    Args:
        models: Folder ``name/version/artifact`` of each model.

    Raises:
        ArtifactError: If there is no model, or one is not what it was when made.
    """
    artifacts = sorted(models.glob(f"*/*/{ARTIFACT}"))
    if not artifacts:
        raise ArtifactError(f"{models}: there is no model in it")
    for artifact in artifacts:
        load_artifact(artifact, compiled=True).warm_up()
    return len(artifacts)


def main(arguments: list[str]) -> int:
    """Compile, and say for how many models; the exit code tells of failure."""
    parser = command_parser(
        "serving.kernels",
        does="Compile all that a service would compile when it starts, while its image "
        "is built, and keep it where NUMBA_CACHE_DIR says. The exit code is 1 if "
        "there is no model, or one is not what it was when it was made.",
        example="bento/models",
    )
    parser.add_argument(
        "models", type=Path, metavar="MODELS", help="folder of the Bento's models"
    )
    try:
        count = compile_kernels(parser.parse_args(arguments).models)
    except CreditScoringError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the caller reads
        return 1
    print(f"compiled the kernels of {count} models")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
