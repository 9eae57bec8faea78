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

"""A failover on an engine that can't eject: PostgreSQL. One replica is detached.

Trove's eject leaves every member in ERROR there (:mod:`trove_ext.model.engine`). A
detach is ``pg_promote`` on the replica, and needs nothing of the dead source
(``T:taskmanager/manager.py``, ``detach_replica``). It is not atomic: the other replicas
still belong to the old source, which nobody stops if its host comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import ResourceFailedError, TroveExtError
from trove_ext.follow_up import Action, Problem, Verb, to
from trove_ext.model import recovery, recovery_unfenced
from trove_ext.workflows.replica import (
    detach,
    fence_lift,
    preflight,
    probe,
    sets,
)
from trove_ext.workflows.replica.switch_report import Switch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud


def named(
    source: Instance, survivors: Sequence[Instance], to_replica: str | None
) -> tuple[Instance | None, list[str | Problem]]:
    """Return the replica that is wanted, or why it is not clear which.

    :param to_replica: name or ID; None for the only one
    """
    found = [each for each in survivors if each.id == to_replica] or [
        each for each in survivors if to_replica in {None, each.name}
    ]
    if len(found) == 1:
        return found[0], []
    if not found:
        return None, [f"{to_replica} is not a replica of {source}"]
    several = "is the name of several replicas" if to_replica else "is not named"
    problem = Problem(
        f"the replica that becomes the source {several}: Trove does not report which "
        "has the most data",
        (recovery_unfenced.fail_over(source, found),),
    )
    return None, [problem]


def choose(
    cloud: Cloud,
    source: Instance,
    survivors: Sequence[Instance],
    to_replica: str | None,
) -> tuple[Instance | None, list[str | Problem]]:
    """Return the replica that becomes the source, or what is wrong with it."""
    target, problems = named(source, survivors, to_replica)
    if target is None:
        return None, problems
    return target, [*preflight.problems(cloud, target, source, frozenset())]


def submit(cloud: Cloud, found: ReplicationSet, target: Instance) -> ReplicationSet:
    """Lift a fence that is left, and send the detach, once.

    :returns: the set as it was read right before the detach

    :raises RefusedError: Trove refuses it; nothing was changed
    """
    fence_lift.lift_leftover(cloud, found.members)
    before = sets.read_again(cloud, found)
    detach.submit(cloud, target)
    return before


def follow(
    cloud: Cloud,
    before: ReplicationSet,
    target: Instance,
    deadline: Deadline,
) -> Switch:
    """Wait for the detach, and prove that the replica takes writes."""
    ids = [member.id for member in before.members]
    target = next((each for each in before.members if each.id == target.id), target)
    detached = detach.follow(cloud, target, deadline)
    if detached.error is not None:
        return Switch(before, tuple(sets.read_members(cloud, ids)), detached.error)
    error: TroveExtError | None = None
    try:
        probe.probe(cloud, target, [])
    except TroveExtError as exc:
        text = f"{target} is detached, but it is not proved that it takes writes: {exc}"
        again = to("see whether it does", Action(Verb.LIST_DATABASES, (target.id,)))
        error = ResourceFailedError(text, follow_ups=[*exc.follow_ups, again])
    now = tuple(sets.read_members(cloud, ids))
    return Switch(before, now, error)


def outcome(cloud: Cloud, source: Instance, target: Instance, switch: Switch) -> None:
    """Report the new source, what is left of the set, and what to do about it."""
    new = next((each for each in switch.members if each.id == target.id), target)
    addresses = ", ".join(each.address for each in new.addresses)
    cloud.progress.note(
        f"{new} is the source now, and takes writes. Its addresses: "
        f"{addresses or 'not reported by Trove'}. Point your applications there. Its "
        "next backup has to be a full one."
    )
    others = [each for each in switch.members if each.id not in {source.id, target.id}]
    if others:
        cloud.progress.warn(
            f"{sets.listed(others)} still belong to {source}, and follow it if it "
            "comes back. They can't be attached to another source."
        )
    cloud.progress.warn(
        f"{source} is NOT fenced: should its host come back it takes writes that "
        f"{new} does not get. Keep applications away from it. What was written to it "
        f"last may not be on {new}: check that before you delete it.",
        # Trove refuses to delete a source that still has replicas.
        recovery.replaced([*others, source], new.id, ""),
    )
