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

"""More projects for the sandbox, each with a user and an entry in clouds.yaml."""

import secrets
import uuid
from typing import Any

from trove_ext.sandbox import clouds, database
from trove_ext.sandbox.state import SandboxError, Settings, StateDir

_QUOTAS = ("instances", "ram", "volumes", "backups")


def session(entry: dict[str, Any]) -> Any:
    """Open a session with Keystone as a cloud's user."""
    from keystoneauth1 import session as ksession
    from keystoneauth1.identity import v3

    return ksession.Session(auth=v3.Password(**entry["auth"]))


def project_id(where: StateDir, name: str) -> str:
    """Return the ID of the project that a cloud of clouds.yaml uses.

    Raises SandboxError if there is no such cloud, or Keystone doesn't answer.
    """
    from keystoneauth1 import exceptions

    entry = clouds.read(where.clouds).get(name)
    if entry is None:
        raise SandboxError(f"{where.clouds} has no cloud {name}")
    try:
        found: str = session(entry).get_project_id()
    except exceptions.ClientException as exc:
        raise SandboxError(f"Keystone refuses the log-in of {name}: {exc}") from exc
    return found


def create(where: StateDir, name: str) -> str:
    """Create a project, a user and a cloud of this name.

    Returns the cloud's name. Raises SandboxError if the name is taken or Keystone
    doesn't answer.
    """
    from keystoneauth1 import exceptions

    settings = where.settings()
    password = secrets.token_urlsafe(18)
    # One at a time: each reads clouds.yaml, adds to it and writes it again.
    with where.lock(wait=True):
        try:
            made = _in_keystone(where, settings, name, password)
        except exceptions.Conflict:
            raise SandboxError(f"A project or user {name} already exists") from None
        except exceptions.ClientException as exc:
            raise SandboxError(f"Keystone refuses to create {name}: {exc}") from exc
        warm(settings, made)
        entry = clouds.cloud(settings, name, name, password)
        regions = clouds.read(where.clouds)[clouds.CLOUD].get("regions")
        if regions:
            entry["regions"] = regions
            del entry["region_name"]
        clouds.add(where.clouds, name, entry)
    return name


def _in_keystone(where: StateDir, settings: Settings, name: str, password: str) -> str:
    admin = session(clouds.read(where.clouds)[clouds.ADMIN_CLOUD])
    url, common = settings.auth_url, {"name": name, "domain_id": "default"}
    project = admin.post(f"{url}/projects", json={"project": common}).json()["project"]
    body = {"user": common | {"password": password}}
    user = admin.post(f"{url}/users", json=body).json()["user"]
    # The IDs of the sandbox's roles are their names.
    admin.put(f"{url}/projects/{project['id']}/users/{user['id']}/roles/member")
    made: str = project["id"]
    return made


def warm(settings: Settings, project: str) -> None:
    """Create the rows in which Trove counts what a project uses.

    Trove creates them at a project's first request, a race: two first requests at once
    create them twice, and one of the two fails with 500 (trove/quota/quota.py).
    """
    sql = (
        "INSERT IGNORE INTO quota_usages"
        " (id, created, updated, tenant_id, in_use, reserved, resource)"
        " VALUES (%s, UTC_TIMESTAMP(), UTC_TIMESTAMP(), %s, 0, 0, %s)"
    )
    with database.connect(settings) as connection, connection.cursor() as cursor:
        cursor.executemany(sql, [(str(uuid.uuid4()), project, q) for q in _QUOTAS])
        connection.commit()
