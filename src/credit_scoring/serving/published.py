"""What the service says of itself: its contract, its models, their promotion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from credit_scoring.contract.model import Column, Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.contract.request_type import request_columns
from credit_scoring.decision.breakdown import break_down
from credit_scoring.decision.grading import Grading
from credit_scoring.errors import InvalidRequestError
from credit_scoring.registry.artifact import Artifact
from credit_scoring.serving.answers import Role
from credit_scoring.serving.examples import example_body, read_applications
from credit_scoring.serving.published_answers import (
    BandAnswer,
    CategoryAnswer,
    ColumnAnswer,
    ContractAnswer,
    HeldAnswer,
    LimitsAnswer,
    ModelsAnswer,
    MoveAnswer,
    PolicyAnswer,
    RuleAnswer,
)
from credit_scoring.serving.runners import Runner
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.static_files import StaticFile

_JSON = "application/json"
Json = dict[str, Any]


@dataclass(frozen=True)
class ModelPapers:
    """What an artifact says of its model besides deciding.

    Attributes:
        card: Its model card, Markdown.
        provenance: Data, code and environment.
        reference_score: Of the applicants that its reasons compare with.
    """

    card: str
    provenance: Mapping[str, Any]
    reference_score: float


@dataclass(frozen=True)
class Release:
    """What a Bento holds besides its models.

    Attributes:
        examples: Applications to try.
        promotion: The record of the promotion; None where nothing is packed.
    """

    examples: Sequence[Json] = ()
    promotion: Json | None = None


NOTHING_PACKED = Release()


def papers_of(
    artifacts: Mapping[Role, Artifact | None],
) -> dict[Role, ModelPapers]:
    """Read what the artifacts say, of each role that has one."""
    return {role: _papers(one) for role, one in artifacts.items() if one is not None}


def _papers(artifact: Artifact) -> ModelPapers:
    """Read what a verified artifact says of its model."""
    first = {name: values[:1] for name, values in artifact.reference_columns.items()}
    features = artifact.engine.decide(first, explain=False).features
    return ModelPapers(
        card=(artifact.folder / "model_card.md").read_text(encoding="utf-8"),
        provenance=artifact.manifest.provenance.model_dump(mode="json"),
        reference_score=break_down(artifact.engine, features).reference_score,
    )


def read_release(folder: Path) -> Release:
    """Read what lies beside the service: examples and the promotion record."""
    record = folder / "promotion_record.json"
    promotion = (
        msgspec.json.decode(record.read_bytes(), type=dict[str, Any])
        if record.is_file()
        else None
    )
    return Release(read_applications(folder / "examples.json"), promotion)


def contract_file(
    contract: Contract,
    decoder: RequestDecoder,
    settings: Settings,
    examples: Sequence[Json],
) -> StaticFile:
    """Make the answer of ``GET /contract``."""
    answer = ContractAnswer(
        name=contract.name,
        title=contract.title,
        version=contract.version,
        digest=contract.digest,
        columns=tuple(
            _column(contract, name, column)
            for name, column in request_columns(contract).items()
        ),
        cannot_be_changed=contract.recourse.cannot_be_changed,
        examples=tuple(_valid(examples, decoder)) or (example_body(contract),),
        limits=LimitsAnswer(settings.max_batch_rows, settings.max_batch_body_bytes),
    )
    return StaticFile(msgspec.json.encode(answer), _JSON)


def _valid(examples: Sequence[Json], decoder: RequestDecoder) -> list[Json]:
    """Leave out examples that were written for another contract."""
    valid = []
    for example in examples:
        try:
            decoder.decode(msgspec.json.encode(example))
        except InvalidRequestError:
            continue
        valid.append(example)
    return valid


def _column(contract: Contract, name: str, column: Column) -> ColumnAnswer:
    move = contract.recourse.columns.get(name)
    codes = column.categories
    return ColumnAnswer(
        name=name,
        source=column.source,
        type=column.type,
        role=str(column.role),
        description=" ".join(column.description.split()),
        unit=column.unit,
        minimum=column.minimum,
        maximum=column.maximum,
        categories=None
        if codes is None
        else tuple(
            CategoryAnswer(label if column.type == "string" else code, label)
            for code, label in sorted(codes.items())
        ),
        pattern=column.pattern,
        nullable=column.nullable,
        required=column.role in ("id", "application"),
        example=column.example,
        actionable=MoveAnswer(move.direction, move.advice) if move else None,
    )


def models_file(
    runners: Mapping[Role, Runner],
    papers: Mapping[Role, ModelPapers],
    *,
    routing: str,
    promotion: Json | None,
) -> StaticFile:
    """Make the answer of ``GET /model``.

    Args:
        runners: Those that are loaded; a champion is among them.
        papers: What their artifacts say.
        routing: Who decides, as the settings say.
        promotion: The packed record.
    """
    held = {role: _held(one, papers.get(role)) for role, one in runners.items()}
    answer = ModelsAnswer(
        champion=held["champion"],
        challenger=held.get("challenger"),
        routing=routing,
        policy=_policy(runners["champion"].engine.grading),
        promotion=promotion,
    )
    return StaticFile(msgspec.json.encode(answer), _JSON)


def _held(runner: Runner, papers: ModelPapers | None) -> HeldAnswer:
    return HeldAnswer(
        model=runner.model,
        family=runner.engine.model.family,
        reference_score=papers.reference_score if papers else None,
        card=papers.card if papers else None,
        provenance=dict(papers.provenance) if papers else None,
    )


def _policy(grading: Grading) -> PolicyAnswer:
    policy, scaling = grading.policy, grading.scaling
    return PolicyAnswer(
        version=policy.version,
        approve_from=policy.approve_from,
        decline_below=policy.decline_below,
        bands=tuple(BandAnswer(band.code, band.from_) for band in policy.bands),
        rules=tuple(RuleAnswer(r.code, r.outcome, r.text) for r in policy.rules),
        base_score=scaling.base_score,
        base_odds=scaling.base_odds,
        pdo=scaling.pdo,
    )
