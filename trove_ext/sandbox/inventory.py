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

"""The instances of the sandbox, read from its files and Trove's database."""

from dataclasses import dataclass
from pathlib import Path

from trove_ext.sandbox import database
from trove_ext.sandbox.faults import Faults
from trove_ext.sandbox.guest import engine
from trove_ext.sandbox.standins.store import Row, Store
from trove_ext.sandbox.state import SandboxError, Settings, StateDir


@dataclass(frozen=True)
class Member:
    """One instance with a host of its own."""

    id: str
    name: str
    address: str
    pid: int | None
    """The process ID of its database server, None if it isn't running."""
    role: str
    """``source`` or ``replica of <name>``; ``?`` while Trove's database is down."""
    host: str
    """``on`` or ``off``."""
    data: Path


def servers(where: StateDir) -> list[Row]:
    """Return the rows of all servers, including those that seed made up.

    One that is being deleted has no instance any more; see standins/nova.py.
    """
    if not where.inventory.exists():
        return []
    store = Store(where.inventory)
    try:
        return [row for row in store.all("server") if not row.get("deleted")]
    finally:
        store.close()


def members(where: StateDir, settings: Settings) -> list[Member]:
    """Return the instances that have a host."""
    hosted = [row for row in servers(where) if row["hosted"]]
    roles = _roles(settings) if hosted else {}
    return [_member(where, row, roles) for row in hosted]


def find(where: StateDir, key: str) -> Row | None:
    """Return the server of the instance with this ID or name, if there is one.

    Raises SandboxError if several have that name.
    """
    found = [row for row in servers(where) if key in {row["instance_id"], row["name"]}]
    if len(found) > 1:
        ids = ", ".join(row["instance_id"] for row in found)
        raise SandboxError(f"Several instances are called {key}: {ids}")
    return found[0] if found else None


def engine_of(server: Row) -> engine.Engine:
    """Return the engine of a server's instance."""
    # Seeded servers have none, because they run nothing.
    return engine.of(server.get("manager", engine.MARIADB))


def pid_of(where: StateDir, server: Row) -> int | None:
    """Return the process ID of an instance's database server, if it is running."""
    return engine_of(server).pid(where.instances / server["instance_id"])


def _member(where: StateDir, row: Row, roles: dict[str, str] | None) -> Member:
    instance_id = row["instance_id"]
    is_off = Faults(where.root).is_off(instance_id)
    return Member(
        id=instance_id,
        name=row["name"],
        address=row["address"],
        pid=pid_of(where, row),
        role="?" if roles is None else roles.get(instance_id, ""),
        host="off" if is_off else "on",
        data=engine_of(row).layout(where.instances / instance_id).data,
    )


def _roles(settings: Settings) -> dict[str, str] | None:
    """Return the role of each instance that has one; None without the database."""
    if not database.answers(settings):
        return None
    sql = (
        "SELECT r.id, s.id AS source, s.name FROM instances r"
        " JOIN instances s ON s.id = r.slave_of_id WHERE r.deleted = 0"
    )
    with database.connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall()
    sources = {row["source"]: "source" for row in rows}
    return sources | {row["id"]: f"replica of {row['name']}" for row in rows}
