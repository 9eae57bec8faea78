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

"""The offer of the cloud: flavors, datastores and their versions.

Sources: ``trove/flavor/views.py`` and ``trove/datastore/views.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trove_ext.trove import resources

if TYPE_CHECKING:
    from trove_ext.model.fields import Fields
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Flavor:
    """A flavor.

    :ivar ram: in MB
    """

    id: str
    name: str
    ram: int

    @classmethod
    def of(cls, fields: Fields) -> Flavor:
        """Make it of an answer.

        :raises MalformedAnswerError: ID, name or RAM are missing
        """
        return cls(
            resources.flavor_id(fields),
            fields.need_text("name"),
            fields.need_integer("ram"),
        )


@dataclass(frozen=True, slots=True)
class Datastore:
    """A datastore, or a version of one."""

    id: str
    name: str

    @classmethod
    def of(cls, fields: Fields) -> Datastore:
        """Make it of an answer.

        :raises MalformedAnswerError: ID or name are missing
        """
        return cls(fields.need_text("id"), fields.need_text("name"))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a datastore.

    :ivar number: what the operator entered as its number; None if Trove is older than
        that field
    """

    id: str
    name: str
    number: str | None = None


def list_versions(cloud: Cloud, datastore: str) -> tuple[list[Version], bool]:
    """List the versions of a datastore that can be used; plain users see no others.

    :returns: the versions, and whether these are all
    :raises NotFoundError: there is no such datastore
    """
    rows = cloud.read(
        f"Versions of datastore {datastore}",
        lambda: cloud.client.datastore_versions.list(datastore),
    )
    found = [resources.fields_of(row, "datastore version") for row in rows]
    usable = [
        Version(each.need_text("id"), each.need_text("name"), each.text("version"))
        for each in found
        # Reported to admins only.
        if each.get("active") is not False
    ]
    return usable, not rows.next


def list_flavors(
    cloud: Cloud, datastore: str | None = None, version_id: str | None = None
) -> list[Flavor]:
    """List the flavors, or those that Trove accepts with a datastore version.

    If any are bound to a version, no other is accepted
    (``trove/datastore/models.py``, ``list_datastore_version_flavor_associations``).

    :param datastore: its name; counts together with the version only
    """
    manager = cloud.client.flavors
    rows: list[Any] = cloud.read(
        "List of flavors",
        lambda: (
            manager.list_datastore_version_associated_flavors(datastore, version_id)
            if datastore and version_id
            else manager.list()
        ),
    )
    return [Flavor.of(resources.fields_of(row, "flavor")) for row in rows]


def get_datastore(cloud: Cloud, datastore_id: str) -> Datastore:
    """Read a datastore.

    :raises NotFoundError: there is none with this ID
    """
    row = cloud.read(
        f"Datastore {datastore_id}", lambda: cloud.client.datastores.get(datastore_id)
    )
    return Datastore.of(resources.fields_of(row, "datastore"))


def get_version(cloud: Cloud, datastore: str, version_id: str) -> Datastore:
    """Read a version of a datastore.

    :raises NotFoundError: there is none with this ID
    """
    row = cloud.read(
        f"Datastore version {version_id}",
        lambda: cloud.client.datastore_versions.get(datastore, version_id),
    )
    return Datastore.of(resources.fields_of(row, "datastore version"))
