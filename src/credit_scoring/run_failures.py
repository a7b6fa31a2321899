"""What a person reads when a run stops: where, why, and how it goes on."""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.pipeline.node import Node
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.type_extractor import TypeExtractor
from pydantic import ValidationError

from credit_scoring.errors import CreditScoringError
from credit_scoring.pipeline_registry import DEFAULT

_LONGEST = 1500
_LONGEST_VALUE = 60
_SHOWN = 8
_FIRST = 3
_NO_PIPELINE = re.compile(r"importing the 'credit_scoring\.pipelines\.(\w+)' module")
_NAMES_NOTHING = ("Pipeline does not contain", "Pipeline contains no nodes")
_REFUSED = re.compile(r"^- Parameter '([^']+)'", re.MULTILINE)


def refusal_in(error: BaseException) -> CreditScoringError | None:
    """Find the platform's own error that caused another, if there is one."""
    for cause in _causes(error):
        if isinstance(cause, CreditScoringError):
            return cause
    return None


def reason_of(error: BaseException) -> str:
    """Say why, without the settings of a dataset that Kedro puts in front."""
    refusal = refusal_in(error)
    if refusal is not None:
        return str(refusal)[:_LONGEST]
    *_, root = _causes(error)
    if isinstance(error, DatasetError) and root is not error:
        return f"{type(root).__name__}: {root}"[:_LONGEST]
    return str(error)[:_LONGEST] or type(error).__name__


def says_enough(error: BaseException) -> bool:
    """Tell whether an error can be acted on without its traceback."""
    return refusal_in(error) is not None or isinstance(error, DatasetError)


def failure_text(node: Node, doing: str, error: BaseException) -> str:
    """Say which node stopped, at what, and why.

    Args:
        node: The node.
        doing: What it was doing, e.g. ``while it ran``.
        error: Why it stopped.
    """
    reads = ", ".join(n for n in node.inputs if not n.startswith("param")) or "-"
    return (
        f"\nStopped at node {node.name} {doing}.\n"
        f"  It reads:  {reads}\n"
        f"  It makes:  {', '.join(node.outputs) or '-'}\n"
        f"  Reason:    {reason_of(error)}"
    )


def next_text(go_on: str, again: str, waiting: Mapping[str, str]) -> str:
    """Say how a run goes on, and what of an earlier run is left until then.

    Args:
        go_on: The command that does what was not done.
        again: The command that was given.
        waiting: Datasets that were not made.
    """
    lines = ["  Next:      mend the cause, then", f"             {go_on}"]
    if again != go_on:
        lines += ["             or, if data or contract changed, all of it again:"]
        lines += [f"             {again}"]
    if waiting:
        first = ", ".join(list(waiting)[:_FIRST])
        more = ", ..." if len(waiting) > _FIRST else ""
        lines += [
            f"  Not made:  {len(waiting)} ({first}{more})",
            "             Until they are, nothing runs that would read what an earlier",
            "             run left of them.",
        ]
    return "\n".join(lines) + "\n"


def parameters_text(error: ParameterValidationError, context: KedroContext) -> str:
    """Say which keys of which files are not as they must be.

    Args:
        error: Kedro's, which names the parameters.
        context: Where the parameters come from.
    """
    raw = context.config_loader["parameters"]
    types = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    faults = [
        f"  {_file_of(name, context)}: {fault}"
        for name in _REFUSED.findall(str(error))
        for fault in _faults(name, _value(raw, name), types.get(name))
    ]
    shown = "\n".join(faults[:_SHOWN]) or f"  {str(error)[:_LONGEST]}"
    more = f"\n  and {len(faults) - _SHOWN} more" if faults[_SHOWN:] else ""
    return f"\nNothing was run: parameters are not as they must be.\n{shown}{more}\n"


def misnaming_in(error: BaseException) -> str | None:
    """Say which name of a command names nothing, if that is what an error is."""
    if isinstance(error, ValueError) and str(error).startswith(_NAMES_NOTHING):
        return str(error)[:_LONGEST]
    unknown = (
        _NO_PIPELINE.search(str(error)) if isinstance(error, ImportError) else None
    )
    if unknown is None or find_spec(f"credit_scoring.pipelines.{unknown[1]}"):
        return None
    there = ", ".join(DEFAULT)
    return f"there is no pipeline named {unknown[1]}; the default run has {there}"


def _faults(name: str, raw: Any, model: Any) -> Iterator[str]:
    try:
        model.model_validate(raw)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            key = ".".join([name, *_keys(raw, fault["loc"])])
            value = fault["input"]
            plain = not isinstance(value, dict | list) and fault["type"] != "missing"
            given = f" (it is {value!r:.{_LONGEST_VALUE}})" if plain else ""
            message = fault["msg"].removeprefix("Value error, ")
            yield f"{key}: {message[:_LONGEST]}{given}"


def _keys(raw: Any, path: tuple[int | str, ...]) -> Iterator[str]:
    """Leave out of a path what names a kind of model, which no file holds."""
    for place, part in enumerate(path):
        last = place == len(path) - 1
        inside = isinstance(raw, dict | list)
        there = inside and (part in raw if isinstance(raw, dict) else True)
        if there or last:
            yield str(part)
        if there:
            raw = raw[part]


def _value(raw: Mapping[str, Any], name: str) -> Any:
    value: Any = raw
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _file_of(name: str, context: KedroContext) -> str:
    """Find the file that sets a parameter; the environment goes before base."""
    loader: Any = context.config_loader
    source = Path(loader.conf_source)
    for environment in (context.env or loader.default_run_env, loader.base_env):
        for path in sorted((source / environment).rglob("parameters*.y*ml")):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            if isinstance(content, dict) and name.partition(".")[0] in content:
                near = path.is_relative_to(context.project_path)
                return str(path.relative_to(context.project_path) if near else path)
    return "parameters"


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
