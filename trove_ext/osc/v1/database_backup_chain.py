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
"""``database backup chain list``, ``show`` and ``delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.osc.base import columns, command, confirm, projects
from trove_ext.osc.base.options import add_engine_option, add_wait_options
from trove_ext.osc.v1 import delete_preview
from trove_ext.osc.v1.backup_source import add_instance_option, source_of
from trove_ext.workflows.backup import chains, delete
from trove_ext.workflows.restore.source import id_of

if TYPE_CHECKING:
    import argparse

    from trove_ext.workflows.backup.chains import ListedChain, Member
    from trove_ext.workflows.backup.delete import Deleted

LIST_COLUMNS: tuple[str, ...] = (
    "ID",
    "Name",
    "Instance ID",
    "Backups",
    "Volume Used GB",
    "Oldest",
    "Newest Restorable",
    "State",
)
LONG_COLUMNS: tuple[str, ...] = (
    "Instance",
    "Newest Restorable ID",
    "Driver",
    "Datastore",
    "Version",
)
SHOW_COLUMNS: tuple[str, ...] = (
    "Name",
    "ID",
    "Type",
    "Driver",
    "Status",
    "Volume Used GB",
    "Created",
    "Restorable",
    "Reason",
)
#: Columns that the drawn tree replaces.
PLAIN_COLUMNS = ("Depth", "Parent ID")
DELETE_COLUMNS = ("Name", "ID", "Type", "Result")


class ListDatabaseBackupChain(command.Lister):
    """List chains of backups: each full backup with its dependent backups.

    "Volume Used GB" is what the database filled in its volume when the newest
    restorable backup was taken: the smallest volume that it can be restored to. For
    a volume snapshot it is the size of the volume. Trove does not report how much
    space a backup takes. A backup that is dated ahead of now may be of any age, so it
    is not the newest restorable one; "chain show" says so.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the filters."""
        _add_filters(parser)
        add_engine_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """List them, oldest root first."""
        project_id = projects.chosen(self.app, parsed_args)
        everywhere = parsed_args.all_projects or project_id is not None
        found = chains.list_chains(
            self.cloud,
            instance=parsed_args.instance,
            all_projects=parsed_args.all_projects,
            project_id=project_id,
            with_names=parsed_args.long,
        )
        names = LIST_COLUMNS
        names += LONG_COLUMNS if parsed_args.long else ()
        names += ("Project ID",) if everywhere else ()
        return columns.table(names, found, _chain_cells)


class ShowDatabaseBackupChain(command.Lister):
    """Show the chain that a backup belongs to, as a tree.

    In machine formats the tree is in the columns Depth and Parent ID.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the backup."""
        parser.add_argument(
            "backup",
            metavar="<backup>",
            nargs="?",
            help="Any backup of the chain (name or ID); with --instance it can be left "
            "out, and can be latest or latest-full",
        )
        add_instance_option(parser)
        add_engine_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Show each member under its parent."""
        source = source_of(parsed_args, parsed_args.backup)
        members = chains.show_chain(self.cloud, id_of(self.cloud, source))
        drawn = columns.branches(
            [member.depth for member in members], self.app.stdout.encoding
        )
        names = SHOW_COLUMNS
        if parsed_args.formatter != "table" or parsed_args.columns:
            names += PLAIN_COLUMNS
        rows = zip(members, drawn, strict=True)
        return columns.table(names, rows, _member_cells)


class DeleteDatabaseBackupChain(command.Lister):
    """Delete backups and their dependent backups.

    They are listed first, on standard error; at a terminal the command asks before it
    deletes them.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "backup",
            metavar="<backup>",
            nargs="+",
            help="Backup to delete with all its dependent backups (name or ID)",
        )
        confirm.add_yes_option(parser, "Do not prompt before deleting")
        add_wait_options(parser, "all of them are gone")

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """List what is deleted, prompt, delete, and show the results."""
        cloud = self.cloud
        forest, named = chains.find_all_in_forest(cloud, parsed_args.backup)
        plan = delete.DeletePlan(forest, tuple(named))
        delete.check(plan)
        delete_preview.announce(self.app, cloud, plan, yes=parsed_args.yes, always=True)
        started = cloud.start(parsed_args.timeout)
        deadline = started if parsed_args.wait else None
        deleted, error = delete.execute(cloud, plan, deadline)
        self.fail(error)
        if deadline is None and error is None:
            cloud.progress.note("The delete was accepted, not verified.")
        depths = dict(zip((each.id for each in plan.going), plan.depths, strict=True))
        drawn = columns.branches(
            [depths[row.backup.id] for row in deleted], self.app.stdout.encoding
        )
        rows = zip(deleted, drawn, strict=True)
        return columns.table(DELETE_COLUMNS, rows, _deleted_cells)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--instance",
        metavar="<instance>",
        help="List only chains with a backup of this instance (name or ID; the ID if "
        "it is deleted or in another project)",
    )
    projects.add_project_options(parser, "the chains")
    parser.add_argument(
        "--long",
        action="store_true",
        help="Also list the names of the instances (one more request for each 20 of "
        "them), the newest restorable backup and the datastore",
    )


def _chain_cells(listed: ListedChain) -> dict[str, Any]:
    chain = listed.chain
    newest = listed.newest_restorable
    return {
        "ID": chain.root.id,
        "Name": columns.text(chain.root.name),
        "Instance ID": columns.text(chain.root.instance_id),
        "Backups": chain.count,
        "Volume Used GB": columns.number(listed.volume_used_gb),
        "Oldest": columns.moment(chain.oldest.created),
        "Newest Restorable": columns.moment(newest.created if newest else None),
        "State": chain.state.value,
        "Instance": columns.text(listed.instance_name),
        "Newest Restorable ID": columns.text(newest.id if newest else None),
        "Driver": columns.text(", ".join(chain.storage_drivers)),
        "Datastore": columns.text(chain.root.datastore),
        "Version": columns.text(chain.root.datastore_version),
        "Project ID": columns.text(chain.root.project_id),
    }


def _member_cells(drawn: tuple[Member, str]) -> dict[str, Any]:
    member, branch = drawn
    backup = member.backup
    doubt = f"doubtful: {member.doubt}" if member.doubt else None
    reason = "; ".join(filter(None, (member.why_not or doubt, member.ahead)))
    return {
        "Name": columns.leaf(backup.name, branch),
        "ID": backup.id,
        "Type": backup.kind.value,
        "Driver": columns.text(backup.storage_driver),
        "Status": backup.status,
        "Volume Used GB": columns.number(backup.size),
        "Created": columns.moment(backup.created),
        "Restorable": columns.yes_no(member.why_not is None),
        "Reason": columns.text(reason or None),
        "Depth": member.depth,
        "Parent ID": columns.text(backup.parent_id),
    }


def _deleted_cells(drawn: tuple[Deleted, str]) -> dict[str, Any]:
    row, branch = drawn
    return {
        "Name": columns.leaf(row.backup.name, branch),
        "ID": row.backup.id,
        "Type": row.backup.kind.value,
        "Result": row.result,
    }
