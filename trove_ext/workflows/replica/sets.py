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


"""Replica sets, from the list of instances or from one of their members.

The list has the role and the fault of every instance (``instances/detail``), so all
sets of a project cost one request for each 20 instances. A single set, given by an ID,
costs a request for each member.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, NotFoundError
from trove_ext.model.replication import ReplicationSet, replication_sets
from trove_ext.trove import find as find_one
from trove_ext.trove import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Membership:
    """An instance and its set; None if it is in none."""

    instance: Instance
    set: ReplicationSet | None


def read_sets(
    cloud: Cloud, *, all_projects: bool = False, project_id: str | None = None
) -> list[ReplicationSet]:
    """Read all sets of the project: one request for each 20 instances.

    :param all_projects: those of all projects; admin only
    :param project_id: those of another project; admin only
    """
    instances = read.list_instances(
        cloud, all_projects=all_projects, project_id=project_id
    )
    return list(replication_sets(instances))


def find(cloud: Cloud, name_or_id: str) -> Membership:
    """Find an instance by ID, or by name on any page, together with its set.

    :raises NotFoundError: there is none
    :raises AmbiguousNameError: several have the name; lists their IDs
    """
    finder = find_one.instances(cloud)
    instance = finder.find(name_or_id)
    if finder.listed is None:
        return of(cloud, instance)
    return Membership(instance, set_with(instance, finder.listed))


def of(cloud: Cloud, instance: Instance) -> Membership:
    """Read the set of an instance, from any member, with one request a member."""
    members = {instance.id: instance}
    source = instance
    if instance.replica_of is not None:
        found = read_members(cloud, [instance.replica_of])
        members |= {instance.id: instance for instance in found}
        source = found[0] if found else instance
    missing = [replica for replica in source.replicas if replica not in members]
    members |= {member.id: member for member in read_members(cloud, missing)}
    return Membership(instance, set_with(instance, members.values()))


def read_members(cloud: Cloud, ids: Iterable[str]) -> list[Instance]:
    """Read the current state of instances, without deleted ones."""
    found = []
    for instance_id in ids:
        try:
            found.append(read.get_instance(cloud, instance_id))
        except NotFoundError:
            continue
    return found


def read_again(cloud: Cloud, found: ReplicationSet) -> ReplicationSet:
    """Read the current members of a set; a deleted one is kept as it was."""
    now = {each.id: each for each in read_members(cloud, [m.id for m in found.members])}
    source = now.get(found.source.id, found.source) if found.source else None
    replicas = tuple(now.get(each.id, each) for each in found.replicas)
    return ReplicationSet(source, replicas, found.oddities)


def set_with(
    instance: Instance, instances: Iterable[Instance]
) -> ReplicationSet | None:
    """Return the set that an instance is a member of."""
    for replica_set in replication_sets(instances):
        if instance.id in {member.id for member in replica_set.members}:
            return replica_set
    return None


def replica_set(
    membership: Membership, what: str
) -> tuple[ReplicationSet, Instance, Instance]:
    """Return the set of a replica, the replica and its source.

    :param what: the operation, for messages: "promote"
    :raises CheckError: it is no replica, or its source is gone
    """
    instance, found = membership.instance, membership.set
    if instance.replica_of is None:
        raise CheckError(f"Can't {what} {instance}", [_no_replica(found)])
    if found is None or found.source is None:
        raise CheckError(
            f"Can't {what} {instance}",
            [f"its source {instance.replica_of} can't be found"],
        )
    return found, instance, found.source


def _no_replica(found: ReplicationSet | None) -> str:
    if found is None:
        return "it is not a replica"
    return f"it is the source of {listed(found.replicas)}, not a replica"


def listed(instances: Sequence[Instance]) -> str:
    """Join the names of instances."""
    return ", ".join(map(str, instances))
