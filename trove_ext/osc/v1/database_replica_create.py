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


"""``database replica create``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.follow_up import Action, Verb, to, wait_for_instance
from trove_ext.osc.base import columns, command
from trove_ext.osc.base.escape import count
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_probe_option,
    add_wait_options,
)
from trove_ext.osc.v1 import members
from trove_ext.osc.v1.new_instance import add_reach_options, reach_options
from trove_ext.workflows.replica import build, create, fresh_backup

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.replica.probe import Probed

COLUMNS: tuple[str, ...] = (
    "ID",
    "Name",
    "Source ID",
    "Status",
    "Operating Status",
    "Addresses",
    "Configuration ID",
    members.REPLICATION_COLUMN,
)


class CreateDatabaseReplica(command.Lister):
    """Create replicas of an instance.

    Flavor, volume and datastore are the source's. So are the network, the access
    rules and the configuration group unless others are given: Trove by itself
    inherits neither network nor access.
    """

    options_anywhere = True

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        _add_what(parser)
        add_reach_options(parser, "the source")
        add_dry_run_option(parser, "Check everything, print what would be created")
        add_probe_option(
            parser,
            "at the end that each replica replicates (implies --wait; on PostgreSQL "
            "--wait implies it)",
        )
        parser.add_argument(
            "--no-fresh-backup",
            action="store_true",
            help="On PostgreSQL, do not take a full backup first if the source has a "
            "backup: a replica that is built on one that is not the last of any kind "
            "lacks rows, and is HEALTHY",
        )
        add_engine_option(parser)
        add_wait_options(
            parser, "each replica and the source are ACTIVE and HEALTHY in their roles"
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check, create, wait, and read all of them again."""
        deadline = self.cloud.start(parsed_args.timeout)
        plan = create.check(self.cloud, _request(parsed_args))
        if parsed_args.dry_run:
            self.cloud.progress.note(_spelled(plan))
            return _planned(plan)
        fresh_backup.prepare(
            self.cloud, plan.source, deadline, take_one=not parsed_args.no_fresh_backup
        )
        made = create.create(self.cloud, plan)
        if not (parsed_args.wait or parsed_args.probe):
            _note_accepted(self.cloud, plan, made)
            return _shown(made, ())
        engine = self.cloud.engines.look(plan.source.datastore)
        with_probe = parsed_args.probe or not engine.restart_resumes
        built = build.follow(self.cloud, plan, made, deadline, with_probe=with_probe)
        self.fail(built.error)
        if not built.probed and built.error is None:
            self.cloud.progress.note(
                "replication not probed: no status proves it, --probe does"
            )
        return _shown(built.replicas, built.probed)


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="<source>",
        nargs="?",
        help="Instance to replicate (name or ID), unless --source names it",
    )
    parser.add_argument(
        "name",
        metavar="<name>",
        help="Name of the replica; -1, -2 and so on are appended if --count is above 1",
    )
    parser.add_argument(
        "--source",
        dest="source_option",
        metavar="<source>",
        help="Instance to replicate (name or ID), instead of the first argument",
    )
    parser.add_argument(
        "--count",
        metavar="<n>",
        type=int,
        default=1,
        help="Number of replicas to create, 1 to 3 (default: 1)",
    )


def _request(args: argparse.Namespace) -> create.Request:
    """Read what is requested.

    :raises UsageError: no source is named, or two are
    """
    if (args.source is None) == (args.source_option is None):
        raise UsageError("Name one source, before the name or with --source.")
    return create.Request(
        source=args.source_option or args.source,
        name=args.name,
        count=args.count,
        options=reach_options(args),
    )


def _note_accepted(
    cloud: Cloud, plan: create.ReplicaPlan, made: Sequence[Instance]
) -> None:
    """Say what was accepted only, and how to continue."""
    ids = [replica.id for replica in made]
    wait = wait_for_instance(*ids, goal="replica-of", source_id=plan.source.id)
    cloud.progress.note(
        f"creation of {count(len(ids), 'replica')} of {plan.source}: accepted, not "
        "verified, replication not probed.",
        to("wait for it", wait),
    )
    if plan.unwanted_configuration:
        detach = [Action(Verb.DETACH_CONFIGURATION, (replica,)) for replica in ids]
        cloud.progress.warn(
            "Trove attaches the source's configuration group nevertheless.",
            to("detach it once they are built", *detach),
        )


def _spelled(plan: create.ReplicaPlan) -> str:
    nic = ", ".join(f"{key} {value}" for key, value in plan.nic.body()[0].items())
    access = ", ".join(f"{key} {value}" for key, value in plan.access.items())
    return (
        f"Replicas of {plan.source}: {nic}; {access}; configuration "
        f"{plan.configuration_id or 'none'}; flavor {plan.source.flavor_id} and "
        f"{plan.source.size} GB as the source has"
    )


def _planned(plan: create.ReplicaPlan) -> columns.Table:
    nothing = columns.text(None)
    planned = {
        "ID": nothing,
        "Source ID": plan.source.id,
        "Status": "planned",
        "Operating Status": nothing,
        "Addresses": nothing,
        "Configuration ID": columns.text(plan.configuration_id),
        members.REPLICATION_COLUMN: columns.text(members.NOT_PROBED),
    }
    return columns.table(
        COLUMNS, plan.names, lambda name: planned | {"Name": columns.text(name)}
    )


def _shown(replicas: Sequence[Instance], probed: Sequence[Probed]) -> columns.Table:
    return columns.table(
        COLUMNS,
        replicas,
        lambda replica: (
            members.cells(replica, replicas)
            | {members.REPLICATION_COLUMN: members.replication(replica.id, probed)}
        ),
    )
