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


"""Detach replicas from their sets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    RefusedError,
    ResourceFailedError,
    TroveExtError,
)
from trove_ext.follow_up import Action, FollowUp, Verb, to
from trove_ext.model import status as statuses
from trove_ext.model.status import DETACH
from trove_ext.trove import (
    conditions,
    configuration_groups,
    find,
    send,
    wait_report,
)
from trove_ext.trove.client import is_refusal
from trove_ext.workflows.replica import fence_lift, preflight, sets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Deadline, Outcome
    from trove_ext.trove.client import Cloud

BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Detached:
    """A replica after its detach.

    :ivar error: what went wrong
    """

    instance: Instance
    error: TroveExtError | None = None


def check(cloud: Cloud, name_or_id: str) -> tuple[Instance, ReplicationSet]:
    """Find a replica that can be detached, and its set.

    A fence that a killed promote has left is lifted first: the only change.

    :raises CheckError: it is none, or not settled; nothing was changed
    """
    return _checked(cloud, sets.find(cloud, name_or_id), lift=True)


def check_each(
    cloud: Cloud, names_or_ids: Sequence[str], *, lift: bool = True
) -> tuple[list[tuple[Instance, ReplicationSet]], list[TroveExtError]]:
    """Find replicas that can be detached, each with its set, as `check` does.

    :param lift: lift a fence that is left; False to change nothing
    :returns: those that can be, and what is wrong with the others
    """
    found, problems = find.instances(cloud).each(names_or_ids)
    good = []
    for instance in found:
        try:
            membership = sets.of(cloud, instance)
            good.append(_checked(cloud, membership, lift=lift))
        except CheckError as exc:
            problems.append(exc)
    return good, problems


def _checked(
    cloud: Cloud, membership: sets.Membership, *, lift: bool
) -> tuple[Instance, ReplicationSet]:
    if lift:
        membership = fence_lift.lifted(cloud, membership)
    found, replica, source = sets.replica_set(membership, "detach")
    problems = list(preflight.problems(cloud, replica, source, frozenset()))
    if problems:
        raise CheckError(f"Can't detach {replica}", problems)
    return replica, found


def submit(cloud: Cloud, replica: Instance) -> Instance:
    """Send the detach, once.

    :returns: what to `follow`: the replica, with the fault that it had before
    :raises RefusedError: Trove refuses it; nothing was changed
    """
    manager = cloud.client.instances
    before = next(iter(sets.read_members(cloud, [replica.id])), replica)
    return send_once(
        cloud, before, lambda: manager.update(before.id, detach_replica_source=True)
    )


def submit_each(
    cloud: Cloud, replicas: Sequence[Instance]
) -> tuple[list[Instance], list[TroveExtError]]:
    """Send a detach for each; see `submit`.

    :returns: what to `follow_each`, and the errors of those that were not sent
    """
    sent, problems = [], []
    for replica in replicas:
        try:
            sent.append(submit(cloud, replica))
        except TroveExtError as exc:
            problems.append(exc)
    return sent, problems


def error_of(errors: Sequence[TroveExtError], total: int) -> TroveExtError | None:
    """Return the error to end with: a time-out only if there is nothing else.

    :param errors: of the replicas that were not detached
    :param total: how many replicas there were in all
    """
    if not errors or total == 1:
        return errors[0] if errors else None
    return wait_report.joined(
        errors,
        f"{len(errors)} of {total} were not detached.",
        [to("see which roles they have", Action(Verb.LIST_INSTANCES))],
    )


def send_once(cloud: Cloud, before: Instance, call: Callable[[], object]) -> Instance:
    """Send a detach, and determine whether Trove had begun it before a refusal.

    Some releases (`configuration_groups.warn_if_lost`) store the task, start the detach
    and then refuse the change of the configuration group in the same request, with 400.

    :param before: the replica as read right before
    :returns: what to `follow`: the replica, with the fault that it had before
    :raises RefusedError: Trove refuses it; nothing was changed
    """
    try:
        send.act(cloud, f"detach of {before}", before, call)
    except RefusedError as exc:
        if before.replica_of is None or not is_refusal(exc, BAD_REQUEST):
            raise
        now = next(iter(sets.read_members(cloud, [before.id])), before)
        if now.status != DETACH and now.replica_of is not None:
            raise
        cloud.progress.note(f"{exc}\nThe detach has begun nevertheless.")
        # Trove has stored its refusal as the fault of the instance.
        return replace(before, fault=now.fault)
    return before


def follow(cloud: Cloud, replica: Instance, deadline: Deadline) -> Detached:
    """Wait until the replica replicates from no other, and read it again.

    After a failed detach Trove reports ACTIVE again, with the old role.

    :param replica: as `submit` or `send_once` returned it
    """
    return follow_each(cloud, [replica], deadline)[0]


def follow_each(
    cloud: Cloud, replicas: Sequence[Instance], deadline: Deadline
) -> list[Detached]:
    """Wait for several replicas together; see `follow`."""
    targets = [conditions.is_detached(cloud, replica) for replica in replicas]
    waited = cloud.wait(targets, deadline) if targets else []
    return [
        _followed(cloud, replica, outcome)
        for replica, outcome in zip(replicas, waited, strict=True)
    ]


def _followed(cloud: Cloud, replica: Instance, outcome: Outcome) -> Detached:
    now = sets.read_members(cloud, [replica.id])
    error = wait_report.error_of([outcome])
    if not now:
        return Detached(replica, error)
    configuration_groups.warn_if_lost(cloud, replica, now[0])
    if isinstance(error, ResourceFailedError):
        follow_ups = [*error.follow_ups, *_advice(now[0])]
        error = ResourceFailedError(
            f"{error}\n{_state(replica, now[0])}", follow_ups=follow_ups
        )
    return Detached(now[0], error)


def _state(before: Instance, now: Instance) -> str:
    cause = statuses.new_fault(before.fault, now.fault)
    fault = statuses.explain(cause, now.fault)
    role = f"still a replica of {now.replica_of}" if now.replica_of else "no replica"
    return (
        f"{now} is {role}, {now.state}, likely "
        f"{'read-only' if now.replica_of else 'writable'}, fault: {fault}"
    )


def _advice(now: Instance) -> tuple[FollowUp, FollowUp]:
    return (
        to(
            "try again once its database answers",
            Action(Verb.DETACH_REPLICA, (now.id,), wait=True),
        ),
        preflight.delete_member(now),
    )
