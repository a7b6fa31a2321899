"""Giving roles to versions: first the signed record, then the aliases.

The record decides, the aliases follow it. Whoever is killed between the two leaves
aliases of the record before, which the next promotion sets right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credit_scoring.errors import (
    ArtifactError,
    PromotionError,
    RollbackRefusedError,
)
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.mlflow_registry import MlflowRegistry
from credit_scoring.registry.promotion_log import PromotionLog
from credit_scoring.registry.record_page import record_page
from credit_scoring.registry.records import Change, Holders, Record, write_record
from credit_scoring.registry.roles import JudgedCandidate, assign_roles
from credit_scoring.registry.scoring import artifact_folder
from credit_scoring.registry.signing import Signer
from credit_scoring.registry.versions import CHALLENGER, CHAMPION, RegisteredVersion

ROLES = (CHAMPION, CHALLENGER)
PAGE = "promotion_record.html"


@dataclass(frozen=True)
class Promotions:
    """Changes who is champion and challenger, with evidence.

    Attributes:
        registry: Has the versions and aliases.
        log: Has the records.
        signer: Signs new ones.
    """

    registry: MlflowRegistry
    log: PromotionLog
    signer: Signer

    def settle(self) -> Record | None:
        """Make the aliases what the last record says, if they are not.

        Returns:
            The last record; None if there is none.

        Raises:
            PromotionError: If an alias is on a version that neither the last
                record nor the one before it names, or the record is not to be
                believed.
        """
        head = self.log.head()
        if head is not None:
            self._require_explained(head)
            self._apply(head)
        return head

    def promote(self, candidates: Sequence[JudgedCandidate]) -> Record:
        """Give the aliases to whom the gates admit, and record why.

        Args:
            candidates: This run's, judged against the champion.

        Raises:
            PromotionError: If the champion is not the one that they were judged
                against, or another promotion came first. Then no role changes.
        """
        head = self.settle()
        before = self._holders()
        held = {alias: holder.version if holder else None for alias, holder in before}
        self._require_same_champion(candidates, held[CHAMPION])
        roles = assign_roles(
            candidates, champion=held[CHAMPION], challenger=held[CHALLENGER]
        )
        after = self._versions((roles.champion, roles.challenger))
        return self._record(
            Change(
                model=self.registry.name,
                kind="promotion",
                decision=roles.why,
                before=dict(before),
                after=after,
                candidates=candidates,
                previous=head["digest"] if head else None,
            )
        )

    def roll_back(self, *, why: str, version: int | None = None) -> Record:
        """Give the roles back as they were under an earlier champion.

        Args:
            why: Asked for and recorded.
            version: The champion that returns; None for the one before.

        Raises:
            RollbackRefusedError: If there is no such champion, or its files are gone
                or altered.
            PromotionError: If another promotion came first. No role changes in
                either case.
        """
        head = self.settle()
        if head is None or head[CHAMPION] is None:
            raise RollbackRefusedError(
                "there is no record of a champion to roll back from"
            )
        present = head[CHAMPION]["version"]
        earlier = self._earlier(present, version)
        target = earlier[CHAMPION]["version"]
        challenger = earlier[CHALLENGER]["version"] if earlier[CHALLENGER] else None
        # Who is rolled back must not decide on a share of the applicants, either.
        challenger = None if challenger == present else challenger
        after = self._versions((target, challenger))
        self._require_intact(after[CHAMPION], earlier[CHAMPION]["artifact_digest"])
        return self._record(
            Change(
                model=self.registry.name,
                kind="rollback",
                decision=(
                    f"version {target} is champion again in place of version "
                    f"{present}: {why}"
                ),
                before=dict(self._holders()),
                after=after,
                previous=head["digest"],
            )
        )

    def conclude(self, judged: JudgedCandidate, *, promoted: bool, why: str) -> Record:
        """Promote or retire the challenger on what became of applicants.

        Args:
            judged: The challenger, by the gates that were asked on outcomes.
            promoted: Whether it becomes champion, and the champion challenger;
                else it has no role any more.
            why: In words.

        Returns:
            The signed record, of the kind ``challenge`` or ``retirement``.

        Raises:
            PromotionError: If the two are not champion and challenger any more, a
                gate did not admit whom it promotes, or another promotion came first.
            RollbackRefusedError: If the challenger's files are gone or altered.
        """
        head = self.settle()
        before = dict(self._holders())
        champion, challenger = before[CHAMPION], before[CHALLENGER]
        versions = [holder.version if holder else None for holder in before.values()]
        if (
            champion is None
            or challenger is None
            or versions
            != [
                judged.against,
                judged.version,
            ]
        ):
            raise PromotionError(
                f"version {judged.version} was compared with champion "
                f"{judged.against}, and champion and challenger are {versions[0]} and "
                f"{versions[1]} now. Run `kedro run --pipelines outcomes,challenge`"
            )
        if promoted:
            if not judged.passed:
                raise PromotionError(
                    f"version {judged.version} does not pass every gate on outcomes"
                )
            self._require_intact(challenger, judged.digest)
        roles = (challenger, champion) if promoted else (champion, None)
        return self._record(
            Change(
                model=self.registry.name,
                kind="challenge" if promoted else "retirement",
                decision=why,
                before=before,
                after=dict(zip(ROLES, roles, strict=True)),
                candidates=[judged],
                previous=head["digest"] if head else None,
            )
        )

    def _record(self, change: Change) -> Record:
        record = write_record(change, self.signer)
        self.log.append(record, {PAGE: record_page(record).encode()})
        # Another promotion may follow while the aliases are being set: whoever sets
        # them last must set what the last record says.
        last = record
        while True:
            self._apply(last)
            head = self.log.head()
            if head is None or head["digest"] == last["digest"]:
                return record
            last = head

    def _apply(self, record: Record) -> None:
        for alias, holder in self._holders():
            said = record[alias]["version"] if record[alias] else None
            if said == (holder.version if holder else None):
                continue
            if said is None:
                self.registry.remove_alias(alias)
            else:
                self.registry.set_alias(alias, said)

    def _require_explained(self, head: Record) -> None:
        for alias, holder in self._holders():
            explained = {
                held["version"] if held else None
                for held in (head[alias], head["before"].get(alias))
            }
            version = holder.version if holder else None
            if version not in explained:
                raise PromotionError(
                    f"alias {alias} is on version {version}, which the last promotion "
                    f"record does not explain: it says "
                    f"{head[alias]['version'] if head[alias] else None}. Somebody has "
                    "moved it by hand. Move it back, and then change roles by a "
                    "promotion or `make rollback`, which leave evidence"
                )

    def _holders(self) -> list[tuple[str, RegisteredVersion | None]]:
        return [(alias, self.registry.holder(alias)) for alias in ROLES]

    def _versions(self, numbers: tuple[int | None, int | None]) -> Holders:
        known = {version.version: version for version in self.registry.versions()}
        missing = [n for n in numbers if n is not None and n not in known]
        if missing:
            raise PromotionError(f"version {missing[0]} is not in the registry")
        return {
            alias: None if number is None else known[number]
            for alias, number in zip(ROLES, numbers, strict=True)
        }

    def _earlier(self, present: int, version: int | None) -> Mapping[str, Any]:
        """Find the latest roles with another champion, or with the one named."""
        records = self.log.records()
        # Whoever was champion before there were records may return, too.
        held: list[Mapping[str, Any]] = [*reversed(records), records[0]["before"]]
        for roles in held:
            champion = _champion(roles)
            if champion not in {None, present} and version in {None, champion}:
                return roles
        wanted = "another champion" if version is None else f"champion {version}"
        raise RollbackRefusedError(
            f"no record names {wanted} before version {present}, so there is nothing "
            "to roll back to"
        )

    def _require_intact(
        self, holder: RegisteredVersion | None, digest: str | None
    ) -> None:
        if holder is None:
            return
        found = None
        try:
            with self.registry.model_folder(holder.version) as folder:
                found = load_artifact(artifact_folder(folder)).digest
            fault = "it is not the artifact that was promoted"
        except (ArtifactError, PromotionError) as error:
            fault = str(error)
        if found != digest:
            raise RollbackRefusedError(
                f"version {holder.version} cannot be champion: {fault}"
            )

    @staticmethod
    def _require_same_champion(
        candidates: Sequence[JudgedCandidate], champion: int | None
    ) -> None:
        others = {c.against for c in candidates if c.against != champion}
        if others:
            raise PromotionError(
                f"candidates were judged against champion {min(map(str, others))}, and "
                f"the champion is {champion} now: another promotion came first. Run "
                "`kedro run --pipelines promotion,packaging` to judge them again"
            )


def history_rows(records: Sequence[Record]) -> list[Mapping[str, object]]:
    """Tabulate the history: since when who has been champion, and why.

    Args:
        records: All that stand, the oldest first.

    Returns:
        A row for each record: ``since`` (UTC), ``kind``, ``champion``,
        ``challenger``, ``decision``, ``actor``, ``signed_with``, ``digest``.
    """
    return [
        {
            "since": record["created_at"],
            "kind": record["kind"],
            **{a: record[a]["version"] if record[a] else None for a in ROLES},
            "decision": record["decision"],
            "actor": record["actor"],
            "signed_with": record["signature"]["key_id"],
            "digest": record["digest"],
        }
        for record in records
    ]


def champion_at(records: Sequence[Record], moment: datetime) -> Record | None:
    """Find whose word held at a moment, and until when it did.

    Args:
        records: All that stand, the oldest first.
        moment: With its time zone.

    Returns:
        The last record made before the moment that gave the champion its role
        (not one that merely kept it), with ``until``: when the next champion came,
        or None. None if nobody was champion.
    """
    held: Record | None = None
    for record in records:
        late = datetime.fromisoformat(record["created_at"]) >= moment
        if late and held is None:
            return None
        if held is not None and _champion(record) == _champion(held):
            continue
        if late:
            return {**held, "until": record["created_at"]} if held else None
        held = record if record["champion"] else None
    return {**held, "until": None} if held else None


def _champion(record: Mapping[str, Any]) -> int | None:
    holder = record[CHAMPION]
    return int(holder["version"]) if holder else None
