"""``/what-if``: decisions that are tried, and neither recorded nor counted as such."""

import asyncio
from abc import ABC, abstractmethod
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Annotated, ClassVar, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.breakdown import Factor, break_down
from credit_scoring.decision.decisions import Decision, Reason
from credit_scoring.decision.recourse import Changed, Ways, ways_to_approval
from credit_scoring.serving.answers import FeatureSource, ModelAnswer
from credit_scoring.serving.histories import Histories
from credit_scoring.serving.messages import (
    BodyLimits,
    Receive,
    Reply,
    Scope,
    json_reply,
    read_json_body,
)
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.problems import invalid_parameter
from credit_scoring.serving.runners import Runner
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.what_if_metrics import WhatIfMetrics

WHAT_IF_PATH = "/what-if"
APPROVAL_PATH = "/what-if/approval"

# A constant rather than a list of one, which generators of clients do not understand.
_NotRecorded = Annotated[
    bool,
    Meta(
        description="It was tried: no decision log, count or store has it.",
        extra_json_schema={"const": False},
    ),
]


class WhatIfAnswer(msgspec.Struct, frozen=True, gc=False):
    """What the champion would decide."""

    recorded: _NotRecorded
    pd: float | None
    score: float | None
    band: str | None
    decision: Annotated[
        str, Meta(extra_json_schema={"enum": ["approve", "refer", "decline"]})
    ]
    reasons: tuple[Reason, ...]
    reference_score: Annotated[
        float | None,
        Meta(description="Score of the just-approved applicants compared with."),
    ]
    factors: Annotated[
        tuple[Factor, ...],
        Meta(
            description=(
                "Every reason group; their points lead from `reference_score` to the "
                "score before it is rounded."
            )
        ),
    ]
    model: ModelAnswer
    policy_version: str
    feature_source: FeatureSource


class ApprovalAnswer(msgspec.Struct, frozen=True, gc=False):
    """What it would take to be approved."""

    recorded: _NotRecorded
    decision: Annotated[
        str,
        Meta(
            description="As things are.",
            extra_json_schema={"enum": ["approve", "refer", "decline"]},
        ),
    ]
    score: float | None
    single: Annotated[
        tuple[Changed, ...],
        Meta(description="For each column that suffices alone its least change."),
    ]
    combination: Annotated[
        Changed | None,
        Meta(description="Several columns together, where none suffices alone."),
    ]
    best: Annotated[
        Changed | None,
        Meta(description="Where nothing leads to an approval, what helps most."),
    ]
    cannot_be_changed: Annotated[
        str | None, Meta(description="What the lender says of it, in a sentence.")
    ]
    model: ModelAnswer
    policy_version: str
    feature_source: FeatureSource


class _Asked(NamedTuple):
    application: Application
    source: FeatureSource


class Trial:
    """Tries the champion on an application; what both routes share."""

    def __init__(  # noqa: PLR0913 - one for each collaborator
        self,
        *,
        champion: Runner,
        contract: Contract,
        decoder: RequestDecoder,
        histories: Histories,
        settings: Settings,
        metrics: WhatIfMetrics,
    ) -> None:
        """Compose what is needed.

        Args:
            champion: Its engine decides, in this process.
            contract: Says what applicants can change.
            decoder: Reads the applications.
            histories: Completes those that come without their history; nothing is
                written to it.
            settings: Bound the body.
            metrics: Counts what was tried.
        """
        self.champion = champion
        self.contract = contract
        self.metrics = metrics
        self._decoder = decoder
        self._histories = histories
        self._limits = BodyLimits(settings.max_body_bytes, settings.body_timeout_ms)
        # One at a time, beside the event loop: the kernels release the interpreter's
        # lock, and real decisions go first.
        self.executor: Executor = ThreadPoolExecutor(1, "credit-scoring-what-if")

    async def body(self, scope: Scope, receive: Receive) -> bytes:
        """Read the body.

        Raises:
            ProblemError: If the request has a query, or no JSON body within bounds.
            ClientLeftError: If the client left before its body was complete.
        """
        if scope["query_string"]:
            raise invalid_parameter("this path takes no parameter")
        return await read_json_body(scope, receive, self._limits)

    async def asked(self, body: bytes) -> _Asked:
        """Read the application, with its history from the store if it has none.

        Raises:
            InvalidRequestError: If it breaks the contract.
        """
        application = self._decoder.decode(body)
        if application.has_history:
            return _Asked(application, "request")
        completed = await self._histories.complete(application)
        if completed is None:
            return _Asked(application, "degraded")
        return _Asked(completed, "store")

    def rows(self, application: Application) -> NDArray[np.float64]:
        """Give the columns that decide, shape (1, n_columns)."""
        return self._decoder.rows([application])


class _Route(ABC):
    """Answers one question of an application without keeping it."""

    kind: ClassVar[Literal["decision", "approval"]]

    def __init__(self, trial: Trial, gate: Gate) -> None:
        """Answer by trying, behind a gate."""
        self._trial = trial
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive) -> Reply:
        """Answer for the application in the request's body.

        Raises:
            ProblemError: If the request is not one that this route takes.
            InvalidRequestError: If the application breaks the contract.
            ClientLeftError: If the client left before its body was complete.
        """
        trial = self._trial
        body = await trial.body(scope, receive)
        with self._gate:
            asked = await trial.asked(body)
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(trial.executor, self._answer, asked)
        trial.metrics.count(self.kind, answer.decision)
        return json_reply(answer)

    @abstractmethod
    def _answer(self, asked: _Asked) -> WhatIfAnswer | ApprovalAnswer: ...


class WhatIf(_Route):
    """``POST /what-if``: what would be decided, with every factor."""

    kind = "decision"

    def _answer(self, asked: _Asked) -> WhatIfAnswer:
        engine = self._trial.champion.engine
        if asked.source == "degraded":
            return self._said(asked, engine.decide_without_history(), None, ())
        decided = engine.decide_rows(self._trial.rows(asked.application), explain=True)
        parts = break_down(engine, decided.features)
        return self._said(asked, decided.row(0), parts.reference_score, parts.factors)

    def _said(
        self,
        asked: _Asked,
        decision: Decision,
        reference_score: float | None,
        factors: tuple[Factor, ...],
    ) -> WhatIfAnswer:
        champion = self._trial.champion
        return WhatIfAnswer(
            recorded=False,
            pd=decision.pd,
            score=decision.score,
            band=decision.band,
            decision=decision.decision,
            reasons=decision.reasons,
            reference_score=reference_score,
            factors=factors,
            model=champion.model,
            policy_version=champion.engine.policy_version,
            feature_source=asked.source,
        )


class WhatIfApproval(_Route):
    """``POST /what-if/approval``: what it would take to be approved."""

    kind = "approval"

    def _answer(self, asked: _Asked) -> ApprovalAnswer:
        trial = self._trial
        engine = trial.champion.engine
        if asked.source == "degraded":
            decision, ways = engine.decide_without_history(), Ways()
        else:
            row = trial.rows(asked.application)
            decision = engine.decide_rows(row, explain=False).row(0)
            ways = ways_to_approval(engine, trial.contract, row[0])
        return ApprovalAnswer(
            recorded=False,
            decision=decision.decision,
            score=decision.score,
            single=ways.single,
            combination=ways.combination,
            best=ways.best,
            cannot_be_changed=trial.contract.recourse.cannot_be_changed,
            model=trial.champion.model,
            policy_version=engine.policy_version,
            feature_source=asked.source,
        )
