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

"""The files that Tempest needs: its configuration, and a workspace of stestr."""

import importlib.util
from pathlib import Path
from typing import Any

from trove_ext.sandbox import clouds, labels
from trove_ext.sandbox.state import StateDir

PLUGIN = "trove_tempest_plugin"
DATASTORES = ("mysql", "mariadb", "postgresql")
#: What a user of Trove has, and what deletes its account in Swift.
_ROLES = ("member", "ResellerAdmin")
_SECONDS = 600
_HTTP_SECONDS = 180

# As tempest init writes it: the tests of a class run one after the other.
_STESTR = """\
[DEFAULT]
test_path={package}/test_discover
top_dir={top}
group_regex=([^\\.]*\\.)*
"""


def write(directory: Path, state: StateDir) -> Path:
    """Write the workspace into *directory*; return the path of the configuration."""
    directory.mkdir(parents=True, exist_ok=True)
    spec = importlib.util.find_spec("tempest")
    if spec is None or spec.origin is None:
        raise RuntimeError("tempest is not installed; see tox -e tempest")
    package = Path(spec.origin).parent
    text = _STESTR.format(package=package, top=package.parent)
    (directory / ".stestr.conf").write_text(text)
    path = directory / "tempest.conf"
    entry = clouds.read(state.clouds)[clouds.ADMIN_CLOUD]
    path.write_text(render(entry, directory, _versions(state)))
    return path


def _versions(state: StateDir) -> dict[str, str]:
    """Return the default version of each datastore that the sandbox has."""
    settings = state.settings()
    offered = labels.datastore_versions(settings.engine, settings.postgresql)
    return {version.datastore: version.name for version in offered if version.default}


def render(cloud: dict[str, Any], directory: Path, versions: dict[str, str]) -> str:
    """Format tempest.conf.

    :param cloud: the entry of an administrator in clouds.yaml
    :param versions: of each datastore, the one that instances are made of
    """
    auth = cloud["auth"]
    sections = {
        "DEFAULT": {"log_file": directory / "tempest.log"},
        "oslo_concurrency": {"lock_path": directory / "locks"},
        "auth": {
            "use_dynamic_credentials": "true",
            "create_isolated_networks": "false",
            "tempest_roles": ",".join(_ROLES),
            "admin_username": auth["username"],
            "admin_password": auth["password"],
            "admin_project_name": auth["project_name"],
            "admin_domain_name": "Default",
        },
        "identity": {
            "uri_v3": auth["auth_url"],
            "auth_version": "v3",
            "region": cloud["region_name"],
            "v3_endpoint_type": "publicURL",
            "default_domain_id": auth["project_domain_id"],
        },
        "identity-feature-enabled": {"api_v3": "true"},
        "service_available": {
            "trove": "true",
            "swift": "true",
            "barbican": "true",
            "nova": "false",
            "neutron": "false",
            "glance": "false",
            "cinder": "false",
        },
        "object-storage": {
            "operator_role": "member",
            "reseller_admin_role": "ResellerAdmin",
        },
        "service-clients": {"http_timeout": _HTTP_SECONDS},
        "database": _database(versions),
    }
    return "\n".join(_section(name, values) for name, values in sections.items())


def _database(versions: dict[str, str]) -> dict[str, object]:
    """Return the plugin's own options; the sandbox has all that they can ask for."""
    return {
        "enabled_datastores": ",".join(DATASTORES),
        "default_datastore_versions": _pairs(versions),
        "pre_upgrade_datastore_versions": _pairs(versions),
        "database_build_timeout": _SECONDS,
        "database_restore_timeout": _SECONDS,
        "backup_wait_timeout": _SECONDS,
        "flavor_id": "db.small",
        "resize_flavor_id": "db.medium",
        "volume_type": labels.VOLUME_TYPES[0].name,
        "shared_network": labels.DEFAULT_NETWORK.id,
        "rebuild_image_id": labels.IMAGE_ID,
        "remove_swift_account": "true",
        "run_full_tests": "true",
    }


def _pairs(values: dict[str, str]) -> str:
    return ",".join(f"{key}:{value}" for key, value in values.items())


def _section(name: str, values: dict[str, Any]) -> str:
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])
