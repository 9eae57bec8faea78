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

"""A database instance as Trove's API shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trove_ext.model import status as statuses
from trove_ext.model.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trove_ext.model.status import Fault, Phase

#: The names of the instances that ``backup verify`` makes and deletes.
_TEMPORARY = re.compile(r"trove-ext-verify-[0-9a-f]{8}-\d{8}T\d{6}Z-[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of an instance.

    :ivar kind: ``private`` or ``public``
    :ivar network: the ID of its network; None if Trove does not report it
    """

    address: str
    kind: str | None
    network: str | None


@dataclass(frozen=True, slots=True)
class Instance:
    """A database instance.

    :ivar operating_status: None if the server is too old to send it
    :ivar size: of the volume, in GB
    :ivar used: of the volume, in GB
    :ivar replica_of: the ID of its replica source
    :ivar replicas: the IDs of its replicas
    :ivar heartbeat: the time of the guest agent's last heartbeat
    :ivar is_public: None if Trove does not report it
    :ivar locality: where its replicas are in relation to it, if that was chosen
    :ivar cluster_id: the ID of the cluster that it is a member of
    :ivar configuration_name: the name of its configuration group
    :ivar version_number: of the datastore version, whose name several may have
    """

    id: str
    name: str
    status: str
    operating_status: str | None
    datastore: str | None = None
    datastore_version: str | None = None
    flavor_id: str | None = None
    size: int | None = None
    used: float | None = None
    replica_of: str | None = None
    replicas: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    fault: Fault | None = None
    configuration_id: str | None = None
    is_public: bool | None = None
    allowed_cidrs: tuple[str, ...] = ()
    created: datetime | None = None
    updated: datetime | None = None
    heartbeat: datetime | None = None
    project_id: str | None = None
    cluster_id: str | None = None
    configuration_name: str | None = None
    version_number: str | None = None
    locality: str | None = None

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> Instance:
        """Read what the API sends (``trove/instance/views.py``).

        :raises MalformedAnswerError: ID, name or status are missing, or a field has a
            form that can't be read
        """
        fields = Fields(info, "instance")
        datastore, volume = fields.part("datastore"), fields.part("volume")
        access = fields.part("access")
        return cls(
            id=fields.need_text("id"),
            name=fields.need_text("name"),
            status=fields.need_text("status"),
            operating_status=fields.text("operating_status"),
            datastore=datastore.text("type"),
            datastore_version=datastore.text("version"),
            flavor_id=fields.part("flavor").get("id"),
            size=volume.get("size"),
            used=volume.get("used"),
            replica_of=fields.part("replica_of").text("id"),
            replicas=tuple(each.need_text("id") for each in fields.parts("replicas")),
            addresses=_addresses(fields),
            fault=_fault(fields.part("fault")),
            configuration_id=fields.part("configuration").text("id"),
            is_public=access.get("is_public"),
            allowed_cidrs=tuple(access.all("allowed_cidrs")),
            created=fields.time("created"),
            updated=fields.time("updated"),
            heartbeat=fields.time("service_status_updated"),
            project_id=fields.text("tenant_id"),
            cluster_id=fields.text("cluster_id"),
            configuration_name=fields.part("configuration").text("name"),
            version_number=datastore.text("version_number"),
            locality=fields.text("locality"),
        )

    @property
    def state(self) -> str:
        """Both raw states as shown to users, such as ``ACTIVE/HEALTHY``."""
        return statuses.describe(self.status, self.operating_status)

    @property
    def phase(self) -> Phase:
        """Settled, failed or busy."""
        return statuses.instance_phase(self.status, self.operating_status)

    @property
    def is_settled(self) -> bool:
        """No task is in progress and the database is healthy."""
        return statuses.is_settled(self.status, self.operating_status)

    @property
    def failure(self) -> Fault | None:
        """The fault that Trove stored with the last change of task, if it did.

        ``updated`` is the time of that change, by the clock that dates faults too.
        """
        if self.updated is None:
            return self.fault
        start = self.updated - statuses.FAULT_DELAY
        return statuses.fault_between(self.fault, start, self.updated)

    @property
    def failure_text(self) -> str:
        """The reason of an error state; an older fault is marked as such."""
        return statuses.explain(self.failure, self.fault)

    @property
    def is_database_down(self) -> bool:
        """The database does not run, and no task of Trove will change that."""
        return statuses.is_database_down(self.status, self.operating_status)

    @property
    def is_silent(self) -> bool:
        """Trove does not hear its guest agent, and no task is in progress."""
        return statuses.is_silent(self.status, self.operating_status)

    @property
    def is_temporary(self) -> bool:
        """Its name is that of the instance of a verification."""
        return _TEMPORARY.fullmatch(self.name) is not None

    @property
    def networks(self) -> tuple[str, ...]:
        """The IDs of its networks; empty if Trove does not report them."""
        return tuple(
            dict.fromkeys(
                address.network
                for address in self.addresses
                if address.network and address.kind != "public"
            )
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def _addresses(fields: Fields) -> tuple[Address, ...]:
    if "addresses" in fields:
        return tuple(
            Address(each.need_text("address"), each.text("type"), each.text("network"))
            for each in fields.parts("addresses")
        )
    return tuple(Address(address, None, None) for address in fields.all("ip"))


def _fault(fields: Fields) -> Fault | None:
    if "message" not in fields and "created" not in fields:
        return None
    message = fields.text("message") or ""
    return statuses.Fault(message, fields.time("created"))
