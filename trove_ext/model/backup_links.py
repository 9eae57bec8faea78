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

"""Backups linked by their parents: what is above a backup, and what is below it.

Nothing here is recursive, so a chain may have any depth. The work is linear in the
number of backups, apart from sorting them by age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trove_ext.model.backup import Backup


class BackupLinks:
    """The trees that the parents of backups make.

    :ivar by_id: every backup, a duplicate as it was updated last
    :ivar roots: those without a parent, by age
    :ivar orphans: those whose parent is not in the list, by age
    :ivar cycles: each cycle of parents, every member once, the oldest first
    """

    __slots__ = ("_children", "by_id", "cycles", "orphans", "roots")

    def __init__(self, backups: Iterable[Backup]) -> None:
        self.by_id = _newest_record_of_each(backups)
        self._children: dict[str, list[Backup]] = {}
        tops = []
        for backup in self.by_age():
            parent = self.parent(backup)
            if parent is None:
                tops.append(backup)
            else:
                self._children.setdefault(parent.id, []).append(backup)
        self.roots = tuple(top for top in tops if top.parent_id is None)
        self.orphans = tuple(top for top in tops if top.parent_id is not None)
        self.cycles = tuple(self._find_cycles())

    def by_age(self) -> list[Backup]:
        """Return all backups, the oldest first."""
        return sorted(self.by_id.values(), key=lambda backup: backup.age_key)

    def parent(self, backup: Backup) -> Backup | None:
        """Return the parent of a backup, if it has one and that is in the list."""
        return self.by_id.get(backup.parent_id) if backup.parent_id else None

    def children(self, backup_id: str) -> tuple[Backup, ...]:
        """Return those whose parent it is, by age."""
        return tuple(self._children.get(backup_id, ()))

    def path(self, backup: Backup) -> tuple[Backup, ...]:
        """Return its ancestors from the top down, and the backup itself.

        In a cycle each member is listed once.
        """
        steps: dict[str, Backup] = {}
        step: Backup | None = backup
        while step is not None and step.id not in steps:
            steps[step.id] = step
            step = self.parent(step)
        return tuple(reversed(steps.values()))

    def walk(self, top: Backup) -> Iterator[tuple[Backup, int]]:
        """Yield a tree with depths, a parent before its children, the top once."""
        stack = [(top, 0)]
        while stack:
            backup, depth = stack.pop()
            yield backup, depth
            below = reversed(self.children(backup.id))
            stack.extend((child, depth + 1) for child in below if child is not top)

    def _find_cycles(self) -> Iterator[tuple[Backup, ...]]:
        """Yield each cycle of parents; a backup without a top is in or below one."""
        seen = {
            backup.id
            for top in (*self.roots, *self.orphans)
            for backup, _ in self.walk(top)
        }
        for start in self.by_age():
            if start.id in seen:
                continue
            members = self._cycle_above(start)
            oldest = min(members.values(), key=lambda member: member.age_key)
            tree = [backup for backup, _ in self.walk(oldest)]
            seen.update(backup.id for backup in tree)
            yield tuple(backup for backup in tree if backup.id in members)

    def _cycle_above(self, start: Backup) -> dict[str, Backup]:
        """Climb from a backup that has no top; return the cycle that it ends in."""
        passed: set[str] = set()
        step = start
        while step.id not in passed:
            passed.add(step.id)
            step = self.by_id[step.parent_id or ""]
        cycle: dict[str, Backup] = {}
        while step.id not in cycle:
            cycle[step.id] = step
            step = self.by_id[step.parent_id or ""]
        return cycle


def _newest_record_of_each(backups: Iterable[Backup]) -> dict[str, Backup]:
    """Return backups by ID; of one that is listed twice the record updated last."""
    by_id: dict[str, Backup] = {}
    for backup in backups:
        known = by_id.get(backup.id)
        if known is None or known.updated <= backup.updated:
            by_id[backup.id] = backup
    return by_id
