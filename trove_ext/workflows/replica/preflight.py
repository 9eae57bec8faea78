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


"""The checks of every member before its set is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.follow_up import (
    Action,
    FollowUp,
    Problem,
    Verb,
    to,
    wait_for_instance,
)
from trove_ext.model import status as statuses
from trove_ext.trove import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud

WANTED = "ACTIVE/HEALTHY"


def problems(
    cloud: Cloud, member: Instance, source: Instance, silent: Collection[str]
) -> Iterator[Problem]:
    """Yield the problems of one member, with what to do about them.

    :param silent: the IDs of those whose heartbeat is far behind the others'
    """
    name = f"{member}, {'the source' if member.id == source.id else 'a replica'},"
    if not member.is_settled:
        why, follow_ups = _why(cloud, member, source)
        yield Problem(f"{name} is {member.state}, not {WANTED}: {why}", follow_ups)
    elif member.id in silent:
        yield Problem(
            f"{name} is {member.state}, but its guest agent was last heard at "
            f"{last_heard(member)}, long before the others: its host may be dead",
            _not_there(member, source),
        )


def same_version(members: Iterable[Instance], source: Instance) -> Iterator[str]:
    """Yield the members that have another datastore version than the source."""
    for member in members:
        if member.datastore_version != source.datastore_version:
            yield (
                f"{member} has datastore version {member.datastore_version}, "
                f"the source {source.datastore_version}: "
                "upgrade first, so that all are the same"
            )


def last_heard(member: Instance) -> str:
    """Format the time of the last heartbeat of a member."""
    beat = member.heartbeat
    return (
        beat.isoformat(timespec="seconds")
        if beat
        else "a time that Trove does not report"
    )


def _why(
    cloud: Cloud, member: Instance, source: Instance
) -> tuple[str, tuple[FollowUp, ...]]:
    if member.status in statuses.FAILED_STATUSES:
        return (
            f"{member.failure_text} (only an admin of the cloud can reset the status)",
            (),
        )
    if member.status == statuses.BACKUP:
        return f"{running_backup(cloud, member)}; wait until it has ended", ()
    if member.operating_status == statuses.DATABASE_DOWN:
        return "its database does not run", (start_database(member),)
    if member.operating_status == statuses.NOT_HEARD:
        return (
            f"its guest agent was last heard at {last_heard(member)}; its host may be "
            "dead"
        ), _not_there(member, source)
    if member.status == statuses.RESTART_REQUIRED:
        restart = Action(Verb.RESTART_REPLICAS, (member.id,), pending=True)
        return (
            "a change of its configuration waits for a restart",
            (to("restart the members that wait for it", restart),),
        )
    return "wait until it is settled", (until_settled(member),)


def start_database(member: Instance) -> FollowUp:
    """Return the follow-up that starts the database of a member."""
    restart = Action(Verb.RESTART_INSTANCE, (member.id,), wait=True)
    return to(f"start the database of {member.name}", restart)


def until_settled(member: Instance) -> FollowUp:
    """Return the follow-up that waits until a member is settled."""
    return to(f"wait until {member.name} is settled", wait_for_instance(member.id))


def delete_member(member: Instance) -> FollowUp:
    """Return the follow-up that deletes a member whose host is dead."""
    delete = Action(Verb.DELETE_INSTANCE, (member.id,), wait=True)
    return to(f"delete {member.name} if its host is dead", delete)


def _not_there(member: Instance, source: Instance) -> tuple[FollowUp, ...]:
    if member.id != source.id:
        return (delete_member(member),)
    failover = Action(Verb.FAIL_OVER, (member.id,), wait=True)
    return (to("replace a source whose host is dead", failover),)


def running_backup(cloud: Cloud, member: Instance) -> str:
    """Describe the backup that keeps a member busy."""
    running = [
        backup
        for backup in read.list_backups(cloud, instance_id=member.id)
        if backup.is_running
    ]
    names = ", ".join(map(str, running))
    return f"a backup is running ({names or 'it is not listed'})"
