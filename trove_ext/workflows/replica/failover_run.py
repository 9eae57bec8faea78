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


"""A failover from the eject to its end, and the report about it.

Trove chooses the new source. If the user wants another replica, that is promoted after
the eject has ended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, Verb, or_to, to
from trove_ext.model import recovery
from trove_ext.workflows.replica import failover, promote, sets

if TYPE_CHECKING:
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.failover import FailoverPlan
    from trove_ext.workflows.replica.switch_report import Switch


def planned_roles(plan: FailoverPlan) -> dict[str, str]:
    """Return the planned roles of the members, as texts by ID."""
    new = plan.target or plan.wanted
    if new is None:
        undecided = "replica source, or a replica of it"
        roles = {member.id: undecided for member in plan.survivors}
        return {**roles, plan.source.id: "no role"}
    # After a detach the others keep the old source.
    followed = plan.source.id if plan.target else new.id
    members = [
        replace(plan.source, replicas=()),
        *(
            replace(each, replica_of=None if each.id == new.id else followed)
            for each in plan.survivors
        ),
    ]
    return {each.id: recovery.role_of(each, members) for each in members}


def run(cloud: Cloud, plan: FailoverPlan, deadline: Deadline) -> Switch:
    """Eject the source of a plan, wait, and report the new one.

    :raises RefusedError, WaitTimeoutError, ResourceFailedError: see
        :func:`trove_ext.workflows.replica.failover.submit`
    """
    before = failover.submit(cloud, plan, deadline)
    switch = failover.follow(cloud, before, plan.source, deadline)
    if plan.wanted is not None and switch.error is None:
        switch = _promote_wanted(cloud, plan, plan.wanted, switch, deadline)
    elif plan.wanted is not None and isinstance(switch.error, WaitTimeoutError):
        then = to(
            "then promote the replica that you named, if Trove chose another",
            Action(Verb.PROMOTE_REPLICA, (plan.wanted.id,), wait=True),
        )
        error = switch.error
        more = WaitTimeoutError(str(error), follow_ups=(*error.follow_ups, then))
        switch = replace(switch, error=more)
    if switch.error is None:
        outcome(cloud, plan.source, switch, chosen=plan.wanted is None)
    return switch


def _promote_wanted(
    cloud: Cloud,
    plan: FailoverPlan,
    wanted: Instance,
    ejected: Switch,
    deadline: Deadline,
) -> Switch:
    """Promote the replica that was named, unless Trove has chosen it.

    :param ejected: the set after the eject
    :returns: the set after both; the error says which of them is done
    """
    chosen = ejected.source
    if chosen is None or chosen.id == wanted.id:
        return ejected
    cloud.progress.note(f"Trove chose {chosen}; promoting {wanted}.")
    error: TroveExtError | None
    try:
        promoting = promote.check(cloud, wanted.id)
        before = promote.submit(cloud, promoting)
        error = promote.follow(cloud, before, promoting.target, deadline).error
    except TroveExtError as exc:
        error = exc
    ids = [member.id for member in ejected.before.members]
    switch = replace(ejected, members=tuple(sets.read_members(cloud, ids)))
    if error is None:
        return switch
    text = (
        f"The eject is done, {chosen} has become the source. {not_fenced(plan.source)} "
        f"{wanted} was not promoted: {error}"
    )
    kind = type(error) if isinstance(error, WaitTimeoutError) else ResourceFailedError
    again = to(
        "promote it again", Action(Verb.PROMOTE_REPLICA, (wanted.id,), wait=True)
    )
    return replace(switch, error=kind(text, follow_ups=error.follow_ups or (again,)))


def not_fenced(source: Instance) -> str:
    """Describe that an ejected source is not fenced."""
    return (
        f"{source} is NOT fenced: should its host come back it takes writes that no "
        "other member gets. Keep applications away from it."
    )


def outcome(
    cloud: Cloud, source: Instance, switch: Switch, *, chosen: bool = True
) -> None:
    """Report the new source, and the state of the old one.

    :param source: the old one
    :param chosen: whether Trove chose the new one
    :raises ResourceFailedError: there is no new source
    """
    left = tuple(member for member in switch.members if member.id != source.id)
    new = recovery.new_source(left)
    if new is None:
        raise ResourceFailedError(f"No replica of {source} has become the source.")
    addresses = (
        ", ".join(address.address for address in new.addresses)
        or "not reported by Trove"
    )
    cloud.progress.note(
        f"{new} is the source now{'; Trove chose it' if chosen else ''}. Its "
        f"addresses: {addresses}. Point your applications there."
    )
    cloud.progress.warn(
        f"{not_fenced(source)} What was written to it last may not be on the new "
        "source: check that before you delete it.",
        to(
            "delete it and have another replica in its place",
            Action(Verb.REPLACE_REPLICA, (source.id,), source_id=new.id),
        ),
        or_to(
            "only delete it",
            Action(Verb.DELETE_INSTANCE, (source.id,), wait=True),
        ),
    )
