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


"""``database replica failover``, and how a switch of roles is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.follow_up import Action, Verb, to, wait_for_instance
from trove_ext.osc.base import command, confirm
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_wait_options,
)
from trove_ext.osc.v1 import members
from trove_ext.workflows.replica import failover, failover_detach, failover_run, sets

if TYPE_CHECKING:
    import argparse

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.polling import Deadline
    from trove_ext.workflows.replica.switch_report import Switch


class FailoverDatabaseReplica(command.Lister):
    """Replace a replica source that is dead.

    Trove chooses the new source among the replicas, but only after the guest agent of
    the old one has not been heard for a while (90 s unless the cloud has set another
    time); --wait repeats the request until then. With --to, that replica is promoted
    afterwards if Trove chose another. The old source is not fenced: if its host comes
    back, it accepts writes that no replica receives.

    On PostgreSQL, where Trove's choice always fails, the replica named by --to is
    detached; the other replicas have to be created again.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "source", metavar="<source>", help="Replica source to replace (name or ID)"
        )
        parser.add_argument(
            "--to",
            metavar="<replica>",
            help="Replica that becomes the source (name or ID); required on PostgreSQL "
            "if there are several; elsewhere it implies --wait",
        )
        add_dry_run_option(parser, "Check everything, print the set before and after")
        confirm.add_yes_option(
            parser,
            "Do not prompt before replacing the source; required if there is no "
            "terminal",
        )
        add_engine_option(parser)
        add_wait_options(
            parser,
            "a replica has become the source and every survivor is ACTIVE and HEALTHY",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Determine whether it is dead, prompt, send, wait, and read all again."""
        if not (parsed_args.yes or parsed_args.dry_run):
            confirm.need_terminal(self.app, "This replaces a replica source.")
        plan = failover.check(self.cloud, parsed_args.source, parsed_args.to)
        self.cloud.progress.done()
        if parsed_args.dry_run:
            return _planned(self, plan)
        confirm.confirm(self.app, _question(plan), yes=parsed_args.yes)
        deadline = self.cloud.start(parsed_args.timeout)
        waits = parsed_args.wait or plan.wanted is not None
        if plan.target is not None:
            return _detached(self, plan, plan.target, deadline if waits else None)
        if waits:
            switch = failover_run.run(self.cloud, plan, deadline)
            return _shown(self, switch)
        failover.submit(self.cloud, plan, None)
        self.cloud.progress.warn(failover_run.not_fenced(plan.source))
        follow = [
            wait_for_instance(*(member.id for member in plan.survivors)),
            Action(Verb.SHOW_REPLICAS, (plan.survivors[0].id,)),
        ]
        return accepted(self, plan.what, plan.set, follow)


def _planned(shown: command.Lister, plan: failover.FailoverPlan) -> Any:
    """Show what a failover would do."""
    progress = shown.cloud.progress
    progress.note(f"check: {plan.source} was last heard at {plan.last_heard}")
    for member in plan.survivors:
        progress.note(f"check: {member} is {member.state}")
    progress.note(f"{plan.what}: nothing was changed.")
    roles = failover_run.planned_roles(plan)
    return members.switch_table(plan.set, plan.set.members, roles)


def _question(plan: failover.FailoverPlan) -> str:
    heard = f"{plan.source} was last heard at {plan.last_heard}."
    lost = "What was written to it last may be lost."
    if plan.target is None:
        wanted = f", then promote {plan.wanted}" if plan.wanted else ""
        return (
            f"{heard} Eject it, and let Trove choose one of "
            f"{sets.listed(plan.survivors)}{wanted}? {lost}"
        )
    return f"{heard} Detach {plan.target}, which becomes the source? {lost}"


def _detached(
    shown: command.Lister,
    plan: failover.FailoverPlan,
    target: Instance,
    deadline: Deadline | None,
) -> Any:
    """Detach the new source, and report what is left of the set.

    :param deadline: None not to wait
    """
    cloud = shown.cloud
    before = failover_detach.submit(cloud, plan.set, target)
    if deadline is None:
        cloud.progress.warn(failover_run.not_fenced(plan.source))
        waits = [wait_for_instance(target.id, goal="detached")]
        return accepted(shown, plan.what, plan.set, waits)
    switch = failover_detach.follow(cloud, before, target, deadline)
    if switch.error is None:
        failover_detach.outcome(cloud, plan.source, target, switch)
    return _shown(shown, switch)


def _shown(shown: command.Lister, switch: Switch) -> Any:
    shown.fail(switch.error)
    return members.switch_table(switch.before, switch.members)


def accepted(
    shown: command.Lister, what: str, found: ReplicationSet, follow: list[Action]
) -> Any:
    """Show the current set, and print the commands that continue.

    :param found: the set before
    """
    shown.cloud.progress.note(
        f"{what}: accepted, not verified.", to("wait for it", *follow)
    )
    now = sets.read_members(shown.cloud, [member.id for member in found.members])
    return members.switch_table(found, now)
