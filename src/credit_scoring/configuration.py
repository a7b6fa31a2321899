"""How the parameters of an environment and of a command override those of base."""

import os
from typing import Any

from kedro.config import OmegaConfigLoader

# What is left of another data set's columns would be columns of this one.
_REPLACED_WHOLE = frozenset({"contract"})


class ProjectConfigLoader(OmegaConfigLoader):
    """Merges softly, key by key, but for what is only right as a whole."""

    @staticmethod
    def _soft_merge(
        config: dict[str, Any], env_config: dict[str, Any], env_path: str | None = None
    ) -> Any:
        replaced = _REPLACED_WHOLE & env_config.keys()
        kept = {name: value for name, value in config.items() if name not in replaced}
        return OmegaConfigLoader._soft_merge(kept, env_config, env_path)


def file_named_by(variable: str) -> str:
    """Give the path in an environment variable, or ``$VARIABLE`` if it is not set.

    A run that reads the file is refused before its first node then, and other
    runs need no file.
    """
    return os.environ.get(variable) or f"${variable}"
