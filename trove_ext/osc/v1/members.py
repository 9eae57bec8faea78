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


"""Members of replica sets, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.model import recovery
from trove_ext.model.status import DELETED
from trove_ext.osc.base import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.workflows.replica.probe import Probed

LIST_COLUMNS: tuple[str, ...] = (
    "ID",
    "Name",
    "Role",
    "Source ID",
    "Status",
    "Operating Status",
)
SHOW_COLUMNS: tuple[str, ...] = (
    "Name",
    "ID",
    "Role",
    "Status",
    "Operating Status",
    "Addresses",
    "Fault",
)
LONG_COLUMNS: tuple[str, ...] = ("Datastore Version", "Flavor ID", "Size")
SWITCH_COLUMNS: tuple[str, ...] = (
    "ID",
    "Name",
    "Role Before",
    "Role After",
    "Status",
    "Operating Status",
    "Addresses",
)
REPLICATION_COLUMN = "Replication"
NOT_PROBED = "not probed"


def cells(member: Instance, members: Sequence[Instance]) -> dict[str, Any]:
    """Lay out a member, by column name.

    :param members: all of its set
    """
    return {
        "ID": member.id,
        "Name": columns.text(member.name),
        "Role": columns.text(recovery.role_of(member, members)),
        "Source ID": columns.text(member.replica_of),
        "Status": member.status,
        "Operating Status": columns.text(member.operating_status),
        "Addresses": addresses(member),
        "Fault": columns.text(member.fault.message if member.fault else None),
        "Configuration ID": columns.text(member.configuration_id),
        "Datastore Version": columns.text(member.datastore_version),
        "Flavor ID": columns.text(member.flavor_id),
        "Size": columns.number(member.size),
        "Project ID": columns.text(member.project_id),
    }


def list_table(
    found: Iterable[tuple[Instance, Sequence[Instance]]], more: Sequence[str] = ()
) -> columns.Table:
    """Lay out the members of many sets, each with all members of its set.

    :param more: names of further columns
    """
    return columns.table((*LIST_COLUMNS, *more), found, lambda pair: cells(*pair))


def show_table(
    found: ReplicationSet,
    names: Sequence[str],
    encoding: str | None,
    probed: Sequence[Probed] = (),
) -> columns.Table:
    """Lay out one set as a tree: the source, and under it its replicas.

    :param names: of the columns
    :param encoding: of the output stream
    :param probed: for REPLICATION_COLUMN
    """
    members = ordered(found)
    depths = [0 if member.replica_of is None else 1 for member in members]
    stems = columns.branches(depths, encoding) if 0 in depths else [""] * len(depths)
    source_id = found.source.id if found.source else None

    def drawn(pair: tuple[Instance, str]) -> dict[str, Any]:
        member, stem = pair
        proof = replication(member.id, probed)
        return cells(member, members) | {
            "Name": columns.leaf(member.name, stem),
            REPLICATION_COLUMN: columns.text(None) if member.id == source_id else proof,
        }

    return columns.table(names, zip(members, stems, strict=True), drawn)


def ordered(found: ReplicationSet) -> list[Instance]:
    """Return the members of a set: the source first, then by name and ID."""
    source = found.source.id if found.source else None
    return sorted(
        found.members, key=lambda each: (each.id != source, each.name, each.id)
    )


def switch_table(
    before: ReplicationSet,
    after: Sequence[Instance],
    roles: dict[str, str] | None = None,
) -> columns.Table:
    """Lay out a set whose roles have changed.

    :param after: the current members
    :param roles: the planned roles, by ID; None for those of ``after``
    """
    now = {member.id: member for member in after}

    def changed(member: Instance) -> dict[str, Any]:
        read = now.get(member.id)
        role = recovery.role_of(read, after) if read else "deleted"
        shown = cells(member, before.members)
        return shown | {
            "Role Before": shown["Role"],
            "Role After": columns.text(role if roles is None else roles[member.id]),
            "Status": read.status if read else DELETED,
            "Operating Status": columns.text(read.operating_status if read else None),
            "Addresses": addresses(read or member),
        }

    return columns.table(SWITCH_COLUMNS, ordered(before), changed)


def replication(instance_id: str, probed: Sequence[Probed]) -> columns.Shown:
    """Show whether replication was proved; for machines as well."""
    for each in probed:
        if each.replica.id == instance_id:
            if each.ok:
                return columns.text(f"proved in {each.seconds:.1f} s")
            return columns.text(
                "not replicating" if each.readable else "can't be probed"
            )
    return columns.text(NOT_PROBED)


def addresses(instance: Instance) -> columns.Shown:
    """Show the addresses; a list for machines."""
    found = [each.address for each in instance.addresses]
    return columns.Shown(found, ", ".join(found) or "-")
