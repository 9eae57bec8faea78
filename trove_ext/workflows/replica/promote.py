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


"""A switchover, a planned switch: a replica becomes the source of its set.

Trove checks neither the source nor the siblings (``trove/instance/models.py``,
``promote_to_replica_source``), and a promote that fails leaves the whole set in
ERROR. So everything is checked first, and all problems are reported together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, TroveExtError
from trove_ext.follow_up import Problem
from trove_ext.model import recovery
from trove_ext.model.replication import promoted
from trove_ext.trove import conditions, send
from trove_ext.workflows.replica import heartbeat, preflight, sets, switch_report
from trove_ext.workflows.replica.probe import advice, probe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.fence import FencePlan
    from trove_ext.workflows.replica.probe import Probed
    from trove_ext.workflows.replica.switch_report import Switch


@dataclass(frozen=True, slots=True)
class PromotePlan:
    """A promote that passed its checks.

    :ivar checks: the passed checks, as texts
    :ivar probed: whether it was proved that the target replicates
    :ivar risks: what may be lost or left wrong on this engine, if the Python library
        made the plan; empty for MySQL and MariaDB
    :ivar fence: how writes are stopped during it; None not to stop them
    """

    set: ReplicationSet
    source: Instance
    target: Instance
    checks: tuple[str, ...]
    probed: bool
    risks: tuple[str, ...] = ()
    fence: FencePlan | None = None

    @property
    def what(self) -> str:
        """The promote, for messages."""
        return f"promote of {self.target}"


def check(cloud: Cloud, name_or_id: str, *, with_probe: bool = False) -> PromotePlan:
    """Check every member; report all problems, member by member.

    :param with_probe: prove that the target replicates, by a database that is created
        on the source and dropped; only if all other checks pass
    :raises CheckError: something is wrong; nothing was changed
    """
    plan = check_members(cloud, sets.find(cloud, name_or_id))
    return prove(cloud, plan) if with_probe else plan


def check_members(
    cloud: Cloud, membership: sets.Membership, more: Iterable[str | Problem] = ()
) -> PromotePlan:
    """Check every member of a set that was read.

    :param more: what is wrong besides, to be reported with the rest
    :raises CheckError: something is wrong; nothing was changed
    """
    found, target, source = sets.replica_set(membership, "promote")
    problems = [*_problems(cloud, found, source), *more]
    if problems:
        raise CheckError(f"Can't promote {target}", problems)
    checks = (
        *(f"{member} is {member.state}" for member in found.members),
        f"all have the datastore version {source.datastore_version}",
        "no backup is running",
    )
    return PromotePlan(found, source, target, checks, probed=False)


def prove(cloud: Cloud, plan: PromotePlan) -> PromotePlan:
    """Prove that the target replicates, by a database that is created and dropped.

    :returns: the plan with the proof among its checks
    :raises CheckError: it does not replicate, or can't be probed
    """
    proof = _proof(cloud, plan.source, plan.target)
    return replace(plan, checks=(*plan.checks, proof), probed=True)


def _problems(
    cloud: Cloud, found: ReplicationSet, source: Instance
) -> list[str | Problem]:
    silent = heartbeat.behind(found.members)
    return [
        *(
            problem
            for member in found.members
            for problem in preflight.problems(cloud, member, source, silent)
        ),
        *preflight.same_version(found.members, source),
        *found.oddities,
    ]


def _proof(cloud: Cloud, source: Instance, target: Instance) -> str:
    try:
        probed = probe(cloud, source, [target])[0]
    except TroveExtError as exc:
        raise CheckError(
            f"Can't promote {target}",
            [Problem(f"{source} can't be probed: {exc}", exc.follow_ups)],
        ) from exc
    if not probed.ok:
        raise CheckError(f"Can't promote {target}", [unproved(cloud, probed)])
    return f"{target} replicates: the probe arrived after {probed.seconds:.1f} s"


def unproved(cloud: Cloud, probed: Probed) -> Problem:
    """Describe that a replica does not replicate, with what helps on its engine."""
    return Problem(probed.describe(), tuple(advice(cloud, [probed])))


def submit(cloud: Cloud, plan: PromotePlan) -> ReplicationSet:
    """Send the promote, once.

    :returns: the set as it was read right before: its faults then explain nothing that
        happens later
    :raises RefusedError: Trove refuses it; nothing was changed
    """
    before = sets.read_again(cloud, plan.set)
    manager = cloud.client.instances
    send.act(
        cloud,
        plan.what,
        plan.target,
        lambda: manager.promote_to_replica_source(plan.target.id),
    )
    return before


def follow(
    cloud: Cloud, before: ReplicationSet, target: Instance, deadline: Deadline
) -> Switch:
    """Wait until the roles have changed, and read them again.

    :param before: the set as read right before the promote was sent
    :param target: the replica that was promoted
    :returns: the current set, with an error if it is not as it should be
    """
    target = next((each for each in before.members if each.id == target.id), target)
    others = [each for each in before.members if each.id != target.id]
    waited = cloud.wait(conditions.promoted(cloud, target, others), deadline)
    source = before.source or target
    what = f"The promote of {target}"

    def diagnose(
        members: tuple[Instance, ...], silent: frozenset[str]
    ) -> recovery.Diagnosis:
        case = recovery.Case(source, target, members, silent, before.members)
        return switch_report.after_promote(cloud, case)

    switch = switch_report.report(cloud, what, before, waited, diagnose)
    wrong = wrong_roles(switch.members, target.id)
    if switch.error is None and wrong:
        diagnosis = diagnose(switch.members, heartbeat.behind(switch.members))
        return switch_report.unverified(what, switch, wrong, diagnosis)
    return switch


def wrong_roles(members: tuple[Instance, ...], source_id: str) -> str:
    """Describe the members with a wrong role; empty if there are none."""
    wrong = [
        f"{member} is {recovery.role_of(member, members)}"
        for member in members
        if member.replica_of != (None if member.id == source_id else source_id)
    ]
    return ", ".join(wrong)


def planned_roles(plan: PromotePlan) -> dict[str, str]:
    """Return the planned roles of the members, as texts by ID."""
    members = promoted(plan.set, plan.target.id).members
    return {member.id: recovery.role_of(member, members) for member in members}
