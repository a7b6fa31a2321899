"""Promotion records: what was judged and decided, chained and signed."""

import getpass
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from credit_scoring.digests import sha256_of_json
from credit_scoring.environment import variable
from credit_scoring.errors import PromotionError
from credit_scoring.registry.roles import JudgedCandidate
from credit_scoring.registry.signing import Signer, TrustedKeys
from credit_scoring.registry.versions import RegisteredVersion

Holders = Mapping[str, RegisteredVersion | None]
Kind = Literal["promotion", "rollback", "challenge", "retirement"]
Record = dict[str, Any]

ACTOR = variable("actor")
_FORM = 2
_SEALS = ("digest", "signature")
# What a signature is for, so that one made for something else cannot stand here.
_PURPOSE = b"credit_scoring promotion record 2\n"


@dataclass(frozen=True)
class Change:
    """What a record says.

    Attributes:
        model: Registered name.
        kind: A promotion judges candidates; a rollback restores a champion; a
            challenge promotes the challenger on outcomes, and a retirement takes
            its role away.
        decision: What was decided, and why, in words.
        before: Alias -> its holder before.
        after: Alias -> its holder from now on.
        candidates: Those that were judged.
        previous: Digest of the record before; None for the first.
    """

    model: str
    kind: Kind
    decision: str
    before: Holders
    after: Holders
    candidates: Sequence[JudgedCandidate] = ()
    previous: str | None = None


def write_record(change: Change, signer: Signer) -> Record:
    """Write down a change, and sign it.

    Args:
        change: What was judged and decided.
        signer: Holds the key of this place.

    Returns:
        A JSON value that a person can read. ``digest`` is that of all else;
        ``signature`` is over it.
    """
    record: Record = {
        "form": _FORM,
        "kind": change.kind,
        "model": change.model,
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "actor": actor(),
        "decision": change.decision,
        **{alias: described(holder) for alias, holder in change.after.items()},
        "before": {a: described(holder) for a, holder in change.before.items()},
        "candidates": [_judged(candidate) for candidate in change.candidates],
        "previous": change.previous,
    }
    digest = sha256_of_json(record)
    signature = signer.sign(_message(digest))
    return {**record, "digest": digest, "signature": signature.model_dump()}


def record_fault(record: Mapping[str, Any], trusted: TrustedKeys) -> str | None:
    """Say why a record is not to be believed; None if it is.

    Args:
        record: As it was read.
        trusted: Keys whose signatures are believed.
    """
    altered = digest_fault(record)
    if altered is not None:
        return altered
    return trusted.fault(_message(record["digest"]), record.get("signature"))


def digest_fault(record: Mapping[str, Any]) -> str | None:
    """Say whether a record was altered after it was made; None if it was not."""
    body = {name: value for name, value in record.items() if name not in _SEALS}
    try:
        same = sha256_of_json(body) == record.get("digest")
    except (TypeError, ValueError):
        same = False
    return None if same else "it was altered: its digest is not that of its content"


def require_record(record: Mapping[str, Any], trusted: TrustedKeys) -> None:
    """Believe a record or stop.

    Raises:
        PromotionError: If it was altered, or is not signed with a trusted key.
    """
    fault = record_fault(record, trusted)
    if fault is not None:
        digest = str(record.get("digest"))[:12]
        raise PromotionError(f"promotion record {digest} cannot be believed: {fault}")


def actor() -> str:
    """Name who promotes: ``CREDIT_SCORING_ACTOR``, or the user of this process."""
    named = os.environ.get(ACTOR)
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def described(holder: RegisteredVersion | None) -> dict[str, Any] | None:
    """Describe the holder of an alias, as records do; None if nobody holds it."""
    if holder is None:
        return None
    return {
        "version": holder.version,
        "family": holder.family,
        "run_id": holder.run_id,
        "artifact_digest": holder.digest,
    }


def _message(digest: str) -> bytes:
    return _PURPOSE + digest.encode()


def _judged(candidate: JudgedCandidate) -> dict[str, Any]:
    return {
        "family": candidate.family,
        "version": candidate.version,
        "run_id": candidate.run_id,
        "artifact_digest": candidate.digest,
        "new": candidate.new,
        "against": candidate.against,
        "alike": candidate.alike,
        "auc": candidate.auc,
        "passed": candidate.passed,
        "gates": [gate.model_dump(mode="json") for gate in candidate.gates],
    }
