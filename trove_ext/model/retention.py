# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Which backups a policy keeps, which it deletes, and why.

A restore point is a COMPLETED backup whose whole path to its full backup exists. The
rules are applied to the sound ones first, and then to all with the doubtful ones
(`BackupForest.doubt`): so these neither displace a sound one nor are kept forever.
"""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.model.ages import describe_ahead, is_ahead
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.retention_policy import keep_reasons
from trove_ext.model.rotation import is_sound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from trove_ext.model.backup import Backup
    from trove_ext.model.retention_policy import Policy
    from trove_ext.model.rotation_naming import NamePattern


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One backup, and whether it is kept.

    :ivar reasons: why; at least one
    """

    backup: Backup
    keep: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """The result of a policy for some backups.

    :ivar rows: every backup that was evaluated, by instance, newest first
    :ivar deletions: in the order in which to delete them: leaves first, tree by tree
    """

    rows: tuple[PlanRow, ...]
    deletions: tuple[Backup, ...]

    @property
    def kept(self) -> tuple[Backup, ...]:
        """Those that are kept."""
        return tuple(row.backup for row in self.rows if row.keep)

    def of_instance(self, instance_id: str | None) -> tuple[PlanRow, ...]:
        """Return the rows of one instance."""
        return tuple(row for row in self.rows if row.backup.instance_id == instance_id)


@dataclass(frozen=True, slots=True)
class Rotation:
    """The backups of one rotation, of an instance or of all members of a replica set.

    :ivar members: the names of the members, by ID
    :ivar pattern: of the names that the rotation gives its backups
    """

    members: Mapping[str, str]
    pattern: NamePattern

    def has(self, backup: Backup) -> bool:
        """Return whether a backup is of this rotation."""
        member = self.members.get(backup.instance_id or "")
        return member is not None and self.pattern.is_own(member, backup.name)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The backups to evaluate, and the parameters."""

    forest: BackupForest
    policy: Policy
    now: datetime
    instance_ids: frozenset[str] | None
    project_id: str | None
    cyclic: frozenset[str]
    made: frozenset[str]
    rotation: Rotation | None

    def is_other(self, backup: Backup) -> bool:
        """Return whether it is not of the rotation that is evaluated."""
        return self.rotation is not None and not self.rotation.has(backup)

    def is_listed(self, backup: Backup) -> bool:
        """Return whether it gets a row."""
        return self.instance_ids is None or backup.instance_id in self.instance_ids

    def is_foreign(self, backup: Backup) -> bool:
        """Return whether it is of another project; older releases don't say."""
        return None not in {self.project_id, backup.project_id} and (
            self.project_id != backup.project_id
        )

    def has_data(self, backup: Backup) -> bool:
        """Whether an instance can be restored from it."""
        return backup.is_completed and self.forest.is_restorable(backup.id)

    def is_point(self, backup: Backup) -> bool:
        """Return whether it is a restore point for the policy."""
        return (
            backup.status == "COMPLETED"
            and backup.instance_id is not None
            and not backup.is_replication_snapshot
            and self.is_listed(backup)
            and not self.is_other(backup)
            and not self.is_foreign(backup)
            and not is_ahead(backup.created, self.now)
            and self.forest.is_restorable(backup.id)
        )


def plan(
    backups: BackupForest | Iterable[Backup],
    policy: Policy,
    now: datetime,
    *,
    instance_ids: Iterable[str] | None = None,
    project_id: str | None = None,
    made: Iterable[str] = (),
    rotation: Rotation | None = None,
) -> RetentionPlan:
    """Evaluate the backups of each instance by themselves, or those of a rotation.

    These are always kept: ancestors of kept backups; the newest restore point of an
    instance; backups in progress or in an unknown state;
    replication snapshots, which Trove deletes itself; what was registered from another
    region; a COMPLETED one that can't be restored, because its parent may only be
    missing in the list (Trove pages by offset while rows move); and members of a cycle
    of parents, for which Trove's delete would not end (``trove/backup/models.py``).
    A restore point that is dated ahead of now is kept too, and takes no place in any
    rule, because its real age is not known.

    A FAILED backup is no restore point and counts in the quota, so it is deleted, even
    if it is the newest: the reason of its failure is stored with its instance. Only
    while an instance has nothing restorable, the newest FAILED one is kept, as the only
    evidence that a backup was tried.

    :param backups: of the whole project, also if only some instances are evaluated
    :param now: aware
    :param instance_ids: evaluate and list only these
    :param project_id: backups that are known to belong to another project are kept
    :param made: IDs of the backups that this run has just taken, which are kept
    :param rotation: evaluate its backups alone, those of all its members together, and
        keep all others; instead of ``instance_ids``
    :raises PolicyError: the policy can't be used
    """
    policy.check()
    forest = backups if isinstance(backups, BackupForest) else BackupForest.of(backups)
    if rotation is not None:
        instance_ids = rotation.members
    only = None if instance_ids is None else frozenset(instance_ids)
    cyclic = frozenset(member.id for cycle in forest.cycles for member in cycle)
    kept = frozenset(made)
    scope = _Scope(forest, policy, now, only, project_id, cyclic, kept, rotation)
    groups = _groups(forest, rotation)
    reasons: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        _evaluate_group(scope, group, reasons)
    _keep_ancestors(forest, reasons)
    listed = [backup for group in groups for backup in group if scope.is_listed(backup)]
    preorder = tuple(forest)
    return RetentionPlan(
        rows=tuple(_row(backup, reasons.get(backup.id)) for backup in listed),
        deletions=tuple(b for b in reversed(preorder) if b.id not in reasons),
    )


