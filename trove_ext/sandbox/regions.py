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

"""More regions: a Trove of its own for each, over one Keystone and one object store.

``trove-sandbox region create`` starts the Trove of another region, with a database and
addresses of its own, in a directory below that of the sandbox. Its backups are in the
store of the sandbox, as in a cloud whose regions share a Swift.
"""

import dataclasses
import re
import shutil
from collections.abc import Iterator
from typing import Any

from trove_ext.sandbox import clouds, lifecycle, projects
from trove_ext.sandbox.keystone_server import SERVICES
from trove_ext.sandbox.state import SandboxError, Settings, StateDir, choose

_NAME = re.compile(r"[A-Za-z][\w-]{0,63}")


def place(where: StateDir, name: str) -> StateDir:
    """Return the directory of a region of this sandbox."""
    return StateDir(where.root / "regions" / name)


def create(where: StateDir, name: str, report: lifecycle.Report) -> bool:
    """Start the Trove of a region, which is created if there is none.

    Returns whether there was anything to start. Raises SandboxError if the name can't
    be that of a region, or the sandbox itself is not running.
    """
    settings = where.settings()
    if not _NAME.fullmatch(name) or name == settings.region:
        raise SandboxError(f"{name!r} can't be the name of another region")
    if len(lifecycle.running(where)) < len(lifecycle.SERVICES):
        raise SandboxError("The sandbox is not running: start it with trove-sandbox up")
    there = place(where, name)
    if not there.exists():
        # What a command left that was killed before it could save the settings.
        shutil.rmtree(there.root, ignore_errors=True)
        _prepare(there, name, settings)
    started = lifecycle.start_again(there, report)
    with where.lock(wait=True):
        _announce(where, there.settings())
        clouds.add_region(where.clouds, name)
    return started


def _prepare(there: StateDir, name: str, main: Settings) -> None:
    there.check()
    there.root.mkdir(mode=0o700, parents=True)
    there.make()
    own = choose(main.engine, main.token_seconds, main.rate, main.agent_seconds)
    there.save(
        dataclasses.replace(
            own,
            keystone_port=main.keystone_port,
            admin_password=main.admin_password,
            user_password=main.user_password,
            service_password=main.service_password,
            postgresql=main.postgresql,
            region=name,
            swift_port=main.swift_port,
        )
    )


def _announce(where: StateDir, settings: Settings) -> None:
    """Add what is missing of a region to Keystone's catalogue."""
    admin = projects.session(clouds.read(where.clouds)[clouds.ADMIN_CLOUD])
    url = settings.auth_url
    regions = admin.get(f"{url}/regions").json()["regions"]
    if settings.region not in {region["id"] for region in regions}:
        admin.post(f"{url}/regions", json={"region": {"id": settings.region}})
    listed = admin.get(f"{url}/endpoints?region_id={settings.region}").json()
    there = {(row["service_id"], row["interface"]) for row in listed["endpoints"]}
    services = admin.get(f"{url}/services").json()["services"]
    ids = {service["type"]: service["id"] for service in services}
    for kind, address in _addresses(settings):
        for interface in ("public", "internal", "admin"):
            endpoint: dict[str, Any] = {
                "service_id": ids[kind],
                "interface": interface,
                "region_id": settings.region,
                "url": address,
            }
            if (ids[kind], interface) not in there:
                admin.post(f"{url}/endpoints", json={"endpoint": endpoint})


def _addresses(own: Settings) -> Iterator[tuple[str, str]]:
    yield "identity", own.auth_url
    yield "object-store", f"{own.store_url}/AUTH_$(project_id)s"
    yield "database", f"{own.database_url}/$(project_id)s"
    for kind, (_name, path) in SERVICES.items():
        yield kind, own.service_url(path)
