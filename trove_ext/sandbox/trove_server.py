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

"""The real Trove in one process: API, task manager, conductor and all guest agents.

Started by ``trove-sandbox up`` as ``python -m trove_ext.sandbox.trove_server DIR``. One
process, because the transport ``fake:/`` works only inside one; so there is no broker.
"""

# Before anything that might import what is to be patched.
import eventlet

eventlet.monkey_patch()

import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from pathlib import Path  # noqa: E402
from types import FrameType  # noqa: E402
from typing import Any  # noqa: E402

from trove_ext.sandbox import database, labels, releases, trove_config  # noqa: E402
from trove_ext.sandbox.faults import FaultInjected, Faults  # noqa: E402
from trove_ext.sandbox.standins import endpoints, world  # noqa: E402
from trove_ext.sandbox.state import Settings, StateDir, write_private  # noqa: E402
from trove_ext.sandbox.wsgi import (  # noqa: E402
    Application,
    Environ,
    StartResponse,
)

_LOG = logging.getLogger(__name__)
_PERIODIC_SECONDS = 30
_DATABASE_SECONDS = 240.0
_POLL_SECONDS = 0.1


class FaultyApi:
    """Trove's API behind the faults ``slow-api`` and ``slow-answer``."""

    def __init__(self, application: Any, faults: Faults) -> None:
        self._application = application
        self._faults = faults

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Handle one request; an injected error is a 500."""
        # /v1.0/<project>/...
        project = environ["PATH_INFO"].split("/")[2:3]
        try:
            self._faults.hit("slow-api", *project)
            answer: Iterable[bytes] = self._application(environ, start_response)
            if environ["REQUEST_METHOD"] != "GET":
                self._faults.hit("slow-answer", *project)
        except FaultInjected as exc:
            start_response(
                "500 Internal Server Error", [("Content-Type", "text/plain")]
            )
            return [str(exc).encode()]
        return answer


def configure(state: StateDir, settings: Settings) -> Any:
    """Read the configuration, open the transport; return Trove's CONF."""
    from oslo_log import log
    from trove.common import cfg

    _write_files(state, settings)
    cfg.parse_args(["trove", f"--config-file={state.trove_config}"])
    log.setup(cfg.CONF, "trove")

    from trove import rpc

    rpc.init(cfg.CONF)
    releases.copy_messages(rpc.TRANSPORT)
    return cfg.CONF


def _write_files(state: StateDir, settings: Settings) -> None:
    """Write the files that Trove reads: configuration, policy, cloud-init."""
    write_private(state.trove_config, trove_config.config(state, settings))
    if not state.policy.exists():
        write_private(state.policy, "{}\n")
    cloudinit = state.root / "cloudinit"
    cloudinit.mkdir(exist_ok=True)
    for version in labels.datastore_versions(settings.engine, settings.postgresql):
        path = cloudinit / f"{version.datastore}.cloudinit"
        write_private(path, "#cloud-config\npackage_update: false\n")


def open_database(state: StateDir, settings: Settings) -> None:
    """Open Trove's database as soon as it responds; the first time, fill it."""
    with eventlet.Timeout(_DATABASE_SECONDS):
        while not database.answers(settings):
            eventlet.sleep(_POLL_SECONDS)
    _offer_datastores(state, settings)
    releases.configure_database()


def _offer_datastores(state: StateDir, settings: Settings) -> None:
    """Add the datastores of each engine that are not in the database yet."""
    versions = labels.datastore_versions(settings.engine, settings.postgresql)
    for manager in dict.fromkeys(version.manager for version in versions):
        done = state.root / f"{manager}.ready"
        if not done.exists():
            database.make_tables()
            database.fill([x for x in versions if x.manager == manager])
            write_private(done, "")


def start_services(conf: Any) -> None:
    """Start task manager and conductor, as trove/cmd starts them."""
    from trove.common import notification
    from trove.common.rpc import conductor_host_serializer
    from trove.common.rpc.service import RpcService
    from trove.conductor import api as conductor_api
    from trove.instance import models
    from trove.taskmanager import api as task_api

    # Without it no fault would be stored.
    notification.DBaaSAPINotification.register_notify_callback(
        models.persist_instance_fault
    )
    # RpcService.start waits for its periodic tasks, if there are any, without a limit.
    conf.set_override("report_interval", 0)
    RpcService(
        key=None,
        topic=conf.taskmanager_queue,
        manager=conf.taskmanager_manager,
        rpc_api_version=task_api.API.API_LATEST_VERSION,
    ).start()
    RpcService(
        key=None,
        topic=conf.conductor_queue,
        manager=conf.conductor_manager,
        rpc_api_version=conductor_api.API.API_LATEST_VERSION,
        secure_serializer=conductor_host_serializer.ConductorHostSerializer,
    ).start()
    # Twice this is how long a reboot waits for the database (BuiltInstanceTasks).
    conf.set_override("report_interval", _PERIODIC_SECONDS)


def start_api(conf: Any, faults: Faults) -> Any:
    """Start the API on loopback; return the service."""
    from trove.common import base_wsgi, cfg, pastedeploy

    cfg.set_api_config_defaults()

    trove = pastedeploy.paste_deploy_app(conf.api_paste_config, "trove", {})
    application = endpoints.Endpoints(
        FaultyApi(trove, faults),
        {
            endpoints.PATHS[kind]: endpoints.with_token(routes, conf)
            for kind, routes in _others().items()
        },
    )
    service = base_wsgi.Service(application, conf.bind_port, host=str(conf.bind_host))
    service.start()
    return service


def _others() -> dict[str, Application]:
    """Return the parts of other services, by their types in the catalogue."""
    from trove_ext.sandbox.standins import barbican_api, nova_api

    return {
        "compute": nova_api.application,
        "key-manager": barbican_api.application,
    }


def _end(_number: int, _frame: FrameType | None) -> None:
    # At once: operations in progress are lost in any case, and the databases have
    # processes of their own.
    os._exit(0)


def main() -> None:
    """Run Trove for the state directory named by the first argument."""
    state = StateDir(Path(sys.argv[1]))
    settings = state.settings()
    signal.signal(signal.SIGTERM, _end)
    conf = configure(state, settings)
    open_database(state, settings)
    here = world.build(state.root)
    world.enter(here)
    start_services(conf)
    here.start_hosts(_LOG.info)
    eventlet.spawn(here.watch_power)
    start_api(conf, here.faults).wait()


if __name__ == "__main__":
    main()
