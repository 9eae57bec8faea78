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

"""Backups as the trees that their parents make of them.

Nothing here recurses, so that a chain may be as deep as it likes, and all that is told
of a backup is found once, in one pass: the work is linear in the number of backups
(beside the sort by age).
"""

from __future__ import annotations

import enum
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.model.backup import (
    COMPLETED_STATES,
    FAILED_STATES,
    REPLICATION_SNAPSHOT_PREFIX,
    RUNNING_STATES,
    Backup,
    BackupKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "COMPLETED_STATES",
    "FAILED_STATES",
    "REPLICATION_SNAPSHOT_PREFIX",
    "RUNNING_STATES",
    "Backup",
    "BackupChain",
    "BackupForest",
    "BackupKind",
    "ChainState",
]


class ChainState(enum.Enum):
    """A chain in a word."""

    RESTORABLE = "restorable"
    RUNNING = "running"
    PARTLY = "partly restorable"
    BROKEN = "not restorable"


@dataclass(frozen=True, slots=True)
class BackupChain:
    """The whole tree under one full backup.

    :ivar root: the full backup; of a chain whose full backup is gone the topmost that
        is left, of a cycle its oldest member
    :ivar members: with the root, in the order of a drawn tree: each after its parent,
        siblings by age
    :ivar oldest: the first that was taken
    :ivar newest: the last that was taken, in whatever state
    :ivar newest_restorable: the last that can be restored, if any can
    """

    root: Backup
    members: tuple[Backup, ...]
    oldest: Backup
    newest: Backup
    newest_restorable: Backup | None
    state: ChainState

    @property
    def count(self) -> int:
        """How many backups it has, the root included."""
        return len(self.members)

    @property
    def volume_used_gb(self) -> float | None:
        """GB that the newest restorable member needs in a volume.

        This is what the database filled when it was taken, not what the backups take
        in the store: Trove does not tell that (``size`` in ``trove/backup/views.py``).
        """
        return self.newest_restorable.size if self.newest_restorable else None