def chain_signature(
    forest: BackupForest, backup_id: str, gone: Collection[str] = ()
) -> frozenset[tuple[str, str, str | None]]:
    """Return what must not change for a plan about a chain to remain valid.

    Compare the signature in the planned forest (``gone``: what the plan has deleted
    since) with that in a forest that was read again.

    :return: ID, state and parent of each member; empty if the backup itself is gone
    """
    if backup_id not in forest:
        return frozenset()
    return frozenset(
        (member.id, member.status, member.parent_id)
        for member in forest.chain(backup_id).members
        if member.id not in gone
    )


def _groups(forest: BackupForest, rotation: Rotation | None) -> list[list[Backup]]:
    """Group by instance, the members of a rotation as one, each group newest first."""
    members = rotation.members if rotation else {}
    groups: dict[str, list[Backup]] = defaultdict(list)
    for backup in sorted(forest, key=lambda backup: backup.age_key, reverse=True):
        owner = backup.instance_id or ""
        groups[next(iter(members)) if owner in members else owner].append(backup)
    return [group for _, group in sorted(groups.items())]


def _evaluate_group(
    scope: _Scope, group: Sequence[Backup], reasons: dict[str, list[str]]
) -> None:
    """Add the reasons to keep backups of one instance."""
    failed = next((backup for backup in group if backup.is_failed), None)
    sign = None if any(map(scope.has_data, group)) else failed
    for backup in group:
        reason = _untouchable(scope, backup, sign)
        if reason is not None:
            reasons[backup.id].append(reason)
    points = [backup for backup in group if scope.is_point(backup)]
    _evaluate_points(scope, [p for p in points if is_sound(scope.forest, p)], reasons)
    _evaluate_points(scope, points, reasons)


def _evaluate_points(
    scope: _Scope, points: Sequence[Backup], reasons: dict[str, list[str]]
) -> None:
    """Add what the policy says.

    No policy deletes the last restorable chain: each rule keeps the newest point.
    """
    for point, reason in keep_reasons(
        scope.policy, points, scope.now, lambda point: scope.forest.root(point.id).id
    ):
        if reason not in reasons[point.id]:
            reasons[point.id].append(reason)


def _untouchable(scope: _Scope, backup: Backup, sign: Backup | None) -> str | None:
    """Return why the policy does not apply to a backup, or None.

    :param sign: the FAILED backup that shows that one was tried, if nothing else does
    """
    excluded = _excluded(scope, backup)
    if excluded is not None:
        return excluded
    if backup.id in scope.cyclic:
        return "in a cycle of parents, which Trove would follow without end"
    if backup.is_failed:
        nothing = f"{backup.status}, and nothing restorable is there"
        return nothing if backup is sign else None
    return _untouchable_state(backup) or _untouchable_point(scope, backup)


def _excluded(scope: _Scope, backup: Backup) -> str | None:
    """Return why a backup is kept in any state, or None."""
    if backup.id in scope.made:
        return "made by this run"
    if not scope.is_listed(backup):
        return "not asked for"
    if scope.is_other(backup):
        return "not of this rotation"
    if scope.is_foreign(backup):
        return f"of project {backup.project_id}"
    for pattern in scope.policy.keep_names:
        if fnmatch.fnmatchcase(backup.name, pattern):
            return f"named '{pattern}'"
    return None


def _untouchable_state(backup: Backup) -> str | None:
    if backup.is_running:
        return f"still {backup.status}"
    if backup.is_replication_snapshot:
        return "a replication snapshot, which Trove deletes itself"
    if not backup.is_completed:
        return f"in the unknown state {backup.status}"
    if backup.instance_id is None:
        return "registered from elsewhere, of no instance here"
    return None


def _untouchable_point(scope: _Scope, backup: Backup) -> str | None:
    """Return why a COMPLETED backup is no restore point for the rules, or None."""
    why_not = scope.forest.why_not(backup.id)
    if why_not:
        return f"can't be restored, so no rule decides on it: {why_not}"
    if is_ahead(backup.created, scope.now):
        return f"{describe_ahead(backup.created, scope.now)}, so no rule counts it"
    return None


def _keep_ancestors(forest: BackupForest, reasons: dict[str, list[str]]) -> None:
    """Keep the path to each kept backup; name the one below that is kept by itself."""
    needed_by = {backup_id: backup_id for backup_id in reasons}
    for backup in reversed(tuple(forest)):
        parent = forest.get(backup.parent_id)
        if backup.id in needed_by and parent and parent.id not in needed_by:
            needed_by[parent.id] = needed_by[backup.id]
            reasons[parent.id].append(f"needed by {forest[needed_by[backup.id]].name}")


def _row(backup: Backup, reasons: Sequence[str] | None) -> PlanRow:
    if reasons:
        return PlanRow(backup, keep=True, reasons=tuple(reasons))
    reason = backup.status if backup.is_failed else "no rule keeps it"
    return PlanRow(backup, keep=False, reasons=(reason,))
