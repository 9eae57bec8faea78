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

"""The state of the fake cloud: the rows of Trove's own tables.

Status is derived as Trove derives it, from a task, the server and the service
(trove/instance/models.py, `SimpleInstance.status` and `operating_status`).
"""

import enum
from dataclasses import dataclass, field
from datetime import datetime


class Task(enum.Enum):
    """trove/instance/tasks.py: action, and whether it is an error."""

    NONE = ("NONE", False, "")
    DELETING = ("DELETING", False, "")
    REBOOTING = ("REBOOTING", False, "")
    RESIZING = ("RESIZING", False, "")
    BUILDING = ("BUILDING", False, "")
    MIGRATING = ("MIGRATING", False, "")
    RESTART_REQUIRED = ("RESTART_REQUIRED", False, "")
    PROMOTING = ("PROMOTING", False, "")
    EJECTING = ("EJECTING", False, "")
    DETACHING = ("DETACHING", False, "")
    UPDATING = ("UPDATING", False, "")
    UPGRADING = ("UPGRADING", False, "")
    BUILDING_ERROR_SERVER = ("BUILDING", True, "server")
    BUILDING_ERROR_REPLICA = ("BUILDING", True, "replica")
    BUILDING_ERROR_TIMEOUT_GA = ("ERROR", True, "guestagent timeout")
    PROMOTION_ERROR = ("PROMOTING", True, "")
    EJECTION_ERROR = ("EJECTING", True, "")

    @property
    def action(self) -> str:
        """The word that a 422 contains."""
        return self.value[0]

    @property
    def is_error(self) -> bool:
        """Whether the instance shows ERROR."""
        return self.value[1]


#: Task to status, where the task alone decides (`SimpleInstance.status`).
#: MIGRATING and UPDATING are missing there: they show as ACTIVE.
TASK_STATUS = {
    Task.BUILDING: "BUILD",
    Task.REBOOTING: "REBOOT",
    Task.RESIZING: "RESIZE",
    Task.UPGRADING: "UPGRADE",
    Task.RESTART_REQUIRED: "RESTART_REQUIRED",
    Task.PROMOTING: "PROMOTE",
    Task.EJECTING: "EJECT",
    Task.DETACHING: "DETACH",
    Task.DELETING: "SHUTDOWN",
}


class Service(enum.Enum):
    """trove/instance/service_status.py: description, as the API says it, allowed."""

    HEALTHY = ("healthy", "HEALTHY", True)
    RUNNING = ("running", "ACTIVE", True)
    SHUTDOWN = ("shutdown", "SHUTDOWN", True)
    CRASHED = ("crashed", "SHUTDOWN", True)
    FAILED = ("failed to spawn", "FAILED", False)
    NEW = ("new", "NEW", False)
    UNKNOWN = ("unknown", "ERROR", False)
    FAILED_TIMEOUT_GUESTAGENT = ("guestagent error", "ERROR", False)
    RESTARTING = ("restarting", "RESTARTING", False)
    UPGRADING = ("upgrading", "UPGRADING", False)

    @property
    def description(self) -> str:
        """The word in "Instance X is not ready, status: ..."."""
        return self.value[0]

    @property
    def api_status(self) -> str:
        """The operating status."""
        return self.value[1]

    @property
    def action_is_allowed(self) -> bool:
        """Whether Trove accepts an action in this state."""
        return self.value[2]


@dataclass
class Fault:
    """The single fault that an instance stores."""

    message: str
    created: datetime


@dataclass
class User:
    """A database user of an instance."""

    name: str
    host: str = "%"
    password: str = ""
    databases: set[str] = field(default_factory=set)


@dataclass
class Content:
    """What is inside a database server."""

    databases: set[str] = field(default_factory=set)
    users: dict[tuple[str, str], User] = field(default_factory=dict)

    def copy(self) -> "Content":
        """Return an independent copy."""
        users = {
            key: User(u.name, u.host, u.password, set(u.databases))
            for key, u in self.users.items()
        }
        return Content(set(self.databases), users)


@dataclass
class Instance:
    """A row of `instances`, its service status and its guest."""

    id: str
    name: str
    created: datetime
    updated: datetime
    flavor_id: str
    volume_size: int
    version_id: str
    replica_of: str | None = None
    configuration_id: str | None = None
    network_id: str | None = None
    ip: str = ""
    hostname: str | None = None
    access: dict[str, object] | None = None
    availability_zone: str | None = None
    volume_type: str | None = None
    locality: str | None = None
    region: str = "RegionOne"
    cluster_id: str | None = None
    task: Task = Task.BUILDING
    service: Service = Service.NEW
    server_status: str = "BUILD"
    fault: Fault | None = None
    deleted: bool = False
    restored_from: str | None = None
    content: Content = field(default_factory=Content)
    root_enabled: bool = False
    root_password: str = ""
    #: Guest state that no API shows.
    has_server: bool = True
    built: bool = True
    read_only: bool = False
    replicating: bool = True
    database_running: bool = True
    #: Until when the server replays WAL and takes no writes, though it is HEALTHY.
    recovers_until: datetime | None = None
    #: Whether a promote made it a replica, so it was a source before.
    was_source: bool = False
    #: The values of a configuration group in its file, and those in effect.
    overrides: dict[str, object] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    #: PostgreSQL: whether it has the password of its replicas (``.replpass``), and
    #: its mode of TLS.
    has_password_file: bool = True
    #: Whether it is a server of its own although Trove calls it a replica.
    diverged: bool = False
    ssl_mode: str | None = None
    modules: dict[str, str] = field(default_factory=dict)
    ssl_expires: datetime | None = None
    #: When the host was switched off; the time of its last heartbeat.
    off_since: datetime | None = None


