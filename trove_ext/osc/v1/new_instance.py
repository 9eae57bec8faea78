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

"""RestoreOptions for a new instance: restored, verified or a replica."""

from __future__ import annotations

import argparse
from typing import Any

from oslo_utils import uuidutils

from trove_ext.osc.base.options import positive
from trove_ext.workflows.new_instance import InstanceOptions, Nic
from trove_ext.workflows.restore.settings import RestoreOptions

#: The keys of ``--nic``, as in ``database instance create``.
NIC_KEYS = {
    "net-id": "network_id",
    "subnet-id": "subnet_id",
    "ip-address": "ip_address",
}


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for an instance created from a backup."""
    parser.add_argument(
        "--like",
        metavar="<instance>",
        help="Take the settings that are not given from this instance (name or ID) "
        "instead of the one that was backed up",
    )
    parser.add_argument(
        "--flavor",
        metavar="<flavor>",
        help="Flavor (name or ID; default: that of the instance)",
    )
    parser.add_argument(
        "--size",
        metavar="<GB>",
        type=positive,
        help="Size of the volume in GB, at least that of the backup (default: that of "
        "the instance)",
    )
    parser.add_argument(
        "--volume-type",
        metavar="<type>",
        help="Volume type (default: the cloud's default; Trove does not report the "
        "original one)",
    )
    parser.add_argument(
        "--datastore-version",
        metavar="<version>",
        help="Restore into this version of the datastore, for instance because that of "
        "the backup is switched off (default: that of the backup)",
    )
    parser.add_argument(
        "--force-version",
        action="store_true",
        help="Restore into the version even if it is older than that of the backup",
    )
    add_reach_options(parser, "the instance")


def add_reach_options(parser: argparse.ArgumentParser, like: str) -> None:
    """Add the options for zone, network, access and configuration group.

    :param like: whose settings are used if none are given, as text
    """
    parser.add_argument(
        "--availability-zone",
        metavar="<zone>",
        help=f"Availability zone (default: the cloud's default; Trove does not "
        f"report that of {like})",
    )
    parser.add_argument(
        "--nic",
        metavar="<nic>",
        type=nic,
        help="Network as net-id=<uuid>, subnet-id=<uuid> or both, with a subnet also "
        "ip-address=<address>, separated by commas; none for the cloud's own network "
        f"only (default: that of {like})",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--configuration",
        metavar="<group>",
        help=f"Configuration group (name or ID; default: that of {like})",
    )
    group.add_argument(
        "--no-configuration",
        action="store_true",
        help=f"Use no configuration group, even if {like} has one",
    )
    access = parser.add_mutually_exclusive_group()
    access.add_argument(
        "--is-public",
        action="store_const",
        const=True,
        default=None,
        help="Use a public address",
    )
    access.add_argument(
        "--is-private",
        "--not-public",
        dest="is_public",
        action="store_const",
        const=False,
        help=f"Use no public address, even if {like} has one",
    )
    parser.add_argument(
        "--allowed-cidr",
        dest="allowed_cidrs",
        metavar="<range>",
        action="append",
        help="Addresses that may connect, such as 10.0.0.0/24 (repeatable; default: "
        f"those of {like})",
    )


def settings_options(parsed_args: argparse.Namespace) -> RestoreOptions:
    """Return the options of :func:`add_settings_options`."""
    return RestoreOptions(
        like=parsed_args.like,
        flavor=parsed_args.flavor,
        size=parsed_args.size,
        volume_type=parsed_args.volume_type,
        datastore_version=parsed_args.datastore_version,
        force_version=parsed_args.force_version,
        **_reach(parsed_args),
    )


def reach_options(parsed_args: argparse.Namespace) -> InstanceOptions:
    """Collect what :func:`add_reach_options` has added."""
    return InstanceOptions(**_reach(parsed_args))


def _reach(parsed_args: argparse.Namespace) -> dict[str, Any]:
    cidrs = parsed_args.allowed_cidrs
    return {
        "nic": parsed_args.nic,
        "availability_zone": parsed_args.availability_zone,
        "configuration": parsed_args.configuration,
        "no_configuration": parsed_args.no_configuration,
        "is_public": parsed_args.is_public,
        # Once each.
        "allowed_cidrs": None if cidrs is None else tuple(dict.fromkeys(cidrs)),
    }


def nic_fields(text: str) -> list[tuple[str, str]]:
    """Split a ``--nic``.

    :raises ValueError: a part of it is not ``key=value``
    """
    fields = []
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(_no_field(part))
        fields.append((key, value))
    return fields


def _no_field(part: str) -> str:
    return (
        f"{part.strip()!r} is none of net-id=<uuid>, subnet-id=<uuid>, "
        "ip-address=<address>"
    )


def nic(text: str) -> Nic:
    """Parse a ``--nic``.

    :raises ArgumentTypeError: it is none
    """
    if text == "none":
        return Nic()
    try:
        given = nic_fields(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{exc}; or give none") from exc
    fields: dict[str, str] = {}
    for key, value in given:
        if key not in NIC_KEYS or not value:
            why = f"{_no_field(f'{key}={value}')}; or give none"
            raise argparse.ArgumentTypeError(why)
        if key != "ip-address" and not uuidutils.is_uuid_like(value):
            raise argparse.ArgumentTypeError(f"{value!r} is no ID of a network")
        fields[NIC_KEYS[key]] = value
    made = Nic(**fields)
    if not made.subnet_id and (made.ip_address or not made.network_id):
        raise argparse.ArgumentTypeError("an address needs its subnet-id=<uuid>")
    return made
