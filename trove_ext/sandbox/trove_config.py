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

"""The configuration of the real Trove: what differs from its defaults, and why."""

from importlib import metadata
from pathlib import Path

from trove_ext.sandbox import database
from trove_ext.sandbox.guest.engine import MARIADB
from trove_ext.sandbox.keystone_server import SERVICE_PROJECT, SERVICE_USER
from trove_ext.sandbox.state import SandboxError, Settings, StateDir

_STAND_INS = {
    "nova": "nova",
    "cinder": "cinder",
    "neutron": "neutron",
    "glance": "glance",
    "guest": "guests",
}


def paste_file() -> Path:
    """Return the path of Trove's own api-paste.ini.

    Raises SandboxError if it doesn't exist.
    """
    for file in metadata.files("trove") or ():
        if file.name == "api-paste.ini":
            return Path(str(file.locate())).resolve()
    raise SandboxError("The installed Trove has no api-paste.ini")


def _stand_ins() -> str:
    package = "trove_ext.sandbox.standins"
    return "\n".join(
        f"remote_{name}_client = {package}.{module}.client"
        for name, module in _STAND_INS.items()
    )


def _limits(settings: Settings) -> str:
    methods = ("get", "post", "put", "delete", "mgmt_post")
    return "\n".join(f"http_{method}_rate = {settings.rate}" for method in methods)


def credentials(settings: Settings) -> str:
    """Return how a service logs in to Keystone, as options of a section."""
    return f"""\
auth_url = {settings.auth_url}
username = {SERVICE_USER}
password = {settings.service_password}
project_name = {SERVICE_PROJECT}
user_domain_id = default
project_domain_id = default
user_domain_name = Default
project_domain_name = Default
region_name = {settings.region}"""


def _authtoken(settings: Settings) -> str:
    """Return the section of keystonemiddleware.

    Without ``service_type`` it refuses every request of an application credential with
    access rules (``validate_allowed_request`` in its ``auth_token/__init__.py``).
    """
    return f"""\
[keystone_authtoken]
auth_type = password
www_authenticate_uri = {settings.auth_url}
service_token_roles_required = false
service_type = database
{credentials(settings)}"""


def config(state: StateDir, settings: Settings) -> str:
    """Return the whole of trove.conf."""
    return f"""\
[DEFAULT]
log_file = {state.logs / "trove.log"}
use_stderr = false
bind_host = 127.0.0.1
bind_port = {settings.trove_port}
api_paste_config = {paste_file()}
# All services are in one process, and this transport works only inside one.
transport_url = fake:/
# A rebuild assumes that there is such a file for the datastore.
cloudinit_location = {state.root / "cloudinit"}
enable_secure_rpc_messaging = false
{_stand_ins()}
swift_url = {settings.store_url}/AUTH_
default_datastore = mariadb
{_limits(settings)}
max_instances_per_tenant = 10000
max_volumes_per_tenant = 1000000
max_backups_per_tenant = 100000
max_accepted_volume_size = 1000
# Seconds. A guest responds at once here, so the defaults are too long.
usage_sleep_time = 1
usage_timeout = 40
restore_usage_timeout = 600
agent_call_low_timeout = 5
agent_call_high_timeout = {settings.agent_seconds}
agent_heartbeat_expiry = 15
state_change_poll_time = 1
reboot_time_out = 60
resize_time_out = 60
revert_time_out = 60

[{MARIADB}]
usage_timeout = 40

[database]
connection = {database.url(settings, database.TROVE)}
max_pool_size = 30
max_overflow = 60
max_retries = 20

[network]
enable_access_check = false

[oslo_policy]
policy_file = {state.policy}

[service_credentials]
{credentials(settings)}

{_authtoken(settings)}
"""
