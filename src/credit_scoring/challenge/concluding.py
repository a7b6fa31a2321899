"""What a challenge needs of the registry, and what its verdict does there."""

from collections.abc import Mapping
from typing import Any

from credit_scoring.challenge.looking import Asked, Looked, Roles
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.errors import ChallengeError
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.promoting import Promotions
from credit_scoring.registry.roles import JudgedCandidate
from credit_scoring.registry.versions import CHALLENGER, CHAMPION


def ask_registry(
    promotions: Promotions, challenge: ChallengeParameters, gates: GateParameters
) -> Asked:
    """Find champion and challenger, and how the records judged the challenger.

    Args:
        promotions: The registry and its records.
        challenge: What is compared, and what decides.
        gates: What promotion asks of a candidate.

    Raises:
        ChallengeError: If one of the two is not there.
        PromotionError: If the history cannot be believed.
    """
    # An alias may be behind the record, if a promotion was killed between the two.
    promotions.settle()
    held = {a: promotions.registry.holder(a) for a in (CHAMPION, CHALLENGER)}
    roles = {alias: holder for alias, holder in held.items() if holder is not None}
    absent = [alias for alias in held if alias not in roles]
    if absent:
        raise ChallengeError(
            f"there is no {absent[0]} to compare: roles are given by "
            "`kedro run --pipelines promotion`"
        )
    return Asked(
        challenge, gates, roles, _evidence(promotions, roles[CHALLENGER].digest)
    )


def _evidence(promotions: Promotions, digest: str) -> Mapping[str, Any] | None:
    """Find how the newest record of a promotion judged an artifact."""
    for record in reversed(promotions.log.records()):
        if record["kind"] != "promotion":
            continue
        for candidate in record["candidates"]:
            if candidate["artifact_digest"] == digest:
                found: Mapping[str, Any] = candidate
                return found
    return None


def carry_out(promotions: Promotions, looked: Looked, roles: Roles) -> dict[str, Any]:
    """Promote or retire the challenger as the verdict says.

    Args:
        promotions: The registry and its records.
        looked: The verdict; not ``keep``.
        roles: Who was compared.

    Returns:
        The signed record.

    Raises:
        PromotionError: If roles changed meanwhile.
        RollbackRefusedError: If the challenger's files are gone or altered.
    """
    challenger, judged = roles[CHALLENGER], looked.judged
    auc = looked.comparison.measures.get("auc")
    candidate = JudgedCandidate(
        family=challenger.family,
        version=challenger.version,
        run_id=challenger.run_id,
        digest=challenger.digest,
        new=False,
        against=roles[CHAMPION].version,
        auc=None if auc is None else auc.gain.model,
        gates=judged.gates,
    )
    return promotions.conclude(
        candidate, promoted=judged.verdict == "promote", why=judged.why
    )
