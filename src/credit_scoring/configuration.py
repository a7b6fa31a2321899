"""How the parameters of an environment and of a command override those of base."""

import os
from collections.abc import Mapping
from typing import Any

from kedro.config import OmegaConfigLoader

# What is left of another data set's columns would be columns of this one.
_REPLACED_WHOLE = (
    ("contract",),
    ("promotion", "gates", "fairness", "attributes"),
)


class ProjectConfigLoader(OmegaConfigLoader):
    """Merges softly, key by key, but for what is only right as a whole."""

    @staticmethod
    def _soft_merge(
        config: dict[str, Any], env_config: dict[str, Any], env_path: str | None = None
    ) -> Any:
        kept = config
        for path in _REPLACED_WHOLE:
            if _holds(env_config, path):
                kept = _without(kept, path)
        return OmegaConfigLoader._soft_merge(kept, env_config, env_path)


def file_named_by(variable: str) -> str:
    """Give the path in an environment variable, or ``$VARIABLE`` if it is not set.

    A run that reads the file is refused before its first node then, and other
    runs need no file.
    """
    return os.environ.get(variable) or f"${variable}"


def _holds(config: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(config, Mapping) or name not in config:
            return False
        config = config[name]
    return True


def _without(config: Any, path: tuple[str, ...]) -> Any:
    """Leave out what a path leads to, if anything, in a copy."""
    if not isinstance(config, Mapping) or path[0] not in config:
        return config
    kept = {name: value for name, value in config.items() if name != path[0]}
    if path[1:]:
        kept[path[0]] = _without(config[path[0]], path[1:])
    return kept
