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

"""The cron job for all instances of a project, each replica set once.

The project is read once: its instances, and its backups. A set is backed up at its
source, or at a replica that a probe of this run has proved to replicate, because a
replica whose replication has stopped is HEALTHY too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError, TroveExtError
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.selection import nothing_selected, select
from trove_ext.model.set_member import begun_with, replica_to_back_up
from trove_ext.trove import read
from trove_ext.workflows.backup.rotate import rotate_found
from trove_ext.workflows.backup.targets import Found
from trove_ext.workflows.replica.probe import probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.model.selection import Group, LeftOut, Selection
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.rotate_job import RotateRequest, RotateRow
    from trove_ext.workflows.replica.probe import Probed


@dataclass(frozen=True, slots=True)
class Gone:
    """A deleted instance with backups of the rotation, which retention leaves alone.

    :ivar backups: newest first
    """

    instance_id: str
    backups: tuple[Backup, ...]

    def __str__(self) -> str:
        return (
            f"Instance {self.instance_id} is gone; its {len(self.backups)} backups of "
            f"this rotation are not deleted, the newest is {self.backups[0]}"
        )


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation of a whole project did.

    :ivar left_out: instances of the project that were not backed up, and why
    :ivar gone: deleted instances whose backups were left alone
    """

    rows: Sequence[RotateRow]
    left_out: Sequence[LeftOut] = ()
    gone: Sequence[Gone] = ()


def rotate_all(
    cloud: Cloud,
    request: RotateRequest,
    selection: Selection,
    deadline: Deadline,
    *,
    prefer_replica: bool = False,
) -> Rotated:
    """Rotate all instances of the project, a replica set as one.

    Costs a request for each 20 instances and one for the backups of the project,
    beside what :func:`~trove_ext.workflows.backup.rotate.rotate` costs.

    :param request: its instances are not used
    :param prefer_replica: back up a replica of a set, if a probe of this run proves
        that it replicates, and backups of replicas can be used on its engine
    :raises NotFoundError: there is no instance to back up: a job for the wrong project
        should not end well
    """
    instances = read.list_instances(cloud, clustered=True)
    groups, left_out = select(instances, selection)
    for left in left_out:
        cloud.progress.note(str(left))
    if not groups:
        raise NotFoundError(nothing_selected("back up", instances, left_out))
    forest = BackupForest.of(read.list_backups(cloud), cloud.engines.look)
    gone = _gone(request, selection, forest, instances)
    for each in gone:
        cloud.progress.note(str(each))
    choice = MemberChoice(cloud, request, forest, prefer_replica=prefer_replica)
    found = [choice.of(group) for group in groups]
    return Rotated(rotate_found(cloud, request, found, deadline), left_out, gone)


class MemberChoice:
    """Chooses the member that stands for each set."""

    def __init__(
        self,
        cloud: Cloud,
        request: RotateRequest,
        forest: BackupForest,
        *,
        prefer_replica: bool,
    ) -> None:
        self._cloud = cloud
        self._request = request
        self._forest = forest
        self._prefer_replica = prefer_replica

    def of(self, group: Group) -> Found:
        """Return the member of one set, and why."""
        member, why = group.head, ""
        if len(group.members) > 1:
            member, why = self._member(group)
        return Found(member.name, member, member.id, group=group, why=why)

    def _member(self, group: Group) -> tuple[Instance, str]:
        begun = begun_with(
            group,
            self._forest,
            self._request.pattern,
            now=self._cloud.clock.now(),
            min_age=self._request.min_age,
            storage_driver=self._request.storage_driver,
        )
        if begun is not None:
            return begun, _role(group, begun)
        if not self._prefer_replica or group.head.replica_of is not None:
            return group.head, _role(group, group.head)
        engine = self._cloud.engines.of(group.head.datastore)
        if not engine.backs_up_replicas:
            why = f"no backup of a {engine.title} replica can be used"
            return group.head, f"{_role(group, group.head)}: {why}"
        return self._proved(group)

    def _proved(self, group: Group) -> tuple[Instance, str]:
        """Choose a replica that replicates now; the source if none does."""
        source = group.head
        if self._request.dry_run:
            why = "a replica, if a probe proves that it replicates"
            return source, f"{_role(group, source)}, or {why}"
        try:
            probed = list(self._probe(group))
        except TroveExtError as exc:
            return source, f"{_role(group, source)}: the probe failed: {exc}"
        seconds = {
            each.replica.id: each.seconds for each in probed if each.seconds is not None
        }
        replica = replica_to_back_up(
            group, self._forest, self._request.pattern, seconds
        )
        if replica is None:
            why = "; ".join(each.describe() for each in probed) or "none is HEALTHY"
            return source, f"{_role(group, source)}: no replica is proved: {why}"
        return (
            replica,
            f"{_role(group, replica)}, proved in {seconds[replica.id]:.1f} s",
        )

    def _probe(self, group: Group) -> Iterator[Probed]:
        replicas = [
            member
            for member in group.members
            if member.replica_of == group.head.id and member.is_settled
        ]
        if replicas:
            yield from probe(self._cloud, group.head, replicas)


def _role(group: Group, member: Instance) -> str:
    if member.replica_of is None:
        count = len(group.members) - 1
        return f"source of {count} replica{'s' if count > 1 else ''}"
    source = next((m.name for m in group.members if m.id == member.replica_of), None)
    return f"replica of {source or member.replica_of}"


def _gone(
    request: RotateRequest,
    selection: Selection,
    forest: BackupForest,
    instances: Sequence[Instance],
) -> list[Gone]:
    """Find the backups of the rotation whose instances no longer exist."""
    if request.policy is None:
        return []
    here = {instance.id for instance in instances}
    owned: dict[str, list[Backup]] = {}
    for backup in sorted(forest, key=lambda backup: backup.age_key, reverse=True):
        owner = backup.instance_id
        if owner is None or owner in here:
            continue
        if selection.datastore not in {None, backup.datastore}:
            continue
        if request.pattern.is_own(None, backup.name):
            owned.setdefault(owner, []).append(backup)
    return [Gone(owner, tuple(found)) for owner, found in sorted(owned.items())]
