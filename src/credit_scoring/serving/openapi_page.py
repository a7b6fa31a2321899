"""The OpenAPI document as a page of the documentation.

``python -m credit_scoring.serving.openapi_page conf/base/parameters_contract.yml``
writes it to standard output.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from credit_scoring import __version__
from credit_scoring.command_line import command_parser
from credit_scoring.contract.dictionary import write_page
from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.contract.request_schema import request_json_schema
from credit_scoring.serving.examples import invalid_example
from credit_scoring.serving.openapi import Described, api_document

Json = Mapping[str, Any]

_HEAD = """\
# Routes and fields

Made from the code, as `GET /docs.json` is: `python -m
credit_scoring.serving.openapi_page conf/base/parameters_contract.yml >
docs/reference/openapi.md`. What a schema cannot say is under
[HTTP interface](http.md). The columns of an application are those of the contract
([data dictionary](data-dictionary.md)); another data set has others.
"""


def openapi_page(contract: Contract) -> str:
    """Write every route and every schema down, in the document's order.

    Args:
        contract: Says what an application is.

    Returns:
        Markdown.

    Raises:
        ArtifactError: If the contract takes an application without any column.
    """
    document = api_document(
        Described(
            application=request_json_schema(contract),
            invalid=invalid_example(RequestDecoder(contract)),
            version=__version__,
        )
    )
    lines = [_HEAD, "## Routes", ""]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += _route(f"{method.upper()} {path}", operation)
    lines += ["## Schemas", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += _schema(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _route(title: str, operation: Json) -> Iterator[str]:
    yield from (f"### `{title}`", "", f"{operation['summary']}.", "")
    if "description" in operation:
        yield from (operation["description"], "")
    if operation.get("parameters"):
        yield from ("| parameter | in | type | what |", "| --- | --- | --- | --- |")
        for given in operation["parameters"]:
            type_ = _type(given["schema"])
            what = given.get("description", "")
            yield f"| `{given['name']}` | {given['in']} | {type_} | {_cell(what)} |"
        yield ""
    if "requestBody" in operation:
        yield from (f"Body: {_contents(operation['requestBody'])}.", "")
    yield from ("| status | what | body |", "| --- | --- | --- |")
    for status, response in sorted(operation["responses"].items()):
        what, body = _cell(response["description"]), _contents(response)
        yield f"| {status} | {what} | {body} |"
    yield ""


def _contents(holder: Json) -> str:
    contents = holder.get("content", {})
    return "; ".join(
        f"`{media}`: {_type(content.get('schema', {}))}"
        for media, content in contents.items()
    )


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield from (f"### {name}", "")
    if "description" in schema:
        yield from (_text(schema["description"]), "")
    required = schema.get("required", ())
    yield from ("| field | type | needed | what |", "| --- | --- | --- | --- |")
    for field, what in schema.get("properties", {}).items():
        needed = "yes" if field in required else ""
        told = _cell(what.get("description", ""))
        yield f"| `{field}` | {_type(what)} | {needed} | {told} |"
    yield ""


def _type(schema: Json) -> str:
    """Say in a few words what a schema allows."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_type(one) for one in schema[several])
    if "enum" in schema:
        return ", ".join(f"`{_literal(value)}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{_literal(schema['const'])}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    named = schema.get("type", "any")
    return named if isinstance(named, str) else " or ".join(named)


def _literal(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(words: str) -> str:
    """Words of a docstring on one line, up to its sections."""
    return " ".join(words.partition("\n\n")[0].split())


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


def main(arguments: Sequence[str]) -> int:
    """Write the page of a contract's file to standard output.

    Args:
        arguments: The contract's file.

    Returns:
        0, or 1 if there is no contract in the file.
    """
    parser = command_parser(
        "serving.openapi_page",
        does="Write all routes and fields of the service, as Markdown, to standard "
        "output. The exit code is 1 if there is no contract in the file.",
        example="conf/base/parameters_contract.yml > docs/reference/openapi.md",
    )
    parser.add_argument(
        "contract",
        metavar="CONTRACT",
        help="file of the contract, which says what an application is",
    )
    return write_page(parser.parse_args(arguments).contract, openapi_page)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
