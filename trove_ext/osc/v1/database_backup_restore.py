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

"""``database backup restore``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.follow_up import to, wait_for_instance
from trove_ext.model.restore_point import data_time
from trove_ext.osc.base import columns, command
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_wait_options,
)
from trove_ext.osc.v1.additions import add_additions_options, additions_of
from trove_ext.osc.v1.backup_source import add_source_options, source_of
from trove_ext.osc.v1.new_instance import add_settings_options, settings_options
from trove_ext.trove import read
from trove_ext.workflows.restore import recovery, restore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.restore import RestorePlan


class RestoreDatabaseBackup(command.ShowOne):
    """Create an instance from a backup.

    Datastore and version are those of the backup, or another version of the same
    datastore with --datastore-version: a newer minor version is fine, a newer major one
    is a warning, an older one needs --force-version, and another major version of
    PostgreSQL is refused, since it can't read the files. Flavor, volume size, network,
    configuration group and access are those of the instance that was backed up, unless
    given here; if that instance no longer exists, one message lists the options that
    are required. Trove does not report the volume type and the availability zone of an
    instance to its owner: they are the cloud's defaults unless given.

    The whole chain from the full backup to the named backup is checked first; Trove
    itself checks only the named backup.

    With --instance the newest restorable backup of that instance is used, and with
    --before the newest whose data is no newer than that. A backup holds the data as of
    its end, a volume snapshot as of its start. This is no point-in-time recovery, which
    Trove does not have: a restore ends at a backup.
    """

    options_anywhere = True

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "backup",
            metavar="<backup>",
            nargs="?",
            help="Backup to restore (name or ID); with --instance it can be left out, "
            "and can be latest or latest-full",
        )
        parser.add_argument("name", metavar="<name>", help="Name of the new instance")
        add_source_options(parser)
        add_settings_options(parser)
        add_additions_options(parser)
        add_dry_run_option(parser, "Check everything, print what would be sent")
        add_engine_option(parser)
        add_wait_options(parser, "the new instance is ACTIVE and HEALTHY")

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Plan, send, wait, and show the resulting instance."""
        cloud = self.cloud
        deadline = cloud.start(parsed_args.timeout)
        request = restore.RestoreRequest(
            source_of(parsed_args, parsed_args.backup),
            parsed_args.name,
            settings_options(parsed_args),
            additions=additions_of(parsed_args, self.app.stdin),
        )
        plan = restore.plan(cloud, request)
        for text in plan.warnings:
            cloud.progress.warn(text)
        for note in plan.notes:
            cloud.progress.note(note.text, *note.follow_ups)
        if parsed_args.dry_run:
            cloud.progress.note("Nothing was sent: this is a dry run.")
            return restored_table(plan, None)
        made = read.get_instance(cloud, restore.submit(cloud, plan))
        if parsed_args.wait:
            made, error = restore.wait_with_additions(cloud, plan, made, deadline)
            self.fail(error)
        else:
            cloud.progress.note(
                _accepted(cloud, plan),
                to("wait for it", wait_for_instance(made.id)),
            )
        return restored_table(plan, made)


def _accepted(cloud: Cloud, plan: RestorePlan) -> str:
    engine = cloud.engines.look(plan.backup.datastore)
    return (
        f"The restore of {plan.backup} is accepted, not verified."
        + recovery.describe(engine)
    )


def restored_table(plan: RestorePlan, made: Instance | None) -> Any:
    """Show what was requested, and the result."""
    settings, origin = plan.settings, plan.settings.origin
    nics = settings.nic.body()
    rows: dict[str, Any] = {}
    if made is not None:
        rows = {
            "id": made.id,
            "status": made.status,
            "operating_status": made.operating_status,
            "addresses": _lines([found.address for found in made.addresses]),
        }
    rows |= {
        "name": columns.text(plan.name),
        "backup_id": plan.backup.id,
        "backup_name": columns.text(plan.backup.name),
        "chain": columns.Shown(
            [link.id for link in plan.path], "\n".join(map(str, plan.path))
        ),
        "data_as_of": columns.moment(data_time(plan.backup)),
        "datastore": plan.backup.datastore,
        "datastore_version": settings.version.name,
        "flavor": settings.flavor_name,
        "flavor_id": settings.flavor_id,
        "size": columns.number(settings.size),
        "volume_type": columns.text(settings.volume_type),
        "availability_zone": columns.text(settings.availability_zone),
        "nics": columns.Shown(
            nics, "\n".join(f"{k}={v}" for nic in nics for k, v in nic.items()) or "-"
        ),
        "configuration_id": columns.text(settings.configuration_id),
        "is_public": settings.is_public,
        "allowed_cidrs": _lines(settings.allowed_cidrs),
        "settings_from": columns.text(str(origin) if origin else None),
    }
    return zip(*sorted(rows.items()), strict=True)


def _lines(values: Sequence[str]) -> columns.Shown:
    return columns.Shown(list(values), "\n".join(values) or "-")
