"""The promotion record: every gate, its figures and verdict, and who holds what."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from credit_scoring.digests import sha256_of_json
from credit_scoring.registry.mlflow_registry import MODEL_NAME, RegisteredVersion
from credit_scoring.registry.roles import JudgedCandidate, Roles

Holders = dict[str, RegisteredVersion | None]


def promotion_record(
    candidates: Sequence[JudgedCandidate],
    roles: Roles,
    *,
    before: Holders,
    after: Holders,
) -> dict[str, Any]:
    """Write down what was judged, what came of it, and why.

    Args:
        candidates: This run's, judged.
        roles: What was decided.
        before: Alias -> its holder before.
        after: Alias -> its holder now.

    Returns:
        A JSON value that a person can read. ``digest`` is that of all else, so
        that a change of the record can be seen.
    """
    record: dict[str, Any] = {
        "model": MODEL_NAME,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "decision": roles.why,
        "champion": _holder(after["champion"]),
        "challenger": _holder(after["challenger"]),
        "before": {alias: _holder(holder) for alias, holder in before.items()},
        "candidates": [_judged(candidate) for candidate in candidates],
    }
    return {**record, "digest": sha256_of_json(record)}


def _holder(holder: RegisteredVersion | None) -> dict[str, Any] | None:
    if holder is None:
        return None
    return {
        "version": holder.version,
        "family": holder.family,
        "run_id": holder.run_id,
        "artifact_digest": holder.digest,
    }


def _judged(candidate: JudgedCandidate) -> dict[str, Any]:
    return {
        "family": candidate.family,
        "version": candidate.version,
        "run_id": candidate.run_id,
        "artifact_digest": candidate.digest,
        "new": candidate.new,
        "auc": candidate.auc,
        "passed": candidate.passed,
        "gates": [gate.model_dump(mode="json") for gate in candidate.gates],
    }
