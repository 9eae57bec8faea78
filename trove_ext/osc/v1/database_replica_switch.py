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


"""``database replica promote`` and ``database replica failover``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.follow_up import Action, Verb, to, wait_for_instance
from trove_ext.osc.base import command, confirm
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_probe_option,
    add_wait_options,
)
from trove_ext.osc.v1 import members
from trove_ext.workflows.replica import failover, promote, promote_risks, sets

if TYPE_CHECKING:
    import argparse

    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.switch_report import Switch


class PromoteDatabaseReplica(command.Lister):
    """Make a replica the source of its set: a planned switch (switchover).

    Every member is checked first, because Trove does not: a promote that fails leaves
    the whole set in ERROR and its source read-only. If the source is dead, use
    "database replica failover".
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "replica",
            metavar="<replica>",
            help="Replica to make the source (name or ID)",
        )
        add_dry_run_option(
            parser, "Check everything except --probe, print the set before and after"
        )
        add_probe_option(parser, "first that the replica replicates")
        parser.add_argument(
            "--accept-loss",
            action="store_true",
            help="Do not prompt on PostgreSQL, where writes that the old source "
            "acknowledges during the promote are lost; required if there is no "
            "terminal",
        )
        add_engine_option(parser)
        add_wait_options(
            parser,
            "the roles have changed and every member of the set is ACTIVE and HEALTHY",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check, send, wait, and read every member again."""
        deadline = self.cloud.start(parsed_args.timeout)
        plan = promote.check(self.cloud, parsed_args.replica)
        if parsed_args.dry_run:
            _note_checks(self.cloud, plan)
            roles = promote.planned_roles(plan)
            return members.switch_table(plan.set, plan.set.members, roles)
        if not parsed_args.accept_loss and _ask(self, plan):
            deadline = self.cloud.start(parsed_args.timeout)
        if parsed_args.probe:
            promote.prove(self.cloud, plan)
        before = promote.submit(self.cloud, plan)
        if not parsed_args.wait:
            promote_risks.report(self.cloud, plan)
            return _accepted(self, plan.what, plan, _waits(plan))
        switch = promote.follow(self.cloud, before, plan.target, deadline)
        if switch.error is None:
            promote_risks.report(self.cloud, plan)
        return _shown(self, switch)


class FailoverDatabaseReplica(command.Lister):
    """Replace a replica source that is dead.

    Trove chooses the new source among the replicas, but only after the guest agent of
    the old one has not been heard for a while (90 s unless the cloud has set another
    time); --wait repeats the request until then. The old source is not fenced: if its
    host comes back, it accepts writes that no replica receives.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "source", metavar="<source>", help="Replica source to replace (name or ID)"
        )
        confirm.add_yes_option(
            parser,
            "Do not prompt before ejecting the source; required if there is no "
            "terminal",
        )
        add_wait_options(
            parser,
            "a replica has become the source and every survivor is ACTIVE and HEALTHY",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Determine whether it is dead, prompt, send, wait, and read all again."""
        if not parsed_args.yes:
            confirm.need_terminal(self.app, "This ejects a replica source.")
        plan = failover.check(self.cloud, parsed_args.source)
        self.cloud.progress.done()
        confirm.confirm(
            self.app,
            f"{plan.source} was last heard at {plan.last_heard}. Eject it, and let "
            f"Trove choose one of {sets.listed(plan.survivors)}? What was "
            "written to it last may be lost.",
            yes=parsed_args.yes,
        )
        deadline = self.cloud.start(parsed_args.timeout)
        before = failover.submit(
            self.cloud, plan, deadline if parsed_args.wait else None
        )
        if parsed_args.wait:
            switch = failover.follow(self.cloud, before, plan.source, deadline)
            if switch.error is None:
                failover.outcome(self.cloud, plan.source, switch)
            return _shown(self, switch)
        self.cloud.progress.warn(failover.not_fenced(plan.source))
        waits = [
            wait_for_instance(*(member.id for member in plan.survivors)),
            Action(Verb.SHOW_REPLICAS, (plan.survivors[0].id,)),
        ]
        return _accepted(self, plan.what, plan, waits)


def _ask(shown: command.Lister, plan: promote.PromotePlan) -> bool:
    """Prompt if a promote may lose something; return whether there was a prompt."""
    about = "\n".join(promote_risks.of(shown.cloud, plan))
    if not about:
        return False
    if not confirm.at_terminal(shown.app):
        raise UsageError(
            f"{about}\nThere is no terminal to ask for confirmation; use "
            "--accept-loss. Nothing was changed."
        )
    shown.cloud.progress.done()
    confirm.ask(shown.app, f"Promote {plan.target} all the same?", about)
    return True


def _note_checks(cloud: Cloud, plan: promote.PromotePlan) -> None:
    for check in plan.checks:
        cloud.progress.note(f"check: {check}")
    if not plan.probed:
        cloud.progress.note(
            f"check: not probed: whether {plan.target} replicates (--probe does)"
        )
    for risk in promote_risks.of(cloud, plan):
        cloud.progress.warn(risk)


def _waits(plan: promote.PromotePlan) -> list[Action]:
    """Return what waits for the roles that a promote gives."""
    target = plan.target.id
    others = [member.id for member in plan.set.members if member.id != target]
    waits = [wait_for_instance(target, goal="source")]
    if others:
        waits.append(wait_for_instance(*others, goal="replica-of", source_id=target))
    return waits


def _shown(shown: command.Lister, switch: Switch) -> Any:
    shown.fail(switch.error)
    return members.switch_table(switch.before, switch.members)


def _accepted(
    shown: command.Lister,
    what: str,
    plan: promote.PromotePlan | failover.FailoverPlan,
    follow: list[Action],
) -> Any:
    """Show the current set, and print the commands that continue."""
    shown.cloud.progress.note(
        f"{what}: accepted, not verified.", to("wait for it", *follow)
    )
    now = sets.read_members(shown.cloud, [member.id for member in plan.set.members])
    return members.switch_table(plan.set, now)
