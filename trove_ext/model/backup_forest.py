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

"""All backups of a list, as trees by their parents."""

from __future__ import annotations

import enum
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.model import backup_gaps, engine, restorability
from trove_ext.model.backup import newest
from trove_ext.model.backup_links import BackupLinks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from trove_ext.model.backup import Backup
    from trove_ext.model.engine import Engine
    from trove_ext.model.restorability import Blocker, Restorability


class ChainState(enum.Enum):
    """The state of a chain."""

    RESTORABLE = "restorable"
    RUNNING = "running"
    PARTLY = "partly restorable"
    BROKEN = "not restorable"


@dataclass(frozen=True, slots=True)
class BackupChain:
    """The whole tree under one full backup.

    :ivar root: the full backup; if that is gone, the topmost remaining one; of a cycle
        its oldest member
    :ivar members: with the root, in the order of a drawn tree: each after its parent,
        siblings by age
    :ivar oldest: the first that was taken
    :ivar restorable: the members that can be restored, in the same order
    """

    root: Backup
    members: tuple[Backup, ...]
    oldest: Backup
    restorable: tuple[Backup, ...]
    state: ChainState

    @property
    def count(self) -> int:
        """How many backups it has, the root included."""
        return len(self.members)

    @property
    def storage_drivers(self) -> tuple[str, ...]:
        """The drivers that its members are stored by, by name; empty if unknown."""
        found = {member.storage_driver for member in self.members}
        return tuple(sorted(driver for driver in found if driver))

    def newest_restorable(self, now: datetime) -> Backup | None:
        """Return the member to restore for the latest data; see `newest`.

        None if no member can be restored, or each that can is dated ahead of now.
        """
        return newest(self.restorable, now)

    def volume_used_gb(self, now: datetime) -> float | None:
        """Return the GB that the newest restorable member needs in a volume.

        If each restorable one is dated ahead of now: the most that one of them needs.

        What the database filled when it was taken, or the size of the volume if it is
        a volume snapshot; not what the backups take in the store, which Trove does not
        report (``size`` in ``trove/backup/views.py``).
        """
        latest = self.newest_restorable(now)
        if latest is not None:
            return latest.size
        sizes = (member.size for member in self.restorable)
        return max((size for size in sizes if size is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a backup is in its tree, and whether it can be restored."""

    top: Backup
    depth: int
    restorability: Restorability


class BackupForest:
    """All backups of a list, by their parents.

    The list should contain the whole project: Trove also accepts a parent of another
    instance, and one that is not in the list counts as gone.
    """

    __slots__ = ("_gaps", "_instances", "_links", "_places")

    def __init__(
        self, links: BackupLinks, engine_of: Callable[[str | None], Engine] = engine.of
    ) -> None:
        """Use `of`, which accepts any list."""
        self._links = links
        self._instances: dict[str | None, list[Backup]] = {}
        for backup in links.by_age():
            self._instances.setdefault(backup.instance_id, []).append(backup)
        self._gaps = {
            backup.id: backup_gaps.describe(backup, other, engine_of(backup.datastore))
            for backups in self._instances.values()
            for backup, other in backup_gaps.find(links, backups, engine_of)
        }
        self._places: dict[str, _Place] = {}
        for top in (*links.roots, *links.orphans):
            self._place(top, restorability.missing_parent(top))
        for cycle in links.cycles:
            self._place(cycle[0], restorability.in_cycle(cycle[0], len(cycle)))

    @classmethod
    def of(
        cls,
        backups: Iterable[Backup],
        engine_of: Callable[[str | None], Engine] = engine.of,
    ) -> BackupForest:
        """Make a forest; a backup that is listed twice counts once, as updated last.

        :param engine_of: returns the engine of a datastore, from its name
        """
        return cls(BackupLinks(backups), engine_of)

    def __len__(self) -> int:
        return len(self._links.by_id)

    def __contains__(self, backup_id: object) -> bool:
        return backup_id in self._links.by_id

    def __iter__(self) -> Iterator[Backup]:
        """Tree by tree in the order of a drawing: a parent before its children."""
        return (self._links.by_id[backup_id] for backup_id in self._places)

    def __getitem__(self, backup_id: str) -> Backup:
        return self._links.by_id[backup_id]

    def get(self, backup_id: str | None) -> Backup | None:
        """Return the backup with this ID, or None."""
        return self._links.by_id.get(backup_id) if backup_id else None

    # The backups

    @property
    def roots(self) -> tuple[Backup, ...]:
        """Those without a parent, by age."""
        return self._links.roots

    @property
    def orphans(self) -> tuple[Backup, ...]:
        """Those whose parent is not in the list, by age."""
        return self._links.orphans

    @property
    def cycles(self) -> tuple[tuple[Backup, ...], ...]:
        """Each cycle of parents, every member once."""
        return self._links.cycles

    def of_instance(self, instance_id: str | None) -> tuple[Backup, ...]:
        """Return the backups of an instance, which may be deleted, newest first."""
        return tuple(reversed(self._instances.get(instance_id, ())))

    def longest_run(self, instance_id: str) -> timedelta | None:
        """Return the time of the completed backup of an instance that took longest."""
        times = (
            backup.updated - backup.created
            for backup in self.of_instance(instance_id)
            if backup.is_completed
        )
        return max((each for each in times if each >= timedelta(0)), default=None)

    # Where a backup is in its tree

    def children(self, backup_id: str) -> tuple[Backup, ...]:
        """Return those whose parent it is, by age."""
        return self._links.children(backup_id)

    def root(self, backup_id: str) -> Backup:
        """Return the top of its tree; see `BackupChain` for orphans and cycles."""
        return self._places[backup_id].top

    def depth(self, backup_id: str) -> int:
        """Return how many backups are above it in its tree."""
        return self._places[backup_id].depth

    def path(self, backup_id: str) -> tuple[Backup, ...]:
        """Return its ancestors from the top down, and the backup itself.

        Trove deletes it with each of them. In a cycle each member is listed once.
        """
        return self._links.path(self[backup_id])

    def restore_path(self, backup_id: str) -> tuple[Backup, ...]:
        """Return the part of `path` that a restore reads.

        A restore of a volume snapshot reads nothing else.
        """
        path = self.path(backup_id)
        return path[len(path) - self._of(backup_id).length :]

    def descendants(self, backup_id: str) -> tuple[Backup, ...]:
        """Return its dependent backups, which Trove deletes with it, leaves first."""
        below = [backup for backup, _ in self._links.walk(self[backup_id])]
        return tuple(reversed(below[1:]))

    # Whether it can be restored

    def is_restorable(self, backup_id: str) -> bool:
        """Return whether all that a restore reads exists, as far as states show."""
        return self._of(backup_id).blocker is None

    def why_not(self, backup_id: str) -> str | None:
        """Return why it can't be restored, or None if it can."""
        blocker = self._of(backup_id).blocker
        if blocker is None or blocker.backup_id == backup_id:
            return blocker.fault if blocker else None
        is_parent = blocker.backup_id == self[backup_id].parent_id
        culprit = self.get(blocker.backup_id) or blocker.backup_id
        return f"{'parent' if is_parent else 'ancestor'} {culprit} is {blocker.fault}"

    def doubt(self, backup_id: str) -> str | None:
        """Return what makes a restore doubtful although each state is right, or None.

        Trove checks no parent's instance, datastore version or storage driver, takes
        incrementals that miss rows (:mod:`trove_ext.model.backup_gaps`), and deletes
        replication snapshots with their dependent backups.
        """
        return self._of(backup_id).doubt

    # Chains

    def chain(self, backup_id: str) -> BackupChain:
        """Return the chain that it belongs to."""
        walk = self._links.walk(self.root(backup_id))
        return self._chain([backup for backup, _ in walk])

    def chains(self) -> tuple[BackupChain, ...]:
        """Return all chains: of full backups by age, then orphans', then cycles."""
        groups = itertools.groupby(self, key=lambda backup: self.root(backup.id).id)
        return tuple(self._chain(list(members)) for _, members in groups)

    def _chain(self, members: Sequence[Backup]) -> BackupChain:
        good = tuple(member for member in members if self.is_restorable(member.id))
        return BackupChain(
            root=members[0],
            members=tuple(members),
            oldest=min(members, key=lambda member: member.age_key),
            restorable=good,
            state=_chain_state(members, len(good)),
        )

    def _of(self, backup_id: str) -> Restorability:
        return self._places[backup_id].restorability

    def _place(self, top: Backup, flaw: Blocker | None) -> None:
        """Find the place of each backup of one tree, and what it inherits."""
        for backup, depth in self._links.walk(top):
            parent = self._links.parent(backup)
            above = self._of(parent.id) if parent and depth else None
            self._places[backup.id] = _Place(
                top,
                depth,
                restorability.assess(
                    backup, parent, above, flaw, gap=self._gaps.get(backup.id)
                ),
            )


def _chain_state(members: Sequence[Backup], restorable: int) -> ChainState:
    if any(member.is_running for member in members):
        return ChainState.RUNNING
    if restorable == len(members):
        return ChainState.RESTORABLE
    return ChainState.PARTLY if restorable else ChainState.BROKEN
