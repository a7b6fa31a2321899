"""Who becomes champion and who challenger: the rule, without the registry."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from credit_scoring.registry.gates import AGAINST_CHAMPION, Gate, all_passed


class JudgedCandidate(BaseModel):
    """A candidate and what the gates said.

    Attributes:
        family: Family of its model.
        version: Registered version; None if its artifact was not fit for it.
        run_id: MLflow run; None without a version.
        digest: Digest of its artifact; None if it has none.
        new: Whether this run registered it, rather than an earlier one.
        against: Version that was champion when it was judged; None for none.
        alike: Whether it decides every test row as that champion does.
        auc: AUC on the test rows.
        gates: Every gate's verdict.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    version: int | None
    run_id: str | None
    digest: str | None
    new: bool
    against: int | None = None
    alike: bool = False
    auc: float | None
    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        """Whether it may become champion."""
        return self.version is not None and all_passed(self.gates)

    @property
    def sound(self) -> bool:
        """Whether it may become challenger: it need not beat the champion.

        But as a share of applicants may be routed to it, everything else must
        hold: it is verified and calibrated, tells risks apart, and gives reasons.
        """
        return self.version is not None and all_passed(
            gate for gate in self.gates if gate.name not in AGAINST_CHAMPION
        )


class Roles(BaseModel):
    """The versions that hold the aliases, and why.

    Attributes:
        champion: Version that decides; None if none may.
        challenger: Version that is watched beside it; None if none may.
        why: In words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: int | None
    challenger: int | None
    why: str


def assign_roles(
    candidates: Sequence[JudgedCandidate],
    *,
    champion: int | None,
    challenger: int | None,
) -> Roles:
    """Decide who holds the aliases after a run.

    The best candidate (highest AUC, then the family's name) that passes every
    gate is champion, unless it decides as the champion does: the same model made
    again, by a commit that changed nothing of it, say. If it replaces a champion,
    that one is challenger, so that a rollback leads to what is being watched. Else
    the best sound new candidate is, and if nothing is new, roles stay as they are.

    Args:
        candidates: This run's, judged.
        champion: Version that is champion now, if any.
        challenger: Version that is challenger now, if any.
    """
    ranked = sorted(candidates, key=lambda c: (-(c.auc or 0.0), c.family))
    best = next((c for c in ranked if c.passed), None)
    if best is None:
        return _kept(ranked, champion, challenger, "no candidate passes every gate")
    if best.version == champion:
        return _kept(
            ranked, champion, challenger, "the champion is the best candidate again"
        )
    if champion is not None and best.alike:
        return _kept(
            ranked,
            champion,
            challenger,
            f"{best.family} version {best.version} decides every test row as the "
            f"champion, version {champion}, does",
        )
    if champion is not None:
        return Roles(
            champion=best.version,
            challenger=champion,
            why=(
                f"{best.family} version {best.version} passes every gate and replaces "
                f"version {champion}, which is challenger now"
            ),
        )
    other = next((c for c in ranked if c.sound and c.version != best.version), None)
    return Roles(
        champion=best.version,
        challenger=other.version if other else None,
        why=(
            f"{best.family} version {best.version} is the best that passes every gate; "
            "there was no champion"
        ),
    )


def _kept(
    ranked: Sequence[JudgedCandidate],
    champion: int | None,
    challenger: int | None,
    why: str,
) -> Roles:
    """Keep the champion; a sound candidate that is new becomes challenger."""
    fresh = [
        c
        for c in ranked
        if c.sound and not c.alike and c.version not in {champion, None}
    ]
    beside = next((c for c in fresh if c.new or challenger is None), None)
    if champion is None or beside is None:
        return Roles(champion=champion, challenger=challenger, why=why)
    return Roles(
        champion=champion,
        challenger=beside.version,
        why=f"{why}; {beside.family} version {beside.version} is challenger",
    )
