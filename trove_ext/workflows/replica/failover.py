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


"""A failover, a forced switch for a source that is dead: Trove's eject.

Trove ejects only while the heartbeat of the source is stale, and checks that before it
changes anything (``trove/instance/models.py``, ``eject_replica_source``). It chooses
the new source itself, for which it asks every replica, and does not fence the old one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    RefusedError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, FollowUp, Problem, Verb, to
from trove_ext.model import recovery
from trove_ext.model import status as statuses
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import conditions, send, wait_report
from trove_ext.trove.client import is_refusal
from trove_ext.workflows.replica import (
    failover_detach,
    heartbeat,
    preflight,
    sets,
    switch_report,
)
from trove_ext.workflows.replica.promote import wrong_roles

if TYPE_CHECKING:
    from trove_ext.model.engine import Engine
    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.switch_report import Switch

BAD_REQUEST = 400
#: Trove's message while it still counts the source as alive.
CURRENT = "current heartbeat"


@dataclass(frozen=True, slots=True)
class FailoverPlan:
    """A failover that passed its checks.

    :ivar survivors: the replicas, of which Trove chooses the new source
    :ivar target: the replica that is detached to become it, if the engine can't eject
    :ivar wanted: the replica that is to be the new source in the end, if one was named
        on an engine that ejects: it is promoted unless Trove chooses it
    """

    set: ReplicationSet
    source: Instance
    survivors: tuple[Instance, ...]
    target: Instance | None = None
    wanted: Instance | None = None

    @property
    def what(self) -> str:
        """The failover, for messages."""
        if self.target is not None:
            return f"detach of {self.target}"
        return f"eject of {self.source}"

    @property
    def last_heard(self) -> str:
        """The time of the last heartbeat of the source."""
        return preflight.last_heard(self.source)


def check(cloud: Cloud, name_or_id: str, to_replica: str | None = None) -> FailoverPlan:
    """Determine whether the source is dead, and its replicas are not.

    Trove decides by the heartbeat of the source, which is watched for up to 45 s.

    :param to_replica: the replica that becomes the source (name or ID). On an engine
        that can't eject, it is detached, and has to be named if there are several
    :raises CheckError: the source is not dead, or Trove could not eject it; nothing
        was changed
    """
    membership = sets.find(cloud, name_or_id)
    source, found = membership.instance, membership.set
    if found is None or found.source is None or found.source.id != source.id:
        raise CheckError(f"Can't fail over from {source}", [_no_source(membership)])
    survivors = tuple(member for member in found.members if member.id != source.id)
    engine = cloud.engines.of(source.datastore)
    problems: list[str | Problem] = [
        *_source_problems(cloud, source, survivors),
        *found.oddities,
    ]
    target = wanted = None
    if not engine.ejects:
        target, more = failover_detach.choose(cloud, source, survivors, to_replica)
        problems += more
    else:
        problems += _survivor_problems(survivors)
        if to_replica is not None:
            wanted, more = failover_detach.named(source, survivors, to_replica)
            problems += more
    if problems:
        raise CheckError(f"Can't fail over from {source}", problems)
    return FailoverPlan(found, source, survivors, target, wanted)


def _no_source(membership: sets.Membership) -> str:
    instance, found = membership.instance, membership.set
    if instance.replica_of is None:
        return "it has no replicas"
    source = found.source if found else None
    return f"it is a replica of {source or instance.replica_of}; name the source"


def _source_problems(
    cloud: Cloud, source: Instance, survivors: tuple[Instance, ...]
) -> list[Problem]:
    if source.operating_status == statuses.NOT_HEARD:
        return []
    if source.id not in heartbeat.silent(cloud, [source]):
        return [_alive(cloud.engines.look(source.datastore), source, survivors)]
    return []


def _alive(
    engine: Engine, source: Instance, survivors: tuple[Instance, ...]
) -> Problem:
    harmless = ", which loses nothing" if engine.fences else ""
    promote = to(
        "promote a replica, if another instance is to be the source"
        if not source.is_settled
        else "promote a replica",
        *(
            Action(
                Verb.PROMOTE_REPLICA, (member.id,), wait=True, fence=not engine.fences
            )
            for member in survivors
        ),
        detail="choose one of them" if len(survivors) > 1 else "",
    )
    if source.is_settled:
        return Problem(
            f"{source} is {source.state} and its guest agent is heard: for a source "
            f"that works there is the planned switch (switchover){harmless}",
            (promote,),
        )
    steps = [preflight.start_database(source), promote]
    if recovery.needs_reset(source):
        steps.insert(
            0, FollowUp("reset its status", recovery.resets([source]), admin=True)
        )
    return Problem(
        f"{source} is {source.state}, but its guest agent is still heard; as long as "
        "that is so Trove can't eject it",
        tuple(steps),
    )


def _survivor_problems(survivors: tuple[Instance, ...]) -> list[Problem]:
    """Yield the replicas that would make the eject fail: Trove asks each of them."""
    silent = heartbeat.behind(survivors)
    problems = []
    for member in survivors:
        dead = member.operating_status == statuses.NOT_HEARD or member.id in silent
        if dead:
            problems.append(
                Problem(
                    f"{member}, a replica, was last heard at "
                    f"{preflight.last_heard(member)}. Trove asks every replica how far "
                    "it is, and puts the whole set in ERROR if one of them does not "
                    "answer: delete it first",
                    (preflight.delete_member(member),),
                )
            )
        elif member.operating_status == statuses.DATABASE_DOWN:
            problems.append(
                Problem(
                    f"{member}, a replica, is {member.state}: its database does not "
                    "run, and Trove asks every replica how far it is: start it first",
                    (preflight.start_database(member),),
                )
            )
        elif member.status in statuses.SWITCHING_STATUSES | {statuses.BACKUP}:
            problems.append(
                Problem(
                    f"{member}, a replica, is {member.state}: "
                    "wait until that has ended",
                    (preflight.until_settled(member),),
                )
            )
    return problems


def submit(
    cloud: Cloud, plan: FailoverPlan, deadline: Deadline | None
) -> ReplicationSet:
    """Send the eject; retry after Trove's 400 until the heartbeat is stale.

    :param deadline: None to send it only once
    :returns: the set as it was read right before: its faults then, to which each 400
        adds one, explain nothing that happens later
    :raises RefusedError: Trove refuses it for another reason, or still counts the
        source as alive
    :raises WaitTimeoutError: Trove still counts it as alive at the time-out
    :raises ResourceFailedError: the source is alive again
    """
    before = sets.read_again(cloud, plan.set)
    if deadline is None:
        try:
            _eject(cloud, plan)
        except RefusedError as exc:
            raise _explained(plan, exc) from exc
        return before
    ejection = _Ejection(cloud, plan, before)
    (waited,) = cloud.wait([ejection.target()], deadline)
    if waited.timed_out:
        raise WaitTimeoutError(
            f"{plan.source} was last heard at {plan.last_heard}, and after "
            f"{waited.elapsed:.0f} s Trove does not eject it yet. Nothing was changed.",
            follow_ups=wait_report.keep_waiting([waited.target]),
        )
    wait_report.raise_for([waited])
    return ejection.before


def _eject(cloud: Cloud, plan: FailoverPlan) -> None:
    manager = cloud.client.instances
    send.act(
        cloud,
        plan.what,
        plan.source,
        lambda: manager.eject_replica_source(plan.source.id),
    )


def _is_current(exc: RefusedError) -> bool:
    return is_refusal(exc, BAD_REQUEST) and CURRENT in exc.reason


def _explained(plan: FailoverPlan, exc: RefusedError) -> RefusedError:
    if not _is_current(exc):
        return exc
    return RefusedError(
        f"{exc}\n{plan.source} was last heard at {plan.last_heard}; Trove ejects it "
        "once that is long enough ago (90 s, unless the cloud has set another "
        "time). Nothing was changed.",
        status=exc.status,
        reason=exc.reason,
        follow_ups=[to("keep trying until then", again(plan))],
    )


def again(plan: FailoverPlan) -> Action:
    """Return the same failover, as a command that keeps trying."""
    return Action(
        Verb.FAIL_OVER,
        (plan.source.id,),
        wait=True,
        target_id=plan.wanted.id if plan.wanted else None,
    )


class _Ejection:
    """Retries the eject until Trove accepts it.

    :ivar before: the set as it was before the last attempt
    """

    def __init__(
        self, cloud: Cloud, plan: FailoverPlan, before: ReplicationSet
    ) -> None:
        self._cloud = cloud
        self._plan = plan
        self.before = before

    def target(self) -> Target:
        """Return what to wait for; each poll sends the eject."""
        source = self._plan.source
        return Target(f"Instance {source}", self._attempt, again(self._plan))

    def _attempt(self) -> Reading:
        try:
            _eject(self._cloud, self._plan)
        except RefusedError as exc:
            if not _is_current(exc):
                raise
            return self._still_current()
        return Reading(Phase.DONE, "eject accepted")

    def _still_current(self) -> Reading:
        plan = self._plan
        # Trove has stored its refusal as the fault of the source.
        now = next(iter(sets.read_members(self._cloud, [plan.source.id])), None)
        if now is not None:
            self.before = replace(self.before, source=now)
        if now is not None and now.heartbeat != plan.source.heartbeat:
            reason = (
                f"it is heard again since {preflight.last_heard(now)}, so it is not "
                "dead; nothing was changed"
            )
            return Reading(Phase.FAILED, now.state, reason)
        state = f"last heard {plan.last_heard}; Trove does not eject it yet"
        return Reading(Phase.BUSY, state)


def follow(
    cloud: Cloud, before: ReplicationSet, source: Instance, deadline: Deadline
) -> Switch:
    """Wait until every remaining member has its new role, and read them again.

    :param before: the set before the eject was sent
    :param source: the instance that was ejected, as it was then
    :returns: the current set, with an error if it is not as it should be
    """
    survivors = [member for member in before.members if member.id != source.id]
    waited = cloud.wait(conditions.ejected(cloud, source, survivors), deadline)
    what = f"The eject of {source}"

    def diagnose(
        members: tuple[Instance, ...], silent: frozenset[str]
    ) -> recovery.Diagnosis:
        case = recovery.Case(source, None, members, silent, before.members)
        return switch_report.after_eject(cloud, case)

    switch = switch_report.report(cloud, what, before, waited, diagnose)
    left = tuple(member for member in switch.members if member.id != source.id)
    new = recovery.new_source(left)
    wrong = wrong_roles(left, new.id) if new else "no replica has become the source"
    if switch.error is None and wrong:
        diagnosis = diagnose(switch.members, frozenset({source.id}))
        return switch_report.unverified(what, switch, wrong, diagnosis)
    return switch
