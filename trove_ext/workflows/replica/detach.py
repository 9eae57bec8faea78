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


"""A replica leaves its set and serves by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, ResourceFailedError, TroveExtError
from trove_ext.trove import conditions, send, wait_report
from trove_ext.workflows.replica import preflight, sets

if TYPE_CHECKING:
    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Detached:
    """A replica after its detach.

    :ivar error: what went wrong
    """

    instance: Instance
    error: TroveExtError | None = None


def check(cloud: Cloud, name_or_id: str) -> tuple[Instance, ReplicationSet]:
    """Find a replica that can be detached, and its set.

    :raises CheckError: it is none, or not settled; nothing was changed
    """
    membership = sets.find(cloud, name_or_id)
    found, replica, source = sets.replica_set(membership, "detach")
    problems = list(preflight.problems(cloud, replica, source, frozenset()))
    if problems:
        raise CheckError(f"Can't detach {replica}", problems)
    return replica, found


def submit(cloud: Cloud, replica: Instance) -> None:
    """Send the detach, once.

    :raises RefusedError: Trove did not take it, and nothing was changed
    """
    manager = cloud.client.instances
    send.act(
        cloud,
        f"detach of {replica}",
        replica,
        lambda: manager.update(replica.id, detach_replica_source=True),
    )


def follow(cloud: Cloud, replica: Instance, deadline: Deadline) -> Detached:
    """Wait until the replica replicates from nobody, and read it again.

    Trove goes back to ACTIVE where the detach fails, with the role as it was.

    :param replica: as it was before the detach was sent
    """
    waited = cloud.wait([conditions.is_detached(cloud, replica)], deadline)
    now = sets.read_members(cloud, [replica.id])
    error = wait_report.error_of(cloud, waited)
    if not now:
        return Detached(replica, error)
    if isinstance(error, ResourceFailedError):
        error = ResourceFailedError(f"{error}\n{_advice(cloud, now[0])}")
    return Detached(now[0], error)


def _advice(cloud: Cloud, now: Instance) -> str:
    fault = now.fault.message if now.fault else "none stored"
    role = f"still a replica of {now.replica_of}" if now.replica_of else "no replica"
    delete = cloud.command("instance", "delete", now.id, "--wait")
    again = cloud.command("replica", "detach", now.id, "--wait")
    return (
        f"{now} is {role}, {now.state}, likely "
        f"{'read-only' if now.replica_of else 'writable'}, fault: {fault}\n"
        f"What to do: try again once its database answers:\n  {again}\n"
        f"or, where its host is dead, delete it:\n  {delete}"
    )
