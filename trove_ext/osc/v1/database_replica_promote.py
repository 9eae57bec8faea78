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

"""``database replica promote``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.follow_up import Action, wait_for_instance
from trove_ext.osc.base import command, confirm
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_probe_option,
    add_wait_options,
    seconds,
)
from trove_ext.osc.v1 import members
from trove_ext.osc.v1.database_replica_switch import accepted
from trove_ext.workflows.replica import (
    fenced_promote,
    promote,
    promote_risks,
    rebuild,
    sets,
)

if TYPE_CHECKING:
    import argparse

    from trove_ext.polling import Deadline
    from trove_ext.workflows.replica.promote import PromotePlan


class PromoteDatabaseReplica(command.Lister):
    """Make a replica the source of its set: a planned switch (switchover).

    Every member is checked first, because Trove does not: a promote that fails leaves
    the whole set in ERROR and its source read-only. If the source is dead, use
    "database replica failover".

    On PostgreSQL, Trove does not stop the writes on the old source, and what that
    acknowledges during the promote is lost: use --fence.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        _add_what(parser)
        _add_engine_options(parser)
        add_engine_option(parser)
        add_wait_options(
            parser,
            "the roles have changed and every member of the set is ACTIVE and HEALTHY",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check, send, wait, and read every member again."""
        deadline = self.cloud.start(parsed_args.timeout)
        plan = fenced_promote.check(
            self.cloud, parsed_args.replica, with_fence=parsed_args.fence
        )
        if parsed_args.dry_run:
            _note_checks(self, plan)
            roles = promote.planned_roles(plan)
            return members.switch_table(plan.set, plan.set.members, roles)
        if _ask(self, plan, parsed_args):
            deadline = self.cloud.start(parsed_args.timeout)
        if parsed_args.probe and plan.fence is None:
            promote.prove(self.cloud, plan)
        if parsed_args.wait or parsed_args.rebuild or plan.fence is not None:
            return _followed(self, plan, parsed_args, deadline)
        promote.submit(self.cloud, plan)
        promote_risks.report(self.cloud, plan)
        return accepted(self, plan.what, plan.set, _waits(plan))


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "replica", metavar="<replica>", help="Replica to make the source (name or ID)"
    )
    add_dry_run_option(
        parser, "Check everything except --probe, print the set before and after"
    )
    add_probe_option(parser, "first that the replica replicates")


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add what is of use on PostgreSQL."""
    parser.add_argument(
        "--fence",
        action="store_true",
        help="On PostgreSQL, stop the writes on all members during the promote, with a "
        "temporary configuration group, so that nothing is lost; every replica is "
        "probed first (implies --wait)",
    )
    parser.add_argument(
        "--pause",
        metavar="<seconds>",
        type=seconds,
        default=fenced_promote.PAUSE,
        help="With --fence, wait this long before the promote, so that transactions "
        f"end (default: {fenced_promote.PAUSE:.0f}; at most "
        f"{fenced_promote.LONGEST_PAUSE:.0f})",
    )
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="Afterwards create a new replica in place of each other member, and "
        "delete that (implies --wait)",
    )
    confirm.add_yes_option(
        parser,
        "Do not prompt before --rebuild deletes members; required if there is no "
        "terminal",
    )
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="Do not prompt on PostgreSQL, where writes that the old source "
        "acknowledges during a promote without --fence are lost; required if there is "
        "no terminal",
    )


def _ask(shown: command.Lister, plan: PromotePlan, args: argparse.Namespace) -> bool:
    """Prompt for what may be lost, and for what is deleted; return whether it did."""
    cloud = shown.cloud
    risks = () if args.accept_loss else promote_risks.of(cloud, plan)
    about = "\n".join(risks)
    if about and not confirm.at_terminal(shown.app):
        raise UsageError(
            f"{about}\nThere is no terminal to ask for confirmation; use "
            "--accept-loss. Nothing was changed."
        )
    if about:
        cloud.progress.done()
        confirm.ask(shown.app, f"Promote {plan.target} all the same?", about)
    if args.rebuild:
        rebuild.check(cloud, plan)
        cloud.progress.done()
        doomed = sets.listed(rebuild.doomed(plan))
        confirm.confirm(
            shown.app,
            f"Afterwards a new replica is created in place of each of these, and these "
            f"are DELETED: {doomed}. Go on?",
            yes=args.yes,
        )
    return bool(about or args.rebuild)


def _followed(
    shown: command.Lister,
    plan: PromotePlan,
    args: argparse.Namespace,
    deadline: Deadline,
) -> Any:
    """Send it, wait, and report what it could not guarantee."""
    switch = fenced_promote.run(shown.cloud, plan, deadline, pause=args.pause)
    if switch.error is not None:
        shown.fail(switch.error)
        return members.switch_table(switch.before, switch.members)
    if not args.rebuild or switch.source is None:
        promote_risks.report(shown.cloud, plan)
        return members.switch_table(switch.before, switch.members)
    rebuilt = rebuild.run(shown.cloud, switch.source, rebuild.doomed(plan), deadline)
    shown.fail(rebuilt.error)
    return members.list_table((each, rebuilt.members) for each in rebuilt.members)


def _note_checks(shown: command.Lister, plan: PromotePlan) -> None:
    cloud = shown.cloud
    for check in plan.checks:
        cloud.progress.note(f"check: {check}")
    fenced = plan.fence is not None
    if fenced:
        cloud.progress.note("check: a fence reaches every member")
    if not plan.probed:
        cloud.progress.note(
            f"check: not probed: whether {plan.target} replicates "
            f"({'it is probed first' if fenced else '--probe does'})"
        )
    for risk in promote_risks.of(cloud, plan):
        cloud.progress.warn(risk)


def _waits(plan: PromotePlan) -> list[Action]:
    """Return what waits for the roles that a promote gives."""
    target = plan.target.id
    others = [member.id for member in plan.set.members if member.id != target]
    waits = [wait_for_instance(target, goal="source")]
    if others:
        waits.append(wait_for_instance(*others, goal="replica-of", source_id=target))
    return waits
