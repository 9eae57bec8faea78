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

"""The real Keystone, in one process under a threaded WSGI server.

Started by ``trove-sandbox up`` as ``python -m trove_ext.sandbox.keystone_server DIR``.
The first start creates the database, the keys, the users and the catalogue.
"""

import sys
import time
import uuid
from pathlib import Path
from typing import Any

from trove_ext.sandbox import clouds, database, labels
from trove_ext.sandbox.state import SandboxError, Settings, StateDir, write_private

SERVICE_USER = "trove"
SERVICE_PROJECT = "service"
_DOMAIN = "default"
_THREADS = 8
_BACKLOG = 128
_ROLES = ("admin", "manager", "member", "reader", "service", labels.RESELLER_ROLE)
SERVICES = {
    "compute": ("nova", "compute/v2.1"),
    "key-manager": ("barbican", "key-manager"),
}
"""Name and path of each service that shares the port of Trove, by its type."""
_POLL_SECONDS = 0.1
_DATABASE_SECONDS = 240.0


def config(state: StateDir, settings: Settings) -> str:
    """Keystone's configuration file."""
    return f"""\
[DEFAULT]
log_file = {state.logs / "keystone.log"}
use_stderr = false

[database]
# With SQLite one of two log-ins at the same moment ends with 500.
connection = {database.url(settings, database.KEYSTONE)}

[token]
provider = fernet
expiration = {settings.token_seconds}

[fernet_tokens]
key_repository = {state.keys / "fernet"}

[fernet_receipts]
key_repository = {state.keys / "fernet"}

[credential]
key_repository = {state.keys / "credential"}

[identity]
# The lowest: a log-in takes 5 ms instead of 250.
password_hash_rounds = 4
# The maximum of bcrypt; with more, Keystone warns at each log-in.
max_password_length = 72

[cache]
# Without it a token takes 150 ms of processor time to create and 400 to check, with
# it 20 and 5. One process has one cache, so nothing in it becomes stale.
enabled = true
backend = dogpile.cache.memory
"""


def prepare(state: StateDir, settings: Settings) -> None:
    """Create keys and tables, replacing those of a first start that was killed."""
    from keystone.common import fernet_utils
    from keystone.common.sql import upgrades

    with database.connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database.KEYSTONE}")
        cursor.execute(f"CREATE DATABASE {database.KEYSTONE}")
    for name, group in (("fernet", "fernet_tokens"), ("credential", "credential")):
        repository = state.keys / name
        repository.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = fernet_utils.FernetUtils(str(repository), 1, group)
        keys.initialize_key_repository()
    upgrades.offline_sync_database_to_version(None)


def populate(settings: Settings) -> None:
    """Create users, projects, roles, services and endpoints; once.

    Keystone's own bootstrap (keystone/cmd/bootstrap.py) loads all back ends again,
    which is impossible in a process that has an application.
    """
    from keystone.common import provider_api

    api = provider_api.ProviderAPIs
    api.resource_api.create_domain(
        _DOMAIN, {"id": _DOMAIN, "name": "Default", "enabled": True}
    )
    for role in _ROLES:
        api.role_api.create_role(role, {"id": role, "name": role})
    _member("admin", "admin", settings.admin_password, ["admin"])
    _member(clouds.CLOUD, clouds.CLOUD, settings.user_password, ["member"])
    _member(
        SERVICE_PROJECT, SERVICE_USER, settings.service_password, ["admin", "service"]
    )
    api.catalog_api.create_region({"id": labels.REGION})
    _service("identity", "keystone", settings.auth_url)
    _service("database", "trove", f"{settings.database_url}/$(project_id)s")
    _service("object-store", "swift", f"{settings.store_url}/AUTH_$(project_id)s")
    for kind, (name, path) in SERVICES.items():
        _service(kind, name, settings.service_url(path))


def _member(project: str, user: str, password: str, roles: list[str]) -> None:
    """Create a project with one user who has these roles in it."""
    from keystone.common import provider_api

    api = provider_api.ProviderAPIs
    project_id, common = uuid.uuid4().hex, {"domain_id": _DOMAIN, "enabled": True}
    api.resource_api.create_project(
        project_id, {"id": project_id, "name": project, **common}
    )
    made = api.identity_api.create_user({"name": user, "password": password, **common})
    for role in roles:
        api.assignment_api.add_role_to_user_and_project(made["id"], project_id, role)


def _service(kind: str, name: str, url: str) -> None:
    """Add a service and its endpoints to the catalogue."""
    from keystone.common import provider_api

    api = provider_api.ProviderAPIs
    service = {"id": uuid.uuid4().hex, "type": kind, "name": name, "enabled": True}
    api.catalog_api.create_service(service["id"], service)
    # An internal one as well: keystonemiddleware uses it.
    for interface in ("public", "internal", "admin"):
        endpoint = {
            "id": uuid.uuid4().hex,
            "service_id": service["id"],
            "interface": interface,
            "region_id": labels.REGION,
            "url": url,
            "enabled": True,
        }
        api.catalog_api.create_endpoint(endpoint["id"], endpoint)


def load_policy() -> None:
    """Load the rules of Keystone.

    It does so at its first request, without a lock, so that of two first ones at the
    same moment one ends with 500 (RBACEnforcer in keystone/common/rbac_enforcer).
    """
    import flask
    from keystone.common.rbac_enforcer import enforcer

    with flask.Flask("sandbox").test_request_context():
        enforcer.RBACEnforcer()._enforcer.load_rules()  # noqa: SLF001 - its only name


def serve(settings: Settings, application: Any) -> None:
    """Serve requests until the process is signalled to end."""
    from cheroot import wsgi

    server = wsgi.Server(
        ("127.0.0.1", settings.keystone_port),
        application,
        numthreads=_THREADS,
        request_queue_size=_BACKLOG,
        server_name="keystone",
    )
    server.safe_start()


def _wait_for_database(settings: Settings) -> None:
    """Wait until the private database responds; raises SandboxError after minutes."""
    deadline = time.monotonic() + _DATABASE_SECONDS
    while not database.answers(settings):
        if time.monotonic() > deadline:
            raise SandboxError("The database doesn't respond")
        time.sleep(_POLL_SECONDS)


def main() -> None:
    """Run Keystone for the state directory named by the first argument."""
    state = StateDir(Path(sys.argv[1]))
    settings = state.settings()
    write_private(state.keystone_config, config(state, settings))
    # Keystone parses the command line as soon as it is configured.
    sys.argv = ["keystone", f"--config-file={state.keystone_config}"]

    from keystone.server.flask import core

    _wait_for_database(settings)
    done = state.root / "keystone.ready"
    fresh = not done.exists()
    application = core.initialize_application(
        "public",
        lambda: prepare(state, settings) if fresh else None,
        [str(state.keystone_config)],
    )
    if fresh:
        populate(settings)
        write_private(done, "")
    load_policy()
    serve(settings, application)


if __name__ == "__main__":
    main()
