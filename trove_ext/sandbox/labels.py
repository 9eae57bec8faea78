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

"""The names of the sandbox's cloud: flavors, networks, datastores.

Data alone. The first flavor, volume type and network and the datastore ``mysql`` 5.7.29
are those of the public guides, so their commands run unchanged. Whatever their labels
say, the engine of ``mysql`` and ``mariadb`` is the MariaDB of this machine, that of
``postgresql`` its PostgreSQL.
"""

from dataclasses import dataclass

from trove_ext.sandbox.guest.engine import MARIADB, POSTGRESQL

REGION = "RegionOne"


@dataclass(frozen=True)
class Flavor:
    """A size of server."""

    id: str
    name: str
    ram: int
    """MB; the database of an instance takes a part of it."""
    vcpus: int = 1
    disk: int = 10
    """GB of the root disk; the data are on the volume."""


@dataclass(frozen=True)
class Network:
    """A network to put an instance into; all share one block of loopback."""

    id: str
    name: str
    subnet_id: str


@dataclass(frozen=True)
class VolumeType:
    """A kind of volume."""

    id: str
    name: str


@dataclass(frozen=True)
class DatastoreVersion:
    """A datastore version for Trove's database."""

    datastore: str
    name: str
    default: bool = False
    manager: str = MARIADB
    """The key of Trove's configuration templates and rules.

    Also of ``mysql``, because those of MySQL contain options that MariaDB refuses.
    """


FLAVORS = (
    Flavor("e3feb785-af2e-41f7-899b-6bbc4e0b526e", "c1.c2r4", 4096, 2),
    Flavor("db.small", "db.small", 1024),
    Flavor("db.medium", "db.medium", 2048, 2),
)
GUIDE_NETWORK = Network(
    "908816f1-933c-4ff2-8595-f0f57c689e48",
    "guide-network",
    "64f2e2a4-9c7f-4b39-a0a2-2c17f6d0a001",
)
DEFAULT_NETWORK = Network(
    "3f0f6a3e-41a1-4b4e-9f31-6f2d0d5f77a1",
    "default-network",
    "64f2e2a4-9c7f-4b39-a0a2-2c17f6d0a002",
)
NETWORKS = (GUIDE_NETWORK, DEFAULT_NETWORK)
PUBLIC_NETWORK = Network(
    "5b0a7d3c-93b0-4f0e-8f2a-3f9a1c8be002",
    "public",
    "64f2e2a4-9c7f-4b39-a0a2-2c17f6d0a003",
)
"""The external network, of which floating IPs are."""
ROUTER_PORT_ID = "0c5f1d9e-7a3b-4c1d-9a57-1f2e3d4c5b04"
"""The port of the only router, which is in all networks."""
VOLUME_TYPES = (
    VolumeType("0a9f7a2e-7e1a-4c37-8a57-5b0f5d3c0b01", "b1.standard"),
    VolumeType("0a9f7a2e-7e1a-4c37-8a57-5b0f5d3c0b02", "b1.fast"),
)
IMAGE_ID = "c1f0b0a6-7a05-4e2b-8a0e-70c9a7d1f001"
RESELLER_ROLE = "ResellerAdmin"
"""The role that may delete whole accounts of Swift, as in Swift's defaults."""
SEEDED_CONTAINER = "seeded"
"""The made-up location of the backups of ``trove-sandbox seed``."""


def datastore_versions(
    mariadb: str, postgresql: str | None = None
) -> tuple[DatastoreVersion, ...]:
    """Return the available versions.

    The second of each is newer by its label alone: something to upgrade to, and a
    wrong version to be refused. The third of ``mariadb`` and of ``postgresql`` is of
    another major version: an upgrade to it is what Trove's guest refuses.

    :param mariadb: the version of the MariaDB here, "10.11"
    :param postgresql: the major version of the PostgreSQL here, "15"; None if there
        is none
    """
    major, _, minor = mariadb.partition(".")
    versions = [
        DatastoreVersion("mariadb", mariadb, default=True),
        DatastoreVersion("mariadb", f"{major}.{int(minor) + 1}"),
        DatastoreVersion("mariadb", f"{int(major) + 1}.0"),
        DatastoreVersion("mysql", "5.7.29", default=True),
    ]
    if postgresql:
        names = (postgresql, f"{postgresql}.99", str(int(postgresql) + 1))
        versions += [
            DatastoreVersion("postgresql", name, name == postgresql, POSTGRESQL)
            for name in names
        ]
    return tuple(versions)