class BackupState(enum.StrEnum):
    """trove/backup/state.py."""

    NEW = "NEW"
    BUILDING = "BUILDING"
    SAVING = "SAVING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DELETE_FAILED = "DELETE_FAILED"
    RESTORED = "RESTORED"

    @property
    def is_running(self) -> bool:
        """Whether it keeps its instance busy."""
        return self in RUNNING_STATES


RUNNING_STATES = (BackupState.NEW, BackupState.BUILDING, BackupState.SAVING)


@dataclass
class Backup:
    """A row of `backups`, and the content of its object in the store."""

    id: str
    name: str
    created: datetime
    updated: datetime
    instance_id: str | None
    version_id: str | None
    description: str | None = None
    parent_id: str | None = None
    state: BackupState = BackupState.NEW
    size: float | None = None
    location: str | None = None
    storage_driver: str = "swift"
    deleted: bool = False
    object_lost: bool = False
    content: Content = field(default_factory=Content)


@dataclass(frozen=True)
class Flavor:
    """A flavor, as Nova has it; `ram` in MB, `disk` in GB."""

    id: str
    name: str
    ram: int
    vcpus: int
    disk: int = 10


@dataclass
class DatastoreVersion:
    """A version of a datastore; `version` is its number."""

    id: str
    name: str
    version: str
    datastore: str
    active: bool = True
    flavors: tuple[str, ...] = ()


@dataclass
class Datastore:
    """A datastore and its default version."""

    id: str
    name: str
    default_version_id: str


@dataclass
class Configuration:
    """A configuration group."""

    id: str
    name: str
    version_id: str
    created: datetime
    updated: datetime
    description: str | None = None
    values: dict[str, object] = field(default_factory=dict)


@dataclass
class Timings:
    """Virtual seconds that each task takes; the order of magnitude is realistic."""

    request: float = 0.05
    create: float = 30.0
    restore: float = 60.0
    #: Of a restored PostgreSQL, from HEALTHY until it takes writes.
    recovery: float = 0.2
    backup_queued: float = 2.0
    backup: float = 20.0
    backup_delete: float = 3.0
    instance_delete: float = 8.0
    #: One step of a promote or an eject: roles change one by one.
    role_step: float = 4.0
    detach: float = 5.0
    restart: float = 10.0
    resize: float = 25.0
    upgrade: float = 60.0
    rebuild: float = 40.0
    access: float = 3.0
    #: From the end of a task to the next heartbeat that says HEALTHY.
    heartbeat: float = 2.0
    #: Until a row written on a source is on its replicas.
    replication: float = 0.5
    #: trove/common/cfg.py: agent_heartbeat_expiry, agent_call_low_timeout,
    #: agent_call_high_timeout, usage_timeout, restore_usage_timeout; the
    #: catch-up limit of a promote is the guest's.
    heartbeat_expiry: float = 90.0
    agent_call: float = 5.0
    agent_call_long: float = 60.0
    usage_timeout: float = 1800.0
    restore_timeout: float = 3600.0
    catch_up: float = 180.0
    #: After a promote that left a sibling behind, Trove sets every task to NONE
    #: before it sets the sibling's to an error; a poller may read in between.
    error_gap: float = 1.0


@dataclass
class Knobs:
    """Armed failures: ID or name of an instance, or "*", to a message.

    An armed failure stays until it is removed from its dictionary.
    """

    backup: dict[str, str] = field(default_factory=dict)
    restore: dict[str, str] = field(default_factory=dict)
    create: dict[str, str] = field(default_factory=dict)
    create_hangs: dict[str, str] = field(default_factory=dict)
    snapshot: dict[str, str] = field(default_factory=dict)
    promote_candidate: dict[str, str] = field(default_factory=dict)
    promote_sibling: dict[str, str] = field(default_factory=dict)
    detach: dict[str, str] = field(default_factory=dict)
    resize: dict[str, str] = field(default_factory=dict)
    upgrade: dict[str, str] = field(default_factory=dict)
    backup_delete: dict[str, str] = field(default_factory=dict)


def armed(knob: dict[str, str], instance: Instance) -> str | None:
    """Return the message of a failure that is armed for the instance, or None."""
    for key in (instance.id, instance.name, "*"):
        if key in knob:
            return knob[key]
    return None
