"""Reading the contract itself: from parameters or from a YAML file."""

from collections.abc import Hashable, Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from credit_scoring.contract.model import Contract
from credit_scoring.errors import ContractError

_SHOWN = 8


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key said twice is an error, not the last one silently."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        """Read a mapping.

        Raises:
            ContractError: If a key is said twice; the message names its line.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                    raise ContractError(
                        f"line {key.start_mark.line + 1}: {key.value!r} is said twice"
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def contract_from_mapping(
    mapping: Mapping[str, object], *, source: str = "contract"
) -> Contract:
    """Build a contract from parameters.

    Args:
        mapping: The contract as nested mappings, as in the YAML file.
        source: Where it comes from, for messages.

    Raises:
        ContractError: If something is missing, unknown or contradictory; the
            message names the column and the key.
    """
    try:
        return Contract.model_validate(mapping)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'contract'}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in found[:_SHOWN]
        ]
        if len(found) > _SHOWN:
            lines.append(f"and {len(found) - _SHOWN} more")
        raise ContractError(
            f"{source}: {len(found)} problem(s) in the contract; " + "; ".join(lines)
        ) from error


def contract_from_yaml(path: Path) -> Contract:
    """Read a contract from a YAML file, under the key ``contract``.

    Raises:
        ContractError: If the file is missing, is no YAML, lacks the key, says a
            key twice, or the contract is not as it must be.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # The loader derives from SafeLoader, so it builds plain values only.
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506
    except ContractError as error:
        raise ContractError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise ContractError(f"{path}: there is no such contract file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ContractError(f"{path}: not valid YAML in UTF-8{where}") from error
    found = document.get("contract") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise ContractError(f"{path}: expected a mapping under the key 'contract'")
    return contract_from_mapping(found, source=str(path))
