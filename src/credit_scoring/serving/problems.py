"""Problem details (RFC 9457): how the service says that it cannot answer."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from credit_scoring.errors import CreditScoringError, FieldError

Header = tuple[bytes, bytes]

# Of an invalid request at most so many fields are named: the answer stays small
# whatever was sent.
MAX_FIELD_ERRORS = 64

# In seconds: what keeps the service from answering passes in less, or takes long.
RETRY_AFTER: Header = (b"retry-after", b"1")

TYPE_PREFIX = "tag:credit-scoring,2026:"


class FieldProblem(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with one field; never the field's value."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an ``application/problem+json`` answer."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem]
    instance: str | None = None


class ProblemError(CreditScoringError):
    """A request that is answered by a problem; raised by a route."""

    def __init__(self, problem: Problem, headers: Sequence[Header] = ()) -> None:
        """Carry the problem, and headers that its status asks for."""
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = tuple(headers)


def problem(
    status: HTTPStatus, name: str, detail: str, *, instance: str | None = None
) -> Problem:
    """Describe a problem that concerns no field in particular.

    Args:
        status: Gives the title, too.
        name: Names the kind of problem, once for all; the tail of ``type``.
        detail: What is wrong here and what was expected; no applicant data.
        instance: Identifies this one occurrence, as the service's log names it.
    """
    return Problem(
        type=TYPE_PREFIX + name,
        title=status.phrase,
        status=status.value,
        detail=detail,
        errors=[],
        instance=instance,
    )


def invalid_request(errors: Sequence[FieldError]) -> Problem:
    """Describe a request whose fields break the contract."""
    count = len(errors)
    fields = "1 field is" if count == 1 else f"{count} fields are"
    shown = errors[:MAX_FIELD_ERRORS]
    cut = f"; the first {len(shown)} are listed" if count > len(shown) else ""
    return Problem(
        type=TYPE_PREFIX + "invalid-request",
        title=HTTPStatus.BAD_REQUEST.phrase,
        status=HTTPStatus.BAD_REQUEST.value,
        detail=f"{fields} not as the contract says{cut}",
        errors=[FieldProblem(e.field, e.message) for e in shown],
    )


def invalid_parameter(message: str, *, name: str = "(query)") -> ProblemError:
    """Refuse a query parameter."""
    return ProblemError(invalid_request([FieldError(name, message)]))


def not_found() -> ProblemError:
    """Refuse a path; it is not echoed, as it may hold anything."""
    return ProblemError(
        problem(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "there is nothing at this path; /docs.json lists what there is",
        )
    )


def no_report(why: str) -> ProblemError:
    """Say that there is no monitoring report yet, and how to come by one.

    Args:
        why: Without a path or anything of a file in it.
    """
    return ProblemError(
        problem(
            HTTPStatus.NOT_FOUND,
            "no-report",
            f"{why}; `kedro run --pipelines monitoring` makes one and publishes it to "
            "the folder that CREDIT_SCORING_MONITORING_DIR names",
        )
    )


def method_not_allowed(allowed: str) -> ProblemError:
    """Refuse a method, naming those that the path takes."""
    return ProblemError(
        problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            f"this path takes {allowed}",
        ),
        [(b"allow", allowed.encode())],
    )


def body_too_large(limit_bytes: int) -> ProblemError:
    """Refuse a body above the limit."""
    return ProblemError(
        problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body-too-large",
            f"the body is larger than {limit_bytes} bytes",
        )
    )


def too_many_rows(limit: int) -> ProblemError:
    """Refuse a batch above the limit."""
    return ProblemError(
        problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too-many-rows",
            f"the batch has more than the {limit} applications that are allowed",
        )
    )


def body_too_slow(timeout_ms: int) -> ProblemError:
    """Refuse to wait longer for a body."""
    return ProblemError(
        problem(
            HTTPStatus.REQUEST_TIMEOUT,
            "body-too-slow",
            f"the body was not complete after {timeout_ms} ms",
        ),
        [(b"connection", b"close")],
    )


def head_too_large(limit_bytes: int) -> ProblemError:
    """Refuse a request's head above the limit; the connection is closed."""
    return ProblemError(
        problem(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head-too-large",
            f"the request's path and headers are larger than {limit_bytes} bytes",
        ),
        [(b"connection", b"close")],
    )


def head_too_slow(timeout_ms: int) -> ProblemError:
    """Refuse to wait longer for a request's head; the connection is closed."""
    return ProblemError(
        problem(
            HTTPStatus.REQUEST_TIMEOUT,
            "head-too-slow",
            f"the request's headers were not complete after {timeout_ms} ms",
        ),
        [(b"connection", b"close")],
    )


def unsupported_media_type(detail: str, header: Header) -> ProblemError:
    """Refuse a content type or coding, naming what is taken."""
    return ProblemError(
        problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail),
        [header],
    )


def decision_not_recorded() -> ProblemError:
    """Refuse to decide while decisions cannot be recorded."""
    return ProblemError(
        problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "decision-not-recorded",
            "the decision could not be recorded, so there is none; try again later",
        ),
        [(b"retry-after", b"1")],
    )


def body_not_kept() -> ProblemError:
    """Refuse a batch that there is no room for."""
    return ProblemError(
        problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "body-not-kept",
            "the service has no room for a body of this size at present; send it again "
            "later, or in parts",
        ),
        [RETRY_AFTER],
    )


def outcome_not_recorded() -> ProblemError:
    """Refuse outcomes while they cannot be kept."""
    return ProblemError(
        problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "outcome-not-recorded",
            "the outcomes could not be recorded; send them again later",
        ),
        [RETRY_AFTER],
    )


def idempotency_key_reused() -> ProblemError:
    """Refuse a key under which another request was answered."""
    return ProblemError(
        problem(
            HTTPStatus.CONFLICT,
            "idempotency-key-reused",
            "this Idempotency-Key was sent with another request; a new request needs "
            "a new key",
        )
    )


def decision_in_progress() -> ProblemError:
    """Refuse to wait longer for the decision that was begun under the same key."""
    return ProblemError(
        problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "decision-in-progress",
            "the decision under this Idempotency-Key is still being made; ask again",
        ),
        [RETRY_AFTER],
    )


def overloaded() -> ProblemError:
    """Refuse to let more wait than can be answered in time."""
    return ProblemError(
        problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "overloaded",
            "too many requests wait for their decision; ask again later",
        ),
        [RETRY_AFTER],
    )


def leaving() -> ProblemError:
    """Say that this worker is about to end, and takes no new clients."""
    return ProblemError(
        problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "leaving", "this worker is shutting down"
        )
    )


def incident(identifier: str) -> Problem:
    """Describe a fault of ours without a word of its text."""
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "the service failed to answer; its log has the incident under this instance",
        instance=f"urn:uuid:{identifier}",
    )
