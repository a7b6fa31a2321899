"""What the lines of the decision log say.

A segment is a header, decisions with what the challenger would have decided in the
shadow, and a footer when it was closed; each is one JSON object on one line. The
index has lines of the other kinds. How a line is tied to the one before it is in
``chain``.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

FORMAT = 1
SEGMENT_NAME = r"\A\d{8}T\d{6}\.\d{6}Z-\d+-[0-9a-f]{8}\.jsonl\Z"

SegmentName = Annotated[str, Meta(pattern=SEGMENT_NAME)]
_INFINITIES = {math.inf: "Infinity", -math.inf: "-Infinity"}
_ENCODER = msgspec.json.Encoder()


class LoggedModel(msgspec.Struct, frozen=True, gc=False):
    """The model that decided.

    Attributes:
        name: Registered name.
        version: Registered version.
        role: Its role when it decided.
        digest: SHA-256 of its artifact.
    """

    name: str
    version: str
    role: str
    digest: str


class LoggedReason(msgspec.Struct, frozen=True, gc=False):
    """One reason; its sentence is in the artifact under the code."""

    code: str
    feature: str | None
    points: float | None


class LoggedInterval(msgspec.Struct, frozen=True, gc=False):
    """Interval of a PD, as answered."""

    low: float
    high: float
    level: float


class DecisionEntry(
    msgspec.Struct, frozen=True, gc=False, tag="decision", tag_field="kind"
):
    """One decision, with what it takes to decide it again.

    Attributes:
        decision_id: As answered.
        loan_id: As answered; the only direct identifier.
        scored_at: As answered.
        arm: What routing drew for this applicant; which model decided in the end
            is the role of `model`.
        feature_source: Where the history came from.
        explained: Whether the reasons of an approval were asked for, too.
        inputs: Contract columns by name as requested, or as stored where the
            request had no history. Protected columns are never among them, and
            a column that was not given is left out.
        features: Feature row in the order of the header's names, NaN and None
            both meaning missing; an infinity is its name. None if none was
            computed.
        margin: Uncalibrated log-odds of bad; None together with `features`.
        pd: As answered, like all that follow.
        score: Points.
        band: Band of the policy.
        decision: ``approve``, ``refer`` or ``decline``.
        reasons: Up to four, the strongest first.
        model: What decided.
        policy_version: The policy that turned the score into the decision.
        idempotency_key_hash: SHA-256 of the request's idempotency key, if it
            had one.
        pd_interval: Interval of the PD, if it was asked for and there was one.
        request_id: Of the request, as the gateway gave it; None without one.
            All decisions of a batch have the same.
    """

    decision_id: str
    loan_id: str
    scored_at: datetime
    arm: str
    feature_source: str
    explained: bool
    inputs: Any
    features: Sequence[float | str | None] | None
    margin: float | None
    pd: float | None
    score: float | None
    band: str | None
    decision: str
    reasons: list[LoggedReason]
    model: LoggedModel
    policy_version: str
    idempotency_key_hash: str | None = None
    pd_interval: LoggedInterval | None = None
    request_id: str | None = None

    def feature_row(self) -> NDArray[np.float64] | None:
        """Give the features as they were computed, shape (n_features,)."""
        if self.features is None:
            return None
        # float() reads the name of an infinity; None becomes NaN.
        values = [math.nan if v is None else float(v) for v in self.features]
        return np.array(values, dtype=np.float64)


class ShadowEntry(
    msgspec.Struct, frozen=True, gc=False, tag="shadow", tag_field="kind"
):
    """What the challenger would have decided, of which nobody was told.

    Attributes:
        decision_id: Of the decision that it follows, on the same application.
        scored_at: Of that decision, so that both are in the same window of time.
        margin: Uncalibrated log-odds of bad.
        pd: Probability of default.
        score: Points.
        band: Band of the policy.
        decision: ``approve``, ``refer`` or ``decline``.
        reasons: Up to four, the strongest first; none if it would approve.
        model: The challenger.
        policy_version: The challenger's policy.
    """

    decision_id: str
    scored_at: datetime
    margin: float | None
    pd: float | None
    score: float | None
    band: str | None
    decision: str
    reasons: list[LoggedReason]
    model: LoggedModel
    policy_version: str


class OutcomeEntry(
    msgspec.Struct, frozen=True, gc=False, tag="outcome", tag_field="kind"
):
    """What became of a loan, as somebody reported it; in a log of its own.

    Attributes:
        received_at: When it was reported.
        observed_at: Until when the loan was looked at.
        bad: 1 if it had gone bad by then, else 0.
        loan_id: Of the loan; None if it was reported by the decision alone.
        decision_id: Of the decision; None if it was reported by the loan alone.
    """

    received_at: datetime
    observed_at: datetime
    bad: int
    loan_id: str | None = None
    decision_id: str | None = None


class BlockEntry(msgspec.Struct, frozen=True, gc=False, tag="block", tag_field="kind"):
    """Decisions of a batch, which are in a file of their own.

    Attributes:
        file: Parquet file, relative to the log's folder.
        sha256: Digest of its bytes.
        decisions: How many it holds.
        job: The batch, 32 hex digits.
        scored_at: Of all its decisions.
        explained: Whether the reasons of approvals were asked for, too.
        told: Whether reasons were asked for at all.
        models: Who decided, champion first.
        policy_versions: Of each of them.
    """

    file: str
    sha256: str
    decisions: int
    job: str
    scored_at: datetime
    explained: bool
    told: bool
    models: tuple[LoggedModel, ...]
    policy_versions: tuple[str, ...]


class DecidingModel(msgspec.Struct, frozen=True):
    """A model that may decide in a segment, and how its features are named."""

    name: str
    version: str
    role: str
    digest: str
    policy_version: str
    features: tuple[str, ...]


class Origin(msgspec.Struct, frozen=True):
    """What wrote a segment; the same for all segments of a process.

    Attributes:
        service_version: Version of this package.
        contract_digest: Of the contract under which requests were read.
        inputs: Contract columns that decisions are recorded with.
        models: Champion, and challenger if there is one.
    """

    service_version: str
    contract_digest: str
    inputs: tuple[str, ...]
    models: tuple[DecidingModel, ...]


class Header(msgspec.Struct, frozen=True, tag="header", tag_field="kind"):
    """First line of a segment."""

    format: int
    segment: SegmentName
    started_at: datetime
    origin: Origin


class Footer(msgspec.Struct, frozen=True, tag="footer", tag_field="kind"):
    """Last line of a segment that was closed; `previous` is the last hash.

    Attributes:
        records: Count of its decisions, those in the shadow included; a block of a
            batch counts once.
        closed_at: When it was closed.
    """

    records: int
    closed_at: datetime


class Opened(msgspec.Struct, frozen=True, tag="opened", tag_field="kind"):
    """In the index: a segment was begun."""

    segment: SegmentName
    at: datetime


class Ended(msgspec.Struct, frozen=True, tag="ended", tag_field="kind"):
    """In the index: a segment is complete, and nothing may be added to it.

    Attributes:
        segment: Its name.
        closed: Whether its last line is a footer. Else its worker was killed,
            and a later one found it.
        records: Count of its decisions, those in the shadow included.
        size_bytes: Length of its complete lines.
        last_hash: Hash of its last complete line.
        at: When it was closed or found.
    """

    segment: SegmentName
    closed: bool
    records: int
    size_bytes: int
    last_hash: str
    at: datetime


class Removed(msgspec.Struct, frozen=True, tag="removed", tag_field="kind"):
    """In the index: a segment was deleted because it was old enough."""

    segment: SegmentName
    records: int
    last_hash: str
    ended_at: datetime
    at: datetime


SegmentLine = Header | DecisionEntry | ShadowEntry | OutcomeEntry | BlockEntry | Footer
IndexLine = Opened | Ended | Removed
Line = TypeVar("Line")

_SEGMENT_DECODER: msgspec.json.Decoder[SegmentLine] = msgspec.json.Decoder(SegmentLine)
_INDEX_DECODER: msgspec.json.Decoder[IndexLine] = msgspec.json.Decoder(IndexLine)


def encode(line: SegmentLine | IndexLine) -> bytes:
    """Encode a line's content; every float can be read back to the bit."""
    return _ENCODER.encode(line)


def read_segment_line(content: bytes) -> SegmentLine | None:
    """Read what a line of a segment says; None if it is no such line."""
    return _read(_SEGMENT_DECODER, content)


def read_index_line(content: bytes) -> IndexLine | None:
    """Read what a line of the index says; None if it is no such line."""
    return _read(_INDEX_DECODER, content)


def _read(decoder: msgspec.json.Decoder[Line], content: bytes) -> Line | None:
    # An altered line may hold anything.
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def sayable(features: list[float]) -> Sequence[float | str]:
    """Replace infinities, which JSON cannot say, by their names.

    NaN needs nothing: it is written as null.
    """
    # hypot is infinite if any value is, even beside NaN, in one fast call. It is
    # also infinite for values above 1e154 or so: then nothing gets replaced.
    if math.isinf(math.hypot(*features)):
        return [_INFINITIES.get(value, value) for value in features]
    return features