@dataclass(frozen=True, slots=True)
class _Blocker:
    """What keeps a backup from being restored: the backup at fault, and its fault."""

    backup_id: str
    fault: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a backup stands in its tree, and what it inherits from above."""

    top: Backup
    depth: int
    blocker: _Blocker | None
    doubt: str | None


class BackupForest:
    """All backups of a list, by their parents.

    The list should hold the whole project: Trove takes a parent of another instance
    too, and one that is not in the list counts as gone.

    :ivar roots: those without a parent, by age
    :ivar orphans: those whose parent is not in the list, by age
    :ivar cycles: each cycle of parents, every member once
    """

    __slots__ = (
        "_by_id",
        "_children",
        "_instances",
        "_order",
        "_places",
        "cycles",
        "orphans",
        "roots",
    )

    def __init__(self, by_id: Mapping[str, Backup]) -> None:
        """Use `of`, which takes any list."""
        self._by_id = by_id
        self._children: dict[str, list[Backup]] = {}
        self._instances: dict[str | None, list[Backup]] = {}
        self._places: dict[str, _Place] = {}
        self._order: list[Backup] = []
        tops = self._link()
        self.roots = tuple(top for top in tops if top.parent_id is None)
        self.orphans = tuple(top for top in tops if top.parent_id is not None)
        for top in tops:
            self._grow(top, _missing_parent(top))
        self.cycles = tuple(self._grow_cycles())

    @classmethod
    def of(cls, backups: Iterable[Backup]) -> BackupForest:
        """Plant a forest; a backup that is listed twice counts once, as read last."""
        by_id: dict[str, Backup] = {}
        for backup in backups:
            known = by_id.get(backup.id)
            if known is None or known.updated <= backup.updated:
                by_id[backup.id] = backup
        return cls(by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, backup_id: object) -> bool:
        return backup_id in self._by_id

    def __iter__(self) -> Iterator[Backup]:
        """Tree by tree in the order of a drawing: a parent before its children."""
        return iter(self._order)

    def __getitem__(self, backup_id: str) -> Backup:
        return self._by_id[backup_id]

    def get(self, backup_id: str | None) -> Backup | None:
        """Return the backup with this ID, or None."""
        return self._by_id.get(backup_id) if backup_id else None

    def of_instance(self, instance_id: str | None) -> tuple[Backup, ...]:
        """Return the backups of an instance, deleted or not, newest first."""
        return tuple(reversed(self._instances.get(instance_id, ())))

    def children(self, backup_id: str) -> tuple[Backup, ...]:
        """Return those whose parent it is, by age."""
        return tuple(self._children.get(backup_id, ()))

    def root(self, backup_id: str) -> Backup:
        """Return the top of its tree; see `BackupChain` for orphans and cycles."""
        return self._places[backup_id].top

    def depth(self, backup_id: str) -> int:
        """Return how many backups are above it in its tree."""
        return self._places[backup_id].depth

    def path(self, backup_id: str) -> tuple[Backup, ...]:
        """Return what a restore reads: from the top down to the backup itself.

        In a cycle each member stands once.
        """
        steps: dict[str, Backup] = {}
        step: Backup | None = self._by_id[backup_id]
        while step is not None and step.id not in steps:
            steps[step.id] = step
            step = self.get(step.parent_id)
        return tuple(reversed(steps.values()))

    def descendants(self, backup_id: str) -> tuple[Backup, ...]:
        """Return all that Trove deletes along with it, leaves first."""
        below = [backup for backup, _ in self._walk(self._by_id[backup_id])]
        return tuple(reversed(below[1:]))

    def is_restorable(self, backup_id: str) -> bool:
        """Tell whether all that a restore reads is there, as far as states tell."""
        return self._places[backup_id].blocker is None

    def why_not(self, backup_id: str) -> str | None:
        """Say why it can't be restored, or None where it can."""
        blocker = self._places[backup_id].blocker
        if blocker is None or blocker.backup_id == backup_id:
            return blocker.fault if blocker else None
        is_parent = blocker.backup_id == self._by_id[backup_id].parent_id
        culprit = self.get(blocker.backup_id) or blocker.backup_id
        return f"{'parent' if is_parent else 'ancestor'} {culprit} is {blocker.fault}"

    def doubt(self, backup_id: str) -> str | None:
        """Say what makes a restore doubtful though each state is right, or None.

        Trove checks no parent's instance nor datastore version, and deletes
        replication snapshots with all that hangs on them.
        """
        return self._places[backup_id].doubt

    def chain(self, backup_id: str) -> BackupChain:
        """Return the chain that it belongs to."""
        return self._chain([backup for backup, _ in self._walk(self.root(backup_id))])

    def chains(self) -> tuple[BackupChain, ...]:
        """Return all chains: of full backups by age, then orphans', then cycles."""
        groups = itertools.groupby(
            self._order, key=lambda backup: self.root(backup.id).id
        )
        return tuple(self._chain(list(members)) for _, members in groups)

    def _chain(self, members: Sequence[Backup]) -> BackupChain:
        good = [member for member in members if self.is_restorable(member.id)]
        newest = max(members, key=lambda member: member.age_key)
        return BackupChain(
            root=members[0],
            members=tuple(members),
            oldest=min(members, key=lambda member: member.age_key),
            newest=newest,
            newest_restorable=max(good, key=lambda m: m.age_key, default=None),
            state=_chain_state(members, len(good)),
        )

    def _link(self) -> list[Backup]:
        """Sort by parent and instance; return those that have no parent here."""
        tops = []
        for backup in sorted(self._by_id.values(), key=lambda backup: backup.age_key):
            self._instances.setdefault(backup.instance_id, []).append(backup)
            parent = self.get(backup.parent_id)
            if parent is None:
                tops.append(backup)
            else:
                self._children.setdefault(parent.id, []).append(backup)
        tops.sort(key=lambda top: top.parent_id is not None)
        return tops

    def _walk(self, top: Backup) -> Iterator[tuple[Backup, int]]:
        """Yield a tree with depths, a parent before its children, the top once."""
        stack = [(top, 0)]
        while stack:
            backup, depth = stack.pop()
            yield backup, depth
            children = self._children.get(backup.id, ())
            stack.extend((c, depth + 1) for c in reversed(children) if c is not top)

    def _grow(self, top: Backup, flaw: _Blocker | None) -> None:
        """Find the place of each backup of one tree, with what it inherits."""
        for backup, depth in self._walk(top):
            above = self._places[backup.parent_id or ""] if depth else None
            inherited = above.blocker if above else flaw
            self._order.append(backup)
            self._places[backup.id] = _Place(
                top=top,
                depth=depth,
                blocker=_own_fault(backup) or inherited,
                doubt=(above and above.doubt) or self._own_doubt(backup),
            )

    def _grow_cycles(self) -> Iterator[tuple[Backup, ...]]:
        """Yield each cycle, oldest member first, and place what hangs on it."""
        for start in sorted(self._by_id.values(), key=lambda backup: backup.age_key):
            if start.id in self._places:
                continue
            cycle = self._cycle_above(start)
            oldest = min(cycle.values(), key=lambda member: member.age_key)
            flaw = f"in a cycle of {len(cycle)} parents"
            self._grow(oldest, _Blocker(oldest.id, flaw))
            yield tuple(
                member for member, _ in self._walk(oldest) if member.id in cycle
            )

    def _cycle_above(self, start: Backup) -> dict[str, Backup]:
        """Climb from a backup that has no top; return the cycle that it ends in."""
        passed: set[str] = set()
        step = start
        while step.id not in passed:
            passed.add(step.id)
            step = self._by_id[step.parent_id or ""]
        cycle: dict[str, Backup] = {}
        while step.id not in cycle:
            cycle[step.id] = step
            step = self._by_id[step.parent_id or ""]
        return cycle

    def _own_doubt(self, backup: Backup) -> str | None:
        """Say what is doubtful about it and its parent, leaving its ancestors aside."""
        if backup.is_replication_snapshot:
            return f"Trove deletes the replication snapshot {backup} and its children"
        parent = self.get(backup.parent_id)
        if parent is None:
            return None
        if _differ(backup.instance_id, parent.instance_id):
            return f"{backup} is of another instance than parent {parent}"
        if _differ(backup.datastore_version_id, parent.datastore_version_id):
            return f"{backup} has another datastore version than parent {parent}"
        return None


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _own_fault(backup: Backup) -> _Blocker | None:
    """Name what is wrong with the backup itself; an unknown state is not trusted."""
    if backup.is_completed:
        return None
    fault = f"still {backup.status}" if backup.is_running else backup.status
    return _Blocker(backup.id, fault)


def _missing_parent(top: Backup) -> _Blocker | None:
    return _Blocker(top.parent_id, "gone") if top.parent_id else None


def _chain_state(members: Sequence[Backup], restorable: int) -> ChainState:
    if any(member.is_running for member in members):
        return ChainState.RUNNING
    if restorable == len(members):
        return ChainState.RESTORABLE
    return ChainState.PARTLY if restorable else ChainState.BROKEN
