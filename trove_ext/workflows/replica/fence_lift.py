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

"""The end of a fence, also of one that a killed command has left.

The order is fixed. A change of the group ends whatever task its members have, so first
no member may be in a promote. The values are changed to "off", which works at once on
all members; then they are removed, because Trove demands a restart after a detach of
values (``trove/instance/models.py``, ``reset_configuration``); then the group is
detached, and deleted.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError, ResourceFailedError, TroveExtError
from trove_ext.follow_up import Action, Verb, to
from trove_ext.model import status as statuses
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import configuration_changes, configuration_groups
from trove_ext.workflows.replica import heartbeat, sets
from trove_ext.workflows.replica.fence import (
    DOWN,
    PREFIX,
    READ_ONLY,
    Fence,
    is_ours,
    unattached,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trove_ext.follow_up import FollowUp
    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.trove.client import Cloud

#: A fence that was changed less than this ago may be that of a running command.
GRACE = timedelta(seconds=90)
#: Seconds to wait for the end of a promote, or of another command.
PATIENCE = 900.0


def lift(cloud: Cloud, fence: Fence) -> None:
    """Let all members take writes again, and remove the group.

    :raises ResourceFailedError: writes are still stopped, on the members that are named
    """
    attached = attached_to(cloud, fence)
    if attached:
        try:
            values = DOWN if fence.is_ours else {READ_ONLY: False}
            configuration_changes.set_values(cloud, fence.group, values)
        except TroveExtError as exc:
            _lift_one_by_one(cloud, fence, attached, exc)
    try:
        _remove(cloud, fence)
    except TroveExtError as exc:
        cloud.progress.warn(
            f"Writes are possible again, but configuration group {fence.group.name} "
            f"is not removed yet: {exc}",
            *(again(member.id) for member in attached[:1]),
        )


def again(instance_id: str) -> FollowUp:
    """Return what lifts a fence, or removes what is left of it."""
    show = Action(Verb.SHOW_REPLICAS, (instance_id,))
    return to("lift the fence, or remove what is left of it", show)


def attached_to(cloud: Cloud, fence: Fence) -> list[Instance]:
    """Read the instances that have the group of a fence.

    They may be more than the set of a member shows: during a promote the replica that
    becomes the source has no role.
    """
    try:
        ids = configuration_changes.users(cloud, fence.group)
    except NotFoundError:
        return []
    return sets.read_members(cloud, sorted(ids))


def _lift_one_by_one(
    cloud: Cloud, fence: Fence, attached: Sequence[Instance], cause: TroveExtError
) -> None:
    """Detach the group from each member that can be reached.

    Trove stores the new values of a group before it asks the members. Without values a
    detach needs no restart.

    :raises ResourceFailedError: names those that can't be reached
    """
    if fence.is_ours and not fence.has_tls:
        replace_values = configuration_changes.replace_values
        _attempt(cloud, partial(replace_values, cloud, fence.group, {}))
        for member in sorted(attached, key=_is_source):
            _attempt(cloud, partial(configuration_changes.detach, cloud, member))
    left = attached_to(cloud, fence)
    if left:
        text = _still_up(fence, left, cause)
        raise ResourceFailedError(text, follow_ups=_ways_out(fence, left))


def _attempt(cloud: Cloud, change: Callable[[], object]) -> None:
    try:
        change()
    except TroveExtError as exc:
        cloud.progress.note(str(exc))


def _is_source(member: Instance) -> bool:
    """Sort by this: a detach takes the replicas along, and fails with the first."""
    return member.replica_of is None


def _still_up(fence: Fence, left: Sequence[Instance], cause: TroveExtError) -> str:
    dead = [member for member in left if member.id in _unreachable(left)]
    who = f" {sets.listed(dead)} can't be reached." if dead else ""
    return (
        f"Writes may still be stopped by configuration group {fence.group.name} on "
        f"{sets.listed(left)}: {cause}.{who}"
    )


def _unreachable(members: Sequence[Instance]) -> frozenset[str]:
    silent = heartbeat.behind(members)
    bad = {statuses.NOT_HEARD, statuses.DATABASE_DOWN}
    return silent | {each.id for each in members if each.operating_status in bad}


def _ways_out(fence: Fence, left: Sequence[Instance]) -> tuple[FollowUp, ...]:
    dead = [member for member in left if member.id in _unreachable(left)]
    deletes = (
        to(
            "delete what does not come back",
            *(Action(Verb.DELETE_INSTANCE, (each.id,), wait=True) for each in dead),
        ),
    )
    values = f'{{"{READ_ONLY}": false}}'
    change = Action(Verb.SET_PARAMETERS, (fence.group.id, values))
    rest = next((each for each in left if each not in dead), left[0])
    lift_it = again(rest.id) if fence.is_ours else to("lift the fence", change)
    return (*(deletes if dead else ()), lift_it)


def _remove(cloud: Cloud, fence: Fence) -> None:
    """Remove the values, or the group if it was made for the fence."""
    if not fence.is_ours:
        configuration_changes.replace_values(cloud, fence.group, fence.values)
        return
    attached = attached_to(cloud, fence)
    if attached and fence.has_tls:
        cloud.progress.note(
            f"Configuration group {fence.group.name} stays attached, with "
            f"{READ_ONLY} off: Trove keeps the settings of TLS in the same file, which "
            "a detach removes. The next fence uses it again."
        )
        return
    if attached:
        configuration_changes.replace_values(cloud, fence.group, {})
    for member in sorted(attached, key=_is_source, reverse=True):
        if member.id in {each.id for each in attached_to(cloud, fence)}:
            configuration_changes.detach(cloud, member)
    configuration_changes.delete(cloud, fence.group)


def lift_leftover(cloud: Cloud, members: Sequence[Instance]) -> bool:
    """Lift the fence that a killed command has left on a set, if there is one.

    Nothing is raised if that fails: what is wrong is a warning, with the commands.

    :returns: whether something was changed, so that members have to be read again
    """
    if not members or cloud.engines.look(members[0].datastore).fences:
        return False
    fence = _leftover(cloud, members)
    if fence is None:
        return False
    cloud.progress.warn(
        f"The writes on {sets.listed(members)} are stopped by configuration group "
        f"{fence.group.name}, of a promote that was not completed. It is lifted now."
    )
    if not _is_abandoned(cloud, fence):
        cloud.progress.warn(
            "A promote is still in progress, so the fence stays up.",
            again(members[0].id),
        )
        return False
    _report_errors(cloud, fence)
    try:
        lift(cloud, fence)
    except TroveExtError as exc:
        cloud.progress.warn(str(exc), *exc.follow_ups)
    return True


def lifted(cloud: Cloud, membership: sets.Membership) -> sets.Membership:
    """Lift what a killed command has left on a set; return the set as it is then."""
    found = membership.set
    # During a promote a member is in no set for a moment.
    members = found.members if found else (membership.instance,)
    if not lift_leftover(cloud, members):
        return membership
    now = sets.read_members(cloud, [membership.instance.id])
    return sets.of(cloud, now[0]) if now else membership


def _leftover(cloud: Cloud, members: Sequence[Instance]) -> Fence | None:
    for member in members:
        if member.configuration_id is None:
            continue
        try:
            group = configuration_groups.get_group(cloud, member.configuration_id)
        except TroveExtError as exc:
            if is_ours(member.configuration_name):
                cloud.progress.warn(
                    f"Writes on {member} may be stopped by configuration group "
                    f"{member.configuration_name}, of a promote that was not "
                    f"completed, and it can't be read: {exc}",
                    again(member.id),
                )
                return None
            continue
        is_up = bool(group.values.get(READ_ONLY))
        if not is_ours(group.name):
            if is_up:
                _name(cloud, member, Fence(group, has_tls=False))
            return None
        has_tls = configuration_changes.has_tls(cloud, member)
        return Fence(group, has_tls) if is_up or not has_tls else None
    return None


def _name(cloud: Cloud, member: Instance, fence: Fence) -> None:
    cloud.progress.warn(
        f"Configuration group {fence.group.name} ({fence.group.id}) of {member} has "
        f"{READ_ONLY} on, so writes are stopped. If nobody wants that, a promote with "
        "a fence was not completed.",
        *_ways_out(fence, [member])[-1:],
    )


def _is_abandoned(cloud: Cloud, fence: Fence) -> bool:
    """Wait until no member is in a promote, and no other command uses the fence."""

    def poll() -> Reading:
        now = attached_to(cloud, fence)
        if any(each.status in statuses.SWITCHING_STATUSES for each in now):
            return Reading(Phase.BUSY, "a promote is in progress")
        if not now:
            return Reading(Phase.DONE, "lifted by another command")
        try:
            group = configuration_groups.get_group(cloud, fence.group.id)
        except NotFoundError:
            return Reading(Phase.DONE, "lifted by another command")
        changed = group.updated or group.created
        if changed and cloud.clock.now() - changed < GRACE:
            return Reading(Phase.BUSY, "another command may be using it")
        return Reading(Phase.DONE, "no command uses it any more")

    target = Target(f"Fence {fence.group.name}", poll, None)
    return all(end.ok for end in cloud.wait([target], cloud.deadline(PATIENCE)))


def _report_errors(cloud: Cloud, fence: Fence) -> None:
    """Report the errors that the change of the group ends, without a repair."""
    for member in attached_to(cloud, fence):
        if member.status in statuses.FAILED_STATUSES:
            cloud.progress.warn(
                f"{member} was {member.state} ({member.failure_text}). Trove will "
                "report it as ACTIVE, which repairs nothing."
            )


def remove_unattached(cloud: Cloud, found: ReplicationSet) -> None:
    """Delete a group of ours that no member has; nothing is raised if that fails."""
    try:
        group = unattached(cloud, found)
        if group is not None:
            configuration_changes.delete(cloud, group)
    except TroveExtError as exc:
        cloud.progress.note(f"A configuration group {PREFIX}.. may be left: {exc}")
