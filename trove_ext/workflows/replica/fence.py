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

"""A fence: the writes of a replica set are stopped by a configuration group.

Trove does not stop the writes on a PostgreSQL source before it promotes a replica
(:mod:`trove_ext.model.engine`). A group with ``default_transaction_read_only`` does: it
is dynamic, and Trove attaches it to the source and to all replicas that have none
(``trove/instance/service.py``, ``_modify_instance``). What passes: a transaction that
was open before, until its next statement after a pause, and a client that sets its own
transactions to read-write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import LostAnswerError, ResourceFailedError
from trove_ext.follow_up import Action, FollowUp, Problem, Verb, or_to, to
from trove_ext.model import status as statuses
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import configuration_changes, configuration_groups
from trove_ext.workflows.replica import sets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.trove.client import Cloud
    from trove_ext.trove.configuration_groups import Group

#: The name of a group of this project's own; the ID of the source follows.
PREFIX = "trove-ext-fence-"
READ_ONLY = "default_transaction_read_only"
#: Ends transactions that were open before the fence, and do nothing: milliseconds.
IDLE = "idle_in_transaction_session_timeout"
IDLE_LIMIT = 2000
UP: dict[str, Any] = {READ_ONLY: True, IDLE: IDLE_LIMIT}
DOWN: dict[str, Any] = {READ_ONLY: False, IDLE: 0}
#: Seconds to wait for the effect of an attach whose response was lost.
ATTACH_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class FencePlan:
    """How the writes of a set will be stopped.

    :ivar group: a group that all members have; None to make one
    :ivar has_tls: the group can't be detached afterwards: Trove keeps ``ssl = on`` in
        the same file (``trove/guestagent/datastore/postgres/manager.py``,
        ``_enable_ssl_certificate_impl``), which a detach removes
    """

    group: Group | None = None
    has_tls: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence that is up, or may be.

    :ivar values: what the group had before, if it is the set's own
    """

    group: Group
    has_tls: bool
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether the group was made for a fence, and is removed with it."""
        return is_ours(self.group.name)


def is_ours(group_name: str | None) -> bool:
    """Whether a configuration group was made for a fence."""
    return (group_name or "").startswith(PREFIX)


def check(
    cloud: Cloud, found: ReplicationSet, source: Instance, target: Instance
) -> tuple[FencePlan, list[str | Problem]]:
    """Check whether a fence would reach every member, and could be lifted.

    Costs no change. A fence that is still up has to be lifted before.
    """
    members = found.members
    problems: list[str | Problem] = [
        *_busy(members),
        *_other_versions(members, source),
        *_other_groups(members, source, target),
    ]
    group = None
    if source.configuration_id and not problems:
        group = configuration_groups.get_group(cloud, source.configuration_id)
        if not is_ours(group.name):
            problems += _not_usable(cloud, group, members, source, target)
    has_tls = not problems and configuration_changes.has_tls(cloud, source)
    return FencePlan(group, has_tls), problems


def _busy(members: Sequence[Instance]) -> Iterator[Problem]:
    for member in members:
        if member.status == statuses.RESTART_REQUIRED:
            yield Problem(
                f"{member} is {member.state}: Trove changes no configuration before it "
                "was restarted",
                (
                    to(
                        f"restart {member.name}",
                        Action(Verb.RESTART_INSTANCE, (member.id,), wait=True),
                    ),
                ),
            )


def _other_versions(members: Sequence[Instance], source: Instance) -> Iterator[str]:
    """Yield the members that Trove would not attach the group to.

    It compares the ID of the datastore version (``trove/configuration/models.py``,
    ``Configuration.find``), after it has attached it to the source. The API shows name
    and number.
    """
    for member in members:
        if member.version_number != source.version_number:
            yield (
                f"{member} has number {member.version_number} of datastore version "
                f"{member.datastore_version}, the source {source.version_number}: a "
                "configuration group is for one of them only. Upgrade first, so that "
                "all are the same"
            )


def _other_groups(
    members: Sequence[Instance], source: Instance, target: Instance
) -> Iterator[Problem]:
    for member in members:
        if member.configuration_id == source.configuration_id:
            continue
        what = member.configuration_id or "none"
        yield Problem(
            f"{member} has another configuration group ({what}) than the source "
            f"({source.configuration_id or 'none'}), and can have only one: the writes "
            "on it can't be stopped",
            _two_ways(member if member.configuration_id else source, target),
        )


def _two_ways(member: Instance, target: Instance) -> tuple[FollowUp, ...]:
    return (
        to(
            "use one group for all members, or none",
            Action(Verb.DETACH_CONFIGURATION, (member.id,)),
            Action(Verb.RESTART_INSTANCE, (member.id,), wait=True),
        ),
        or_to(
            "stop the applications that write, and promote without a fence",
            Action(Verb.PROMOTE_REPLICA, (target.id,), wait=True, accept_loss=True),
        ),
    )


def _not_usable(
    cloud: Cloud,
    group: Group,
    members: Sequence[Instance],
    source: Instance,
    target: Instance,
) -> Iterator[Problem]:
    """Yield why the set's own group can't be the fence."""
    ids = {member.id for member in members}
    ways = _two_ways(source, target)
    others = configuration_changes.users(cloud, group) - ids
    if others:
        yield Problem(
            f"{source} has configuration group {group.name} ({group.id}), which other "
            f"instances have too ({', '.join(sorted(others))}): their writes would be "
            "stopped with it",
            ways,
        )
    if group.values.get(READ_ONLY):
        yield Problem(
            f"configuration group {group.name} ({group.id}) of {source} has "
            f"{READ_ONLY} on already, so its end would not be known",
            ways,
        )
    static = configuration_changes.needing_restart(cloud, source) & set(group.values)
    if static:
        yield Problem(
            f"configuration group {group.name} ({group.id}) of {source} has "
            f"{', '.join(sorted(static))}: Trove applies no change of such a group "
            "before a restart",
            ways,
        )


def put_up(
    cloud: Cloud, plan: FencePlan, found: ReplicationSet, source: Instance
) -> Fence:
    """Stop the writes on all members.

    :raises ResourceFailedError: not all members have the group now
    :raises ServiceError: Trove refuses it, or a member can't be reached; the fence may
        be up on a part of the set and has to be lifted
    """
    fence = _with_values(cloud, plan, found, source)
    if source.configuration_id is None:
        try:
            configuration_changes.attach(cloud, source, fence.group)
        except LostAnswerError as lost:
            _wait_until_attached(cloud, found, fence.group, lost)
    now = sets.read_members(cloud, [member.id for member in found.members])
    missing = [each for each in now if each.configuration_id != fence.group.id]
    if missing:
        raise ResourceFailedError(
            f"The promote was not sent: {sets.listed(missing)} did not get "
            f"configuration group {fence.group.name}, so writes are not stopped there."
        )
    return fence


def _wait_until_attached(
    cloud: Cloud, found: ReplicationSet, group: Group, lost: LostAnswerError
) -> None:
    """Wait until the set has the group: Trove goes on if nobody waits for its response.

    It asks one guest agent after the other, and stores each that has the group.

    :raises LostAnswerError: not all have it in time
    """
    ids = [member.id for member in found.members]

    def poll() -> Reading:
        now = sets.read_members(cloud, ids)
        there = [
            each
            for each in now
            if each.configuration_id == group.id
            and each.status != statuses.RESTART_REQUIRED
        ]
        text = f"on {len(there)} of {len(ids)} members"
        return Reading(Phase.DONE if len(there) == len(ids) else Phase.BUSY, text)

    cloud.progress.warn(f"{lost}. Waiting for its effect.")
    target = Target(f"Configuration group {group.name}", poll, None)
    if not all(end.ok for end in cloud.wait([target], cloud.deadline(ATTACH_PATIENCE))):
        raise lost


def _with_values(
    cloud: Cloud, plan: FencePlan, found: ReplicationSet, source: Instance
) -> Fence:
    """Give a group the values that stop writes; make it if there is none."""
    if plan.group is not None and is_ours(plan.group.name):
        configuration_changes.set_values(cloud, plan.group, UP)
        return Fence(plan.group, plan.has_tls)
    if plan.group is not None:
        configuration_changes.set_values(cloud, plan.group, {READ_ONLY: True})
        return Fence(plan.group, plan.has_tls, plan.group.values)
    group = unattached(cloud, found)
    if group is None:
        name = f"{PREFIX}{source.id}"
        group = configuration_changes.create(cloud, name, UP, source)
    else:
        configuration_changes.replace_values(cloud, group, UP)
    return Fence(group, plan.has_tls)


def unattached(cloud: Cloud, found: ReplicationSet) -> Group | None:
    """Return the group of an earlier fence that no member has any more."""
    names = {f"{PREFIX}{member.id}" for member in found.members}
    version = found.members[0].datastore_version
    groups = configuration_groups.list_groups(cloud)
    return next(
        (
            group
            for group in groups
            if group.name in names and group.datastore_version_name == version
        ),
        None,
    )
