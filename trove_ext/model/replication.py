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


"""Replication sets: a source and its replicas, from instances as Trove lists them.

``replica_of`` of a replica and ``replicas`` of its source are one fact in Trove's
database (``trove/instance/models.py``, ``SimpleInstance.slaves``), but a promote
changes it member by member, and pages of a list are read one after the other. So
instances that are linked by either are one set, and inconsistencies are reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.model.status import SWITCHING_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trove_ext.model.instance import Instance


@dataclass(frozen=True, slots=True)
class ReplicationSet:
    """A source and its replicas.

    :ivar source: None if it is deleted or ambiguous
    :ivar replicas: all other members, by name
    :ivar oddities: inconsistencies, as texts
    """

    source: Instance | None
    replicas: tuple[Instance, ...]
    oddities: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[Instance, ...]:
        """The source, if there is one, and the replicas."""
        return (*([self.source] if self.source else []), *self.replicas)

    @property
    def is_settled(self) -> bool:
        """Whether it is consistent, and no member has an operation in progress."""
        return not self.oddities and all(member.is_settled for member in self.members)


def replication_sets(instances: Iterable[Instance]) -> list[ReplicationSet]:
    """Group instances by set; those that are in no set are left out.

    :returns: ordered by the name of the source
    """
    known = {member.id: member for member in instances}
    sets = [_made_of(group, known) for group in _groups(known)]
    return sorted(
        sets,
        key=lambda replica_set: (
            replica_set.members[0].name,
            replica_set.members[0].id,
        ),
    )


def promoted(before: ReplicationSet, target_id: str) -> ReplicationSet:
    """Return the planned set after a replica has become its source.

    :raises ValueError: it is no replica of this set
    """
    target = next((rep for rep in before.replicas if rep.id == target_id), None)
    if target is None:
        raise ValueError(f"{target_id} is no replica of this set")
    others = [member for member in before.members if member.id != target_id]
    ids = tuple(other.id for other in others)
    return ReplicationSet(
        replace(target, replica_of=None, replicas=ids),
        tuple(replace(member, replica_of=target_id, replicas=()) for member in others),
    )


def _groups(known: dict[str, Instance]) -> Iterator[list[Instance]]:
    """Yield the instances that are linked, two at least or one with a lost source.

    The links are followed in both directions.
    """
    links: dict[str, set[str]] = {instance_id: set() for instance_id in known}
    for instance in known.values():
        ends = [instance.replica_of, *instance.replicas]
        for end in (end for end in ends if end in known):
            links[instance.id].add(str(end))
            links[str(end)].add(instance.id)
    seen: set[str] = set()
    for start, instance in known.items():
        if start in seen:
            continue
        group = _reachable(start, links)
        seen |= group
        if len(group) > 1 or instance.replica_of or instance.replicas:
            yield [known[member] for member in group]


def _reachable(start: str, links: dict[str, set[str]]) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        new = links[todo.pop()] - found
        found |= new
        todo += new
    return found


def _made_of(group: list[Instance], known: dict[str, Instance]) -> ReplicationSet:
    source = _source(group)
    rest = [member for member in group if source is None or member.id != source.id]
    replicas = tuple(sorted(rest, key=lambda member: (member.name, member.id)))
    oddities = tuple(_oddities(source, replicas, known))
    return ReplicationSet(source, replicas, oddities)


def _source(group: list[Instance]) -> Instance | None:
    """Return the member without a source that most others replicate from."""
    free = [member for member in group if member.replica_of is None]
    followers = {
        member.id: sum(other.replica_of == member.id for other in group)
        for member in free
    }
    ranked = sorted(free, key=lambda member: (-followers[member.id], member.id))
    if len(ranked) > 1 and followers[ranked[0].id] == followers[ranked[1].id]:
        return None
    return ranked[0] if ranked else None


def _oddities(
    source: Instance | None,
    replicas: tuple[Instance, ...],
    known: dict[str, Instance],
) -> Iterator[str]:
    members = (*([source] if source else []), *replicas)
    names = ", ".join(map(str, members))
    if any(member.status in SWITCHING_STATUSES for member in members):
        yield f"the roles of {names} are being changed, or a change has not ended"
    listed_by = _listed_by(members)
    for replica in replicas:
        listing = listed_by.get(replica.id, set())
        claims = listing | ({replica.replica_of} if replica.replica_of else set())
        above = known.get(replica.replica_of or "")
        if replica.replica_of and above is None:
            yield f"{replica} is a replica of {replica.replica_of}, which is not there"
        elif len(claims) > 1:
            sources = ", ".join(sorted(claims))
            yield f"{replica} is claimed by several sources: {sources}"
        elif above is None:
            yield f"{replica} replicates from nobody, but is linked with {names}"
        elif above.replica_of:
            yield f"{replica} is a replica of a replica, {above}"
        elif not listing:
            yield f"{replica} replicates from {above}, which doesn't list it"


def _listed_by(members: Iterable[Instance]) -> dict[str, set[str]]:
    """Return for each replica the IDs of the members that list it as their replica."""
    listed_by: dict[str, set[str]] = {}
    for member in members:
        for replica_id in member.replicas:
            listed_by.setdefault(replica_id, set()).add(member.id)
    return listed_by
