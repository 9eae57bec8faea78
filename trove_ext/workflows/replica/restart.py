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

"""Restart the members of a set one after the other, each proved before the next.

Trove restarts one instance and looks at no other (``trove/instance/models.py``,
``Instance.restart``): a restart of a whole set at once ends all of it, and no status
shows that a replica does not replicate any more.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, ResourceFailedError, TroveExtError
from trove_ext.follow_up import Action, Problem, Verb, merged, to
from trove_ext.model.status import ACTIVE, HEALTHY, RESTART_REQUIRED
from trove_ext.trove import conditions, find, read, send, wait_report
from trove_ext.workflows.replica import (
    fence_lift,
    fenced_promote,
    heartbeat,
    preflight,
    probe,
    promote,
    sets,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.promote import PromotePlan


class Order(enum.Enum):
    """Which members are restarted first."""

    REPLICAS_FIRST = "replicas-first"
    SOURCE_FIRST = "source-first"


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """What the user requests.

    :ivar member: any member of the set, name or ID
    :ivar pending: only the members that Trove reports as RESTART_REQUIRED
    :ivar switchover: make a replica the source before the source is restarted
    :ivar skip: members that are not restarted, names or IDs: those of an earlier run
    """

    member: str
    order: Order = Order.REPLICAS_FIRST
    pending: bool = False
    switchover: bool = False
    skip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RestartPlan:
    """A request that passed its checks.

    :ivar todo: the members to restart, in order
    :ivar skipped: the members that were named as not to be restarted
    :ivar switch: the promote before the source is restarted; None for none
    """

    request: RestartRequest
    set: ReplicationSet
    source: Instance
    todo: tuple[Instance, ...]
    skipped: tuple[Instance, ...]
    switch: PromotePlan | None = None

    def rest(self, sent: Collection[str]) -> Action:
        """Return the action that restarts the others.

        :param sent: the IDs of those whose restart was sent
        """
        skip = [*(each.id for each in self.skipped), *sent]
        return Action(
            Verb.RESTART_REPLICAS,
            (self.source.id,),
            skip=tuple(skip),
            source_first=self.request.order is Order.SOURCE_FIRST,
            pending=self.request.pending,
            switchover=self.request.switchover,
        )


@dataclass(frozen=True, slots=True)
class Restarted:
    """The result, as it was read last.

    :ivar restarted: the IDs of those that were restarted, and settled
    """

    members: tuple[Instance, ...]
    restarted: frozenset[str]
    probed: tuple[probe.Probed, ...]
    error: TroveExtError | None = None


@dataclass
class _Run:
    """A run in progress.

    :ivar source: the current one
    :ivar sent: the IDs of those whose restart was sent, in order
    """

    cloud: Cloud
    plan: RestartPlan
    deadline: Deadline
    source: Instance
    sent: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    probed: dict[str, probe.Probed] = field(default_factory=dict)


def check(cloud: Cloud, request: RestartRequest) -> RestartPlan:
    """Check every member, and what a switchover needs.

    With a switchover, a fence that a killed promote has left is lifted first: the only
    change.

    :raises CheckError: nothing was changed; lists all that is wrong
    """
    membership = sets.find(cloud, request.member)
    if request.switchover:
        membership = fence_lift.lifted(cloud, membership)
    found = membership.set
    what = f"Can't restart the set of {membership.instance}"
    if found is None or found.source is None:
        raise CheckError(what, [_no_set(membership.instance, found)])
    source = found.source
    skipped, problems = _skipped(cloud, found, request)
    problems += found.oddities
    plan = RestartPlan(request, found, source, _todo(found, request, skipped), skipped)
    silent = heartbeat.behind(found.members)
    for member in map(_as_running, found.members):
        problems += preflight.problems(cloud, member, source, silent)
    if not request.switchover or source not in plan.todo:
        if problems:
            raise CheckError(what, problems)
        return plan
    try:
        switch = _switch_plan(cloud, plan)
    except CheckError as exc:
        texts = {str(problem) for problem in problems}
        more = [each for each in exc.details if str(each) not in texts]
        raise CheckError(what, [*problems, *more]) from exc
    if problems:
        raise CheckError(what, problems)
    return replace(plan, switch=switch)


def _no_set(member: Instance, found: ReplicationSet | None) -> Problem:
    if found is not None:
        return Problem("; ".join(found.oddities) or "its source can't be found")
    alone = Action(Verb.RESTART_INSTANCE, (member.id,), wait=True)
    return Problem("it is in no replica set", (to("restart it alone", alone),))


def _skipped(
    cloud: Cloud, found: ReplicationSet, request: RestartRequest
) -> tuple[tuple[Instance, ...], list[str | Problem]]:
    """Return the members that are not restarted, and those that are no members."""
    members = {member.id: member for member in found.members}
    named = [find.instance(cloud, name) for name in request.skip]
    strange: list[str | Problem] = [
        f"{each} is not in the set of {found.source}"
        for each in named
        if each.id not in members
    ]
    ids = dict.fromkeys(each.id for each in named if each.id in members)
    return tuple(members[each] for each in ids), strange


def _todo(
    found: ReplicationSet, request: RestartRequest, skipped: Sequence[Instance]
) -> tuple[Instance, ...]:
    members: list[Instance] = [*found.replicas]
    if found.source is not None:
        first = request.order is Order.SOURCE_FIRST
        members.insert(0 if first else len(members), found.source)
    not_to_do = {member.id for member in skipped}
    return tuple(
        member
        for member in members
        if member.id not in not_to_do
        and (not request.pending or member.status == RESTART_REQUIRED)
    )


def _as_running(member: Instance) -> Instance:
    """Return a member as it is once it was restarted.

    Of one that waits for a restart, Trove does not report whether the database runs
    (``trove/instance/models.py``, ``SimpleInstance.operating_status``).
    """
    if member.status != RESTART_REQUIRED:
        return member
    return replace(member, status=ACTIVE, operating_status=HEALTHY)


def _switch_plan(cloud: Cloud, plan: RestartPlan) -> PromotePlan:
    """Check a promote as it will be when only the source is left to restart.

    A promote ends RESTART_REQUIRED: Trove overwrites the task. A fence is refused by a
    source that waits for a restart.

    :raises CheckError: something is wrong; lists all problems
    """
    engine = cloud.engines.of(plan.source.datastore)
    soon = {each.id for each in plan.todo if each != plan.source or engine.fences}

    def then(member: Instance) -> Instance:
        return _as_running(member) if member.id in soon else member

    found = replace(
        plan.set,
        source=then(plan.source),
        replicas=tuple(map(then, plan.set.replicas)),
    )
    membership = sets.Membership(then(_next_source(plan)), found)
    return fenced_promote.check_members(cloud, membership)


def _next_source(plan: RestartPlan) -> Instance:
    """Return the replica that takes over: one that was restarted, if there is one."""
    after = [each for each in plan.todo if each.id != plan.source.id]
    return next(iter([*after, *plan.skipped, *plan.set.replicas]))


def execute(cloud: Cloud, plan: RestartPlan, deadline: Deadline) -> Restarted:
    """Restart one after the other; end at the first that does not come back.

    If the run is interrupted, the journal has the action that goes on.
    """
    run = _Run(cloud, plan, deadline, plan.source)
    error: TroveExtError | None = None
    cloud.journal.continue_with(plan.rest(run.sent))
    try:
        if plan.skipped and plan.todo:
            ids = {each.id for each in plan.skipped} - {plan.source.id}
            _prove(run, [each for each in plan.set.replicas if each.id in ids])
        for member in plan.todo:
            if plan.switch is not None and member.id == plan.source.id:
                _switch(run, plan.switch)
            _restart(run, member)
    except TroveExtError as exc:
        error = _with_the_rest(run, exc)
    members = sets.read_members(cloud, [each.id for each in plan.set.members])
    cloud.journal.continue_with(None)
    return Restarted(
        tuple(members), frozenset(run.done), tuple(run.probed.values()), error
    )


def _restart(run: _Run, member: Instance) -> None:
    """Restart a member, wait for it, and prove that it replicates.

    After the one that was the source, all replicas are proved.

    :raises TroveExtError: it was not restarted, or something is wrong after it
    """
    cloud, plan = run.cloud, run.plan
    before = read.get_instance(cloud, member.id)
    source_id = None if member.id == run.source.id else run.source.id
    if before.replica_of != source_id:
        raise ResourceFailedError(
            f"The role of {before} has changed meanwhile, so it is not restarted."
        )
    restart = partial(cloud.client.instances.restart, before.id)
    send.act(cloud, f"restart of {before}", before, restart)
    run.sent.append(member.id)
    cloud.journal.continue_with(plan.rest(run.sent))
    settled = conditions.settled(cloud, before)
    wait_report.raise_for(cloud.wait([settled], run.deadline))
    run.done.add(member.id)
    was_source = member.id == plan.source.id
    _prove(run, _replicas(run) if was_source else [member])


def _replicas(run: _Run) -> list[Instance]:
    return [each for each in run.plan.set.members if each.id != run.source.id]


def _switch(run: _Run, switch: PromotePlan) -> None:
    """Make a replica that is proved to replicate the source.

    :raises TroveExtError: it is not the source
    """
    proved = run.probed.get(switch.target.id)
    if proved is None or not proved.ok:
        _prove(run, [switch.target])
    result = fenced_promote.run(run.cloud, switch, run.deadline)
    if result.error is not None:
        raise result.error
    run.source = result.source or switch.target
    run.cloud.progress.note(f"{run.source} is the source now.")


def _prove(run: _Run, replicas: Sequence[Instance]) -> None:
    """Prove that replicas replicate.

    :raises ResourceFailedError: one does not, or the source does not take writes
    """
    if not replicas:
        return
    proved = probe.probe(run.cloud, run.source, replicas)
    run.probed |= {each.replica.id: each for each in proved}
    bad = [each for each in proved if not each.ok]
    if bad:
        problems = [promote.unproved(run.cloud, each) for each in bad]
        raise ResourceFailedError(
            "\n".join(map(str, problems)),
            follow_ups=merged(problem.follow_ups for problem in problems),
        )


def _with_the_rest(run: _Run, error: TroveExtError) -> TroveExtError:
    """Name the members that are left, and the action that restarts them."""
    left = [each for each in run.plan.todo if each.id not in run.sent]
    if not left:
        return error
    error.follow_ups = (
        *error.follow_ups,
        to("restart the others after that", run.plan.rest(run.sent)),
    )
    return error.extended(f"Not restarted: {sets.listed(left)}.")


def planned(plan: RestartPlan) -> Iterator[str]:
    """Yield what would be done, in order, as texts."""
    for member in plan.todo:
        is_source = member.id == plan.source.id
        if is_source and plan.switch is not None:
            yield f"promote {plan.switch.target}"
        yield f"restart {member}{', the source' if is_source else ''}"
