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

import argparse
from typing import TYPE_CHECKING, Any

from oslo_utils import uuidutils

from trove_ext.osc import columns, command
from trove_ext.osc.hooks import add_wait_options
from trove_ext.workflows import resources, restore
from trove_ext.workflows.restore_settings import Nic, Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.workflows.restore import RestorePlan

#: The keys of ``--nic``, as in ``database instance create``.
NIC_KEYS = {
    "net-id": "network_id",
    "subnet-id": "subnet_id",
    "ip-address": "ip_address",
}


class RestoreDatabaseBackup(command.ShowOne):
    """Create an instance from a backup.

    Datastore and version are those of the backup. Flavor, volume size, network,
    configuration group and access are those of the instance that it was taken of,
    unless given here; where that instance is gone, all that has to be given is named
    in one message. Volume type and availability zone can't be read by the owner of an
    instance: they are the cloud's default unless given.

    The whole chain down from the full backup is checked first; Trove looks at the
    named backup alone.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "backup", metavar="<backup>", help="Backup to restore (name or ID)"
        )
        parser.add_argument("name", metavar="<name>", help="Name of the new instance")
        add_settings_options(parser)
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Check everything, print what would be sent, and change nothing",
        )
        add_wait_options(parser, "the new instance is ACTIVE and HEALTHY")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Plan, send, wait, and show the instance as it is then."""
        cloud = self.cloud
        deadline = cloud.deadline(parsed_args.timeout)
        request = restore.RestoreRequest(
            parsed_args.backup, parsed_args.name, settings_options(parsed_args)
        )
        plan = restore.plan(cloud, request)
        for text in plan.warnings:
            cloud.progress.warn(text)
        for text in plan.notes:
            cloud.progress.note(text)
        if parsed_args.dry_run:
            cloud.progress.note("Nothing was sent: this is a dry run.")
            return _columns(plan, None)
        made = resources.get_instance(cloud, restore.send(cloud, plan))
        if parsed_args.wait:
            made, error = restore.wait(cloud, made, deadline)
            self.fail(error)
        else:
            cloud.progress.note(
                f"The restore of {plan.backup} is accepted, not verified; wait for it "
                f"with:\n  {cloud.command('instance', 'wait', made.id)}"
            )
        return _columns(plan, made)


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add what says how the new instance is made."""
    parser.add_argument(
        "--like",
        metavar="<instance>",
        help="Take the settings from this instance (name or ID) and not from the one "
        "that the backup was taken of",
    )
    parser.add_argument("--flavor", metavar="<flavor>", help="Flavor (name or ID)")
    parser.add_argument(
        "--size",
        metavar="<GB>",
        type=_positive,
        help="Size of the volume in GB, at least the size of the backup",
    )
    parser.add_argument(
        "--volume-type",
        metavar="<type>",
        help="Volume type (default: the cloud's, for the old one can't be read)",
    )
    parser.add_argument(
        "--availability-zone",
        metavar="<zone>",
        help="Availability zone (default: the cloud's, for the old one can't be read)",
    )
    parser.add_argument(
        "--nic",
        metavar="net-id=<uuid>,subnet-id=<uuid>,ip-address=<address>",
        type=_nic,
        help="Network of the instance: a network, a subnet or both; none: only the "
        "cloud's own",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--configuration", metavar="<group>", help="Configuration group (name or ID)"
    )
    group.add_argument(
        "--no-configuration", action="store_true", help="No configuration group"
    )
    access = parser.add_mutually_exclusive_group()
    access.add_argument(
        "--is-public",
        action="store_const",
        const=True,
        default=None,
        help="Give the instance a public address",
    )
    access.add_argument(
        "--not-public",
        dest="is_public",
        action="store_const",
        const=False,
        help="Give it none, whatever the old one had",
    )
    parser.add_argument(
        "--allowed-cidr",
        dest="allowed_cidrs",
        metavar="<range>",
        action="append",
        help="Addresses that may connect, as 10.0.0.0/24; may be repeated",
    )


def settings_options(parsed_args: argparse.Namespace) -> Options:
    """Collect what :func:`add_settings_options` has added."""
    cidrs = parsed_args.allowed_cidrs
    return Options(
        like=parsed_args.like,
        flavor=parsed_args.flavor,
        size=parsed_args.size,
        nic=parsed_args.nic,
        volume_type=parsed_args.volume_type,
        availability_zone=parsed_args.availability_zone,
        configuration=parsed_args.configuration,
        no_configuration=parsed_args.no_configuration,
        is_public=parsed_args.is_public,
        allowed_cidrs=None if cidrs is None else tuple(dict.fromkeys(cidrs)),
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _nic(text: str) -> Nic:
    if text == "none":
        return Nic()
    fields: dict[str, str] = {}
    for part in text.split(","):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key not in NIC_KEYS or not value:
            raise argparse.ArgumentTypeError(
                f"{part!r} is none of net-id=<uuid>, subnet-id=<uuid>, "
                "ip-address=<address>; or give none"
            )
        if key != "ip-address" and not uuidutils.is_uuid_like(value):
            raise argparse.ArgumentTypeError(f"{value!r} is no ID of a network")
        fields[NIC_KEYS[key]] = value
    nic = Nic(**fields)
    if not nic.subnet_id and (nic.ip_address or not nic.network_id):
        raise argparse.ArgumentTypeError("an address needs its subnet-id=<uuid>")
    return nic


def _columns(plan: RestorePlan, made: Instance | None) -> Any:
    """Show what was asked for, and what has come of it."""
    settings, origin = plan.settings, plan.settings.origin
    nics = settings.nic.body()
    rows: dict[str, Any] = {}
    if made is not None:
        rows = {
            "id": made.id,
            "status": made.status,
            "operating_status": made.operating_status,
            "addresses": _lines([one.address for one in made.addresses]),
        }
    rows |= {
        "name": columns.text(plan.name),
        "backup_id": plan.backup.id,
        "backup_name": columns.text(plan.backup.name),
        "chain": columns.Shown(
            [link.id for link in plan.path], "\n".join(map(str, plan.path))
        ),
        "datastore": plan.backup.datastore,
        "datastore_version": plan.backup.datastore_version,
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
