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

"""All instances of a project as what has to be backed up: each replica set once.

The members of a replica set have the same data, so one backup of any of them is a
backup of the set. What can't have a backup at present is left out, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from trove_ext.model.replication import replication_sets
from trove_ext.model.status import BUILD, DELETING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.model.instance import Instance


@dataclass(frozen=True, slots=True)
class Selection:
    """Which instances of a project are wanted; a set goes by its source.

    :ivar exclude: patterns of names, as of a shell
    :ivar datastore: the type, such as ``mysql``; None for any
    :ivar each_member: take each member of a set by itself
    """

    exclude: tuple[str, ...] = ()
    datastore: str | None = None
    each_member: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A replica set, or an instance that is in none.

    :ivar head: its source; the first member if it has none
    :ivar members: all that are not left out, the head first
    """

    head: Instance
    members: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An instance that is wanted, and can't have a backup at present.

    :ivar reason: as a clause: "it is being built"
    """

    instance: Instance
    reason: str

    def __str__(self) -> str:
        return f"{self.instance} is left out: {self.reason}"


def select(
    instances: Iterable[Instance], selection: Selection
) -> tuple[list[Group], list[LeftOut]]:
    """Return what is wanted, by name, and what is left out of it."""
    everything = list(instances)
    groups: list[Group] = []
    left_out: list[LeftOut] = []
    for members in _sets(everything, each_member=selection.each_member):
        if not _is_wanted(members[0], selection):
            continue
        present = [member for member in members if not _excluded(member, selection)]
        reasons = {member.id: _reason(member) for member in present}
        left_out += [
            LeftOut(member, reason)
            for member in present
            if (reason := reasons[member.id]) is not None
        ]
        kept = tuple(member for member in present if reasons[member.id] is None)
        if kept:
            groups.append(Group(kept[0], kept))
    groups.sort(key=lambda group: (group.head.name, group.head.id))
    left_out.sort(key=lambda left: (left.instance.name, left.instance.id))
    return groups, left_out


def nothing_selected(
    verb: str, instances: Sequence[Instance], left_out: Sequence[LeftOut]
) -> str:
    """Say that no instance of a project was selected.

    :param verb: what was to be done with them: "check"
    """
    return (
        f"There is no instance to {verb}: of the {len(instances)} in this project none "
        f"is selected, or all are left out ({len(left_out)})."
    )


def _sets(
    instances: Sequence[Instance], *, each_member: bool
) -> list[tuple[Instance, ...]]:
    sets = [] if each_member else [each.members for each in replication_sets(instances)]
    grouped = {member.id for members in sets for member in members}
    alone = [(instance,) for instance in instances if instance.id not in grouped]
    return [*sets, *alone]


def _is_wanted(head: Instance, selection: Selection) -> bool:
    if selection.datastore is not None and head.datastore != selection.datastore:
        return False
    return not _excluded(head, selection)


def _excluded(instance: Instance, selection: Selection) -> bool:
    return any(fnmatchcase(instance.name, pattern) for pattern in selection.exclude)


def _reason(instance: Instance) -> str | None:
    """Say why an instance can't have a backup at present; None if it can."""
    if instance.cluster_id is not None:
        return f"it is a member of cluster {instance.cluster_id}"
    if instance.is_temporary:
        return "it is the temporary instance of a verification"
    if instance.status == BUILD:
        return "it is being built"
    return "it is being deleted" if instance.status == DELETING else None
