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

"""The configuration of the real Swift: rings, and a file for each server."""

import os
from collections.abc import Mapping
from pathlib import Path

from trove_ext.sandbox import labels
from trove_ext.sandbox.state import SandboxError, Settings, StateDir, write_private
from trove_ext.sandbox.trove_config import credentials

PROXY = "proxy"
BACK_ENDS = ("account", "container", "object")
_DEVICE = "sandbox"
_ATTRIBUTE = "user.swift.sandbox"
_PLAIN_FILTERS = (
    "catch_errors",
    "gatekeeper",
    "listing_formats",
    "copy",
    "slo",
    "dlo",
)


def path(state: StateDir, server: str) -> Path:
    """Return the path of a server's configuration."""
    return state.swift / f"{server}-server.conf"


def write(state: StateDir, settings: Settings, ports: Mapping[str, int]) -> None:
    """Write all files.

    :param ports: of each back end, the port that it listens on
    """
    state.swift.mkdir(mode=0o700, exist_ok=True)
    (_devices(state) / _DEVICE).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(state.swift / "swift.conf", _COMMON)
    for name, port in ports.items():
        _write_ring(state.swift / f"{name}.ring.gz", port)
        write_private(path(state, name), _back_end(state, name))
    write_private(path(state, PROXY), _proxy(state, settings))


def check_attributes(directory: Path) -> None:
    """Raise SandboxError if a file of *directory* can't have extended attributes.

    Swift stores the metadata of an object there.
    """
    probe = directory / ".attributes"
    probe.touch()
    try:
        os.setxattr(probe, _ATTRIBUTE, b"1")
    except OSError as exc:
        raise SandboxError(
            f"The file system of {directory} has no extended attributes, which Swift"
            f" needs ({exc.strerror}): name another directory with --dir"
        ) from exc
    finally:
        probe.unlink()


def _devices(state: StateDir) -> Path:
    return state.swift / "devices"


def _write_ring(target: Path, port: int) -> None:
    """Write the ring of one device, which every partition is on."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
    builder.add_dev(
        {
            "region": 1,
            "zone": 1,
            "ip": "127.0.0.1",
            "port": port,
            "device": _DEVICE,
            "weight": 1,
            "meta": "",
        }
    )
    builder.rebalance()
    builder.get_ring().save(str(target))


_COMMON = """\
[swift-hash]
swift_hash_path_suffix = sandbox
"""

# Every logger of Swift has a handler for the system's log. Port 9 discards.
_DEFAULTS = """\
log_level = WARNING
log_udp_host = 127.0.0.1
log_udp_port = 9
"""


def _back_end(state: StateDir, name: str) -> str:
    return f"""\
[DEFAULT]
swift_dir = {state.swift}
devices = {_devices(state)}
mount_check = false
log_requests = false
{_DEFAULTS}
[pipeline:main]
pipeline = {name}-server

[app:{name}-server]
use = egg:swift#{name}
"""


def _proxy(state: StateDir, settings: Settings) -> str:
    """Return the configuration of the proxy.

    The pipeline is that of Swift's own example, without what needs memcached and
    without filters for other protocols; ``copy`` and ``slo`` are what Trove's backups
    need.
    """
    plain = "\n".join(f"[filter:{x}]\nuse = egg:swift#{x}\n" for x in _PLAIN_FILTERS)
    return f"""\
[DEFAULT]
swift_dir = {state.swift}
{_DEFAULTS}
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats authtoken keystoneauth copy slo dlo
  proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# An administrator of Swift deletes whole accounts.
allow_account_management = true

[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
auth_type = password
www_authenticate_uri = {settings.auth_url}
delay_auth_decision = true
service_token_roles_required = true
# With it, the access rules of an application credential are followed.
service_type = object-store
{credentials(settings)}

[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
reseller_admin_role = {labels.RESELLER_ROLE}

{plain}"""
