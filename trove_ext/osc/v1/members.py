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


"""Members of replication sets, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.model import recovery
from trove_ext.model.status import DELETED
from trove_ext.osc.base import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def list_row(member: Instance, members: Sequence[Instance]) -> tuple[Any, ...]:
    """Lay out a member as one of many sets."""
    return (
        member.id,
        columns.text(member.name),
        columns.text(recovery.role_of(member, members)),
        columns.text(member.replica_of),
        member.status,
        columns.text(member.operating_status),
    )


def show_rows(
    found: ReplicationSet, encoding: str | None, *, long: bool = False
) -> list[tuple[Any, ...]]:
    """Lay out one set as a tree: the source, and under it its replicas.

    :param encoding: of the stream that it is for
    :param long: with LONG_COLUMNS behind the others
    """
    members = ordered(found)
    depths = [0 if one.replica_of is None else 1 for one in members]
    stems = columns.branches(depths, encoding) if 0 in depths else [""] * len(depths)
    return [
        (
            columns.leaf(one.name, stem),
            one.id,
            columns.text(recovery.role_of(one, members)),
            one.status,
            columns.text(one.operating_status),
            addresses(one),
            columns.text(one.fault.message if one.fault else None),
            *(_more(one) if long else ()),
        )
        for one, stem in zip(members, stems, strict=True)
    ]


def _more(one: Instance) -> tuple[Any, ...]:
    return (
        columns.text(one.datastore_version),
        columns.text(one.flavor_id),
        columns.number(one.size),
    )


def ordered(found: ReplicationSet) -> list[Instance]:
    """Return the members of a set: the source first, then by name and ID."""
    source = found.source.id if found.source else None
    return sorted(found.members, key=lambda one: (one.id != source, one.name, one.id))


def switch_rows(
    before: ReplicationSet, after: Sequence[Instance], roles: dict[str, str] | None
) -> list[tuple[Any, ...]]:
    """Lay out a set whose roles have changed.

    :param after: the members as they are now
    :param roles: the roles that are to be, by ID; None to take those of ``after``
    """
    now = {one.id: one for one in after}
    rows = []
    for one in ordered(before):
        read = now.get(one.id)
        role = recovery.role_of(read, after) if read else "deleted"
        rows.append(
            (
                one.id,
                columns.text(one.name),
                columns.text(recovery.role_of(one, before.members)),
                columns.text(role if roles is None else roles[one.id]),
                read.status if read else DELETED,
                columns.text(read.operating_status if read else None),
                addresses(read or one),
            )
        )
    return rows


def replication(instance_id: str, probed: Sequence[Probed]) -> columns.Shown:
    """Say whether replication was proved; for machines as well."""
    for one in probed:
        if one.replica.id == instance_id:
            if one.ok:
                return columns.text(f"proved in {one.seconds:.1f} s")
            return columns.text("not replicating" if one.looked else "can't be probed")
    return columns.text(NOT_PROBED)


def addresses(instance: Instance) -> columns.Shown:
    """Show the addresses; a list for machines."""
    found = [one.address for one in instance.addresses]
    return columns.Shown(found, ", ".join(found) or "-")
