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

"""What ``trove-sandbox fault`` does to instances."""

from trove_ext.sandbox import inventory, projects
from trove_ext.sandbox.faults import POINTS, Fault, Faults
from trove_ext.sandbox.guest.engine import DatabaseError
from trove_ext.sandbox.standins.store import Row
from trove_ext.sandbox.state import SandboxError, StateDir

# Points at which a fault applies to requests; all others apply to an instance.
_OF_REQUESTS = ("slow-api", "slow-answer")
_SLOW_SECONDS = 5.0


def make(
    point: str,
    *,
    text: str,
    sleep: float | None,
    hang: bool,
    once: bool,
    target: str | None,
) -> Fault:
    """Create the fault that the options of ``fault set`` describe.

    Raises SandboxError for an unknown point.
    """
    if point not in POINTS:
        raise SandboxError(f"{point} is none of {', '.join(POINTS)}")
    if point == "archive" and (hang or once or sleep is not None):
        raise SandboxError("The point archive takes none of --sleep, --hang, --once")
    if hang or point == "create-hang":
        return Fault(point, "hang", "", target, once)
    if sleep is None and point in _OF_REQUESTS:
        sleep = _SLOW_SECONDS
    if sleep is not None:
        return Fault(point, "sleep", f"{sleep:g}", target, once)
    return Fault(point, "error", text, target, once)


def target(where: StateDir, instance: str | None, cloud: str | None) -> str | None:
    """Return the target of a fault: an instance's ID, a project's, or all.

    If the instance doesn't exist yet, the target is its name.
    """
    if cloud is not None:
        return projects.project_id(where, cloud)
    if instance is None:
        return None
    row = inventory.find(where, instance)
    return instance if row is None else str(row["instance_id"])


def _existing(where: StateDir, instance: str) -> Row:
    row = inventory.find(where, instance)
    if row is None or not row["hosted"]:
        raise SandboxError(f"The sandbox has no instance {instance}")
    return row


def kill_database(where: StateDir, instance: str) -> None:
    """Kill an instance's database server; its agent keeps running and reports that."""
    row = _existing(where, instance)
    if inventory.pid_of(where, row) is None:
        raise SandboxError(f"The database of {instance} doesn't run")
    inventory.engine_of(row).kill(where.instances / row["instance_id"])


def stop_replication(where: StateDir, instance: str) -> None:
    """Stop a replica's replication; Trove does not notice and still reports it healthy.

    Raises SandboxError if the database doesn't answer.
    """
    row = _existing(where, instance)
    root = where.instances / row["instance_id"]
    try:
        inventory.engine_of(row).stop_replication(root, row["address"])
    except DatabaseError as exc:
        raise SandboxError(
            f"Replication of {instance} can't be stopped: {exc}"
        ) from exc


def host_off(where: StateDir, instance: str) -> None:
    """Switch an instance's host off: no database, no agent, no heartbeat."""
    Faults(where.root).power_off(_existing(where, instance)["instance_id"])


def host_on(where: StateDir, instance: str) -> None:
    """Switch an instance's host on again."""
    Faults(where.root).power_on(_existing(where, instance)["instance_id"])
