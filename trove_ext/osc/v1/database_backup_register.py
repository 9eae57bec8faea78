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

"""``database backup register``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.osc.base import columns, command
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_timeout_option,
)
from trove_ext.osc.v1.backup_source import add_instance_option, source_of
from trove_ext.workflows.restore import register

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from trove_ext.model.backup import Backup


class RegisterDatabaseBackup(command.ShowOne):
    """Make a full backup known in another region of the same cloud.

    Both regions need the same object store: no data is copied. The backup can then be
    restored there. It is one object with two records: if the original is deleted, by
    hand or by retention, the other record can't be restored any more.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "backup",
            metavar="<backup>",
            nargs="?",
            help="Full backup to register (name or ID); with --instance it can be left "
            "out, and can be latest or latest-full",
        )
        parser.add_argument(
            "--to-region",
            metavar="<region>",
            required=True,
            help="Name of the other region",
        )
        add_instance_option(parser)
        _add_settings(parser)
        add_dry_run_option(parser, "Check both regions, print what would be sent")
        add_engine_option(parser)
        add_timeout_option(parser, "Give up after this many seconds with exit code 124")

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check both regions, send the record once, and show it."""
        self.cloud.start(parsed_args.timeout)
        request = register.RegisterRequest(
            source_of(parsed_args, parsed_args.backup),
            parsed_args.to_region,
            name=parsed_args.name,
            datastore_version=parsed_args.datastore_version,
            one_store=parsed_args.one_store,
        )
        plan = register.check(self.cloud, request)
        made = plan.present if parsed_args.dry_run else register.execute(plan)
        for text in _said(plan):
            self.cloud.progress.warn(text)
        return _shown(plan, made)


def _said(plan: register.RegisterPlan) -> Iterator[str]:
    region = plan.request.region
    if plan.present is not None:
        yield f"{plan.backup} is registered in {region} already, as {plan.present}."
    yield (
        f"No data is copied: if {plan.backup} is deleted, by hand or by retention, its "
        f"record in {region} can't be restored any more."
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--name", metavar="<name>", help="Name there (default: that of the backup)"
    )
    parser.add_argument(
        "--datastore-version",
        metavar="<version>",
        help="Datastore version there (default: the one with the name of the backup's)",
    )
    parser.add_argument(
        "--one-store",
        action="store_true",
        help="Both regions have the same object store, although the service catalog "
        "has an endpoint of its own for each",
    )


def _shown(
    plan: register.RegisterPlan, made: Backup | None
) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    backup = made or plan.backup
    fields = {
        "id": made.id if made else None,
        "name": made.name if made else plan.name,
        "region": plan.request.region,
        "status": made.status if made else None,
        "datastore": backup.datastore,
        "datastore_version": backup.datastore_version,
        "datastore_version_id": plan.version_id,
        "size": columns.number(backup.size),
        "location": plan.backup.location,
        "registered_from": plan.backup.id,
    }
    return tuple(fields), tuple(fields.values())
