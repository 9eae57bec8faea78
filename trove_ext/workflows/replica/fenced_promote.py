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

"""A promote with a fence: nothing that is acknowledged is lost.

Order: each replica is proved to replicate, the writes are stopped, a pause ends what
is in progress, Trove promotes, and the writes are possible again. The result is read
before the fence is lifted, which ends an error of Trove too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    LostAnswerError,
    ResourceFailedError,
    TroveExtError,
)
from trove_ext.follow_up import Action, Verb, merged, to
from trove_ext.model import status as statuses
from trove_ext.trove import configuration_changes, configuration_groups
from trove_ext.workflows.replica import (
    fence,
    fence_lift,
    probe,
    promote,
    sets,
)
from trove_ext.workflows.replica.fence import Fence

if TYPE_CHECKING:
    from trove_ext.follow_up import FollowUp
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.fence import FencePlan
    from trove_ext.workflows.replica.promote import PromotePlan
    from trove_ext.workflows.replica.switch_report import Switch

#: Seconds between the fence and the promote: transactions end, replicas catch up.
PAUSE = 5.0
#: The longest pause; :data:`trove_ext.workflows.replica.fence_lift.GRACE` is longer.
LONGEST_PAUSE = 30.0


def check(cloud: Cloud, name_or_id: str, *, with_fence: bool) -> PromotePlan:
    """Check every member, and whether a fence reaches it.

    A fence that an earlier command has left is lifted first: the only change.

    :param with_fence: ignored, with a note, if Trove itself stops the writes
    :raises CheckError: something is wrong; lists all problems
    """
    membership = fence_lift.lifted(cloud, sets.find(cloud, name_or_id))
    if not with_fence:
        return promote.check_members(cloud, membership)
    plan = check_members(cloud, membership)
    if plan.fence is None:
        title = cloud.engines.of(plan.source.datastore).title
        cloud.progress.note(
            f"A fence is not needed: with {title} Trove stops the writes itself."
        )
    return plan


def check_members(cloud: Cloud, membership: sets.Membership) -> PromotePlan:
    """Check every member of a set that was read, and whether a fence reaches it.

    :returns: a plan with a fence unless Trove itself stops the writes
    :raises CheckError: something is wrong; lists all problems
    """
    found, target, source = sets.replica_set(membership, "promote")
    if cloud.engines.of(source.datastore).fences:
        return promote.check_members(cloud, membership)
    fenced, problems = fence.check(cloud, found, source, target)
    plan = promote.check_members(cloud, membership, problems)
    return replace(plan, fence=fenced)


def run(
    cloud: Cloud, plan: PromotePlan, deadline: Deadline, *, pause: float = PAUSE
) -> Switch:
    """Prove, fence, promote, wait, and lift the fence, whatever happens.

    :param pause: seconds between the fence and the promote, at most LONGEST_PAUSE
    :returns: the set as it was read before the fence was lifted, with an error if it is
        not as it should be
    :raises ResourceFailedError: a replica does not replicate, or the fence did not
        reach all members; the promote was not sent
    """
    if plan.fence is None:
        before = promote.submit(cloud, plan)
        return promote.follow(cloud, before, plan.target, deadline)
    _prove_all(cloud, plan)
    announce(cloud, plan, plan.fence)
    up: Fence | None = None
    try:
        up = fence.put_up(cloud, plan.fence, plan.set, plan.source)
        cloud.progress.note(f"Writes are stopped on {sets.listed(plan.set.members)}.")
        cloud.clock.sleep(min(pause, LONGEST_PAUSE))
        _still_up(cloud, up)
        before = promote.submit(cloud, plan)
        switch = promote.follow(cloud, before, plan.target, deadline)
    except BaseException as exc:
        if up is None and _may_go_on(exc):
            _lower(cloud, plan, plan.fence)
        else:
            _after_a_failure(cloud, plan, plan.fence, up)
        raise
    return _lifted(cloud, up, switch)


def announce(cloud: Cloud, plan: PromotePlan, planned: FencePlan) -> None:
    """Name the command that lifts the fence, before it is up."""
    group, source = planned.group, plan.source
    lifts = [Action(Verb.SHOW_REPLICAS, (source.id,))]
    if group is not None and not fence.is_ours(group.name):
        values = f'{{"{fence.READ_ONLY}": false}}'
        lifts = [Action(Verb.SET_PARAMETERS, (group.id, values))]
    cloud.progress.note(
        f"The writes on {sets.listed(plan.set.members)} will be stopped until the "
        "promote has ended.",
        to("lift that fence if this command is killed", *lifts),
    )


def _prove_all(cloud: Cloud, plan: PromotePlan) -> None:
    """Prove that each replica replicates: one that lags differs afterwards.

    :raises ResourceFailedError: one does not, or can't be probed
    """
    source = plan.source
    replicas = [each for each in plan.set.members if each.id != source.id]
    what = f"The promote of {plan.target} was not sent"
    try:
        proved = probe.probe(cloud, source, replicas)
    except TroveExtError as exc:
        text = f"{what}: {source} can't be probed: {exc}"
        raise ResourceFailedError(text, follow_ups=exc.follow_ups) from exc
    bad = [probed for probed in proved if not probed.ok]
    if bad:
        problems = [promote.unproved(cloud, each) for each in bad]
        text = "\n".join([f"{what}:", *(f"  - {problem}" for problem in problems)])
        steps = merged(problem.follow_ups for problem in problems)
        raise ResourceFailedError(text, follow_ups=steps)


def _still_up(cloud: Cloud, up: Fence) -> None:
    """Check that nobody has lifted the fence during the pause.

    :raises ResourceFailedError: somebody has; the promote was not sent
    """
    now = configuration_groups.get_group(cloud, up.group.id)
    if not now.values.get(fence.READ_ONLY):
        raise ResourceFailedError(
            f"The promote was not sent: somebody has lifted the fence, configuration "
            f"group {now.name}."
        )


def _after_a_failure(
    cloud: Cloud, plan: PromotePlan, planned: FencePlan, up: Fence | None
) -> None:
    """Lift the fence, or name the command that does; raises nothing of its own."""
    try:
        now = sets.read_members(cloud, [each.id for each in plan.set.members])
        if any(each.status in statuses.SWITCHING_STATUSES for each in now):
            cloud.progress.warn(
                "The promote continues on the server, and the writes stay stopped.",
                _lift_command(plan.source, up),
            )
            return
        known = up or _attached_by_now(cloud, planned, now)
        if known is None:
            fence_lift.remove_unattached(cloud, plan.set)
        else:
            fence_lift.lift(cloud, known)
    except TroveExtError as exc:
        cloud.progress.warn(
            f"Writes may still be stopped: {exc}", _lift_command(plan.source, up)
        )


def _may_go_on(exc: BaseException) -> bool:
    """Whether Trove may still carry out what failed here: no response was read."""
    return isinstance(exc, LostAnswerError) or not isinstance(exc, TroveExtError)


def _lower(cloud: Cloud, plan: PromotePlan, planned: FencePlan) -> None:
    """Let the members write, and leave the group: Trove may still be attaching it.

    A member that gets it later gets the values that it has then. A group that is gone
    could not be changed on a member that had read them before. Raises nothing.
    """
    again = fence_lift.again(plan.source.id)
    try:
        now = sets.read_members(cloud, [each.id for each in plan.set.members])
        known = _attached_by_now(cloud, planned, now)
        group = known.group if known else fence.unattached(cloud, plan.set)
        if group is None:
            return
        values = fence.DOWN if fence.is_ours(group.name) else {fence.READ_ONLY: False}
        configuration_changes.set_values(cloud, group, values)
    except TroveExtError as exc:
        cloud.progress.warn(f"Writes may still be stopped: {exc}", again)
        return
    cloud.progress.warn(
        f"The fence is lifted. Trove may still be attaching configuration group "
        f"{group.name}, so it is not removed.",
        again,
    )


def _lift_command(source: Instance, up: Fence | None) -> FollowUp:
    if up is not None and not up.is_ours:
        values = f'{{"{fence.READ_ONLY}": false}}'
        return to("lift the fence", Action(Verb.SET_PARAMETERS, (up.group.id, values)))
    return to("lift the fence", Action(Verb.SHOW_REPLICAS, (source.id,)))


def _attached_by_now(
    cloud: Cloud, planned: FencePlan, now: list[Instance]
) -> Fence | None:
    """Return the fence if the request that failed has put it up on some members."""
    group = planned.group
    if group is not None:
        return Fence(group, planned.has_tls, group.values)
    for member in now:
        if fence.is_ours(member.configuration_name) and member.configuration_id:
            found = configuration_groups.get_group(cloud, member.configuration_id)
            return Fence(found, planned.has_tls)
    return None


def _lifted(cloud: Cloud, up: Fence, switch: Switch) -> Switch:
    """Lift the fence, and prove that the new source takes writes."""
    if any(each.status in statuses.SWITCHING_STATUSES for each in switch.members):
        source = switch.before.source or switch.members[0]
        cloud.progress.warn(
            "The promote has not ended, so the writes stay stopped.",
            _lift_command(source, up),
        )
        return switch
    try:
        fence_lift.lift(cloud, up)
        if switch.error is None:
            _prove_writes(cloud, switch)
    except TroveExtError as exc:
        text = f"{switch.error}\n{exc}" if switch.error else str(exc)
        steps = (*(switch.error.follow_ups if switch.error else ()), *exc.follow_ups)
        return replace(switch, error=ResourceFailedError(text, follow_ups=steps))
    if switch.error is None:
        cloud.progress.note("Writes are possible again.")
        return switch
    return replace(switch, error=_without_resets(switch.error))


def _prove_writes(cloud: Cloud, switch: Switch) -> None:
    source = switch.source
    if source is None:
        return
    replicas = [each for each in switch.members if each.id != source.id]
    bad = [each for each in probe.probe(cloud, source, replicas) if not each.ok]
    if bad:
        text = "\n".join(each.describe() for each in bad)
        raise ResourceFailedError(f"The promote has ended, but:\n{text}")


def _without_resets(error: TroveExtError) -> TroveExtError:
    """Drop the steps for an admin: the change of the group has ended the errors."""
    left = [each for each in error.follow_ups if not each.admin]
    note = (
        "Trove reports the members as ACTIVE now, because the fence was lifted; that "
        "repairs nothing."
    )
    return type(error)(f"{error}\n{note}", follow_ups=left)
