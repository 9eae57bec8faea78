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

"""What a promote can't guarantee if the engine does not fence the old source.

Trove promotes PostgreSQL as it does MySQL, but the step that stops the writes does
nothing there, and the other replicas are attached without a comparison
(:mod:`trove_ext.model.engine`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.follow_up import Action, Verb, to
from trove_ext.model import replica_password
from trove_ext.trove import read

if TYPE_CHECKING:
    from trove_ext.follow_up import FollowUp
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.promote import PromotePlan


def of(cloud: Cloud, plan: PromotePlan) -> tuple[str, ...]:
    """Say what may be lost or left wrong by a promote; empty if nothing may.

    With a fence nothing is lost, and no member differs afterwards.
    """
    engine = cloud.engines.of(plan.source.datastore)
    password = [] if engine.first_replica_promotes else _password(cloud, plan)
    if plan.fence is not None:
        return tuple(password)
    risks = list(password)
    if not engine.fences:
        risks.append(
            f"With {engine.title} Trove does not stop the writes on {plan.source}: "
            "what it acknowledges until it is stopped is LOST. Stop every application "
            "that writes to it first."
        )
    siblings = siblings_of(plan)
    if siblings and not engine.siblings_follow:
        names = ", ".join(map(str, siblings))
        risks.append(
            f"Afterwards {names} may differ from {plan.target}, up to corrupt indexes, "
            "while being HEALTHY and replicating. Replace each of them."
        )
    if not engine.backs_up_replicas:
        risks.append(
            f"{plan.source} can't be backed up afterwards, and if it is promoted again "
            "its archiver may stop for ever. Replace it too."
        )
    return tuple(risks)


def _password(cloud: Cloud, plan: PromotePlan) -> list[str]:
    """Say that Trove may fail to promote the target, and what that leaves."""
    members = plan.set.members
    backups = [
        backup
        for member in members
        for backup in read.list_backups(cloud, instance_id=member.id)
    ]
    base = replica_password.old_base(plan.target, members, backups)
    if base is None:
        return []
    text = (
        f"{plan.target} is apparently built on {base}, from before {plan.source} had "
        "replicas. It lacks their password then: the promote FAILS, leaves every "
        f"member in ERROR, and both {plan.target} and {plan.source} take writes. Take "
        "a full backup, create another replica, and promote that one."
    )
    return [text]


def siblings_of(plan: PromotePlan) -> list[Instance]:
    """Return the members that change their source."""
    ends = {plan.source.id, plan.target.id}
    return [member for member in plan.set.members if member.id not in ends]


def report(cloud: Cloud, plan: PromotePlan) -> None:
    """Warn of each member that should be replaced after a promote, if any should.

    After one with a fence the other replicas are the same.
    """
    engine = cloud.engines.look(plan.source.datastore)
    if not engine.siblings_follow and plan.fence is None:
        for sibling in siblings_of(plan):
            cloud.progress.warn(
                f"{sibling} may differ from {plan.target}, and no status shows that.",
                _replace(sibling, plan.target),
            )
    if not engine.backs_up_replicas:
        cloud.progress.warn(
            f"{plan.source} can't be backed up any more, and should not be promoted "
            f"again. The next backup of {plan.target} has to be a full one.",
            _replace(plan.source, plan.target),
        )


def _replace(member: Instance, source: Instance) -> FollowUp:
    return to(
        f"replace {member.name}",
        Action(Verb.REPLACE_REPLICA, (member.id,), source_id=source.id),
    )
