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

"""The clouds.yaml with which ``openstack`` finds the sandbox."""

import shlex
from pathlib import Path
from typing import Any

import yaml

from trove_ext.sandbox import labels
from trove_ext.sandbox.state import Settings, StateDir, write_private

CLOUD = "sandbox"
ADMIN_CLOUD = "sandbox-admin"


def cloud(settings: Settings, project: str, user: str, password: str) -> dict[str, Any]:
    """One entry of clouds.yaml."""
    return {
        "auth": {
            "auth_url": settings.auth_url,
            "project_name": project,
            "project_domain_id": "default",
            "username": user,
            "user_domain_id": "default",
            "password": password,
        },
        "region_name": labels.REGION,
        "interface": "public",
        "identity_api_version": "3",
    }


def read(path: Path) -> dict[str, Any]:
    """Read the existing clouds, by name."""
    if not path.exists():
        return {}
    clouds: dict[str, Any] = yaml.safe_load(path.read_text())["clouds"]
    return clouds


def add(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Add a cloud to the file, or replace the one of that name."""
    clouds = read(path) | {name: entry}
    write_private(path, yaml.safe_dump({"clouds": clouds}, sort_keys=True))


def add_region(path: Path, name: str) -> None:
    """Let each cloud of the file have this region too, beside the first."""
    clouds = read(path)
    for entry in clouds.values():
        # With region_name alone, openstacksdk refuses any other region.
        names = entry.get("regions") or [entry.pop("region_name")]
        entry["regions"] = list(dict.fromkeys([*names, name]))
    write_private(path, yaml.safe_dump({"clouds": clouds}, sort_keys=True))


def write_first(state: StateDir, settings: Settings) -> None:
    """Write the two clouds of a new sandbox; others are kept."""
    user = cloud(settings, CLOUD, CLOUD, settings.user_password)
    admin = cloud(settings, "admin", "admin", settings.admin_password)
    add(state.clouds, CLOUD, user)
    add(state.clouds, ADMIN_CLOUD, admin)


def exports(state: StateDir) -> str:
    """Return the two lines that make a shell use the sandbox."""
    path = shlex.quote(str(state.clouds))
    return f"export OS_CLIENT_CONFIG_FILE={path}\nexport OS_CLOUD={CLOUD}"
