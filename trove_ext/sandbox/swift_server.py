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

"""The real Swift, all of its servers in one process: proxy, account, container, object.

Started by ``trove-sandbox up`` as ``python -m trove_ext.sandbox.swift_server DIR``.
There is one device and one replica, no memcached, and none of the daemons that repair
or expire objects. Its configuration is written at each start.
"""

# Before anything that might import what is to be patched.
import eventlet

eventlet.monkey_patch()

import os  # noqa: E402
import re  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from trove_ext.sandbox import swift_config  # noqa: E402
from trove_ext.sandbox.faults import FaultInjected, Faults  # noqa: E402
from trove_ext.sandbox.state import Settings, StateDir  # noqa: E402
from trove_ext.sandbox.wsgi import (  # noqa: E402
    Application,
    Environ,
    StartResponse,
)

_BACKLOG = 128
_MAX_LINE = 8192
# A segment has no ending, and a part of a log no ID alone.
_BACKUP = re.compile(r"/v1/[^/]+/[^/]+/[0-9a-f-]{36}\.[a-z.]+")


class FaultyStore:
    """Swift behind the faults ``backup-delete`` and ``quoted-etag``."""

    def __init__(self, application: Application, faults: Faults) -> None:
        self._application = application
        self._faults = faults

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Handle one request; an injected error is a 403, which no client repeats."""
        try:
            if _deletes_a_backup(environ):
                self._faults.hit("backup-delete")
        except FaultInjected as exc:
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [str(exc).encode()]
        if not self._faults.find("quoted-etag"):
            return self._application(environ, start_response)

        def quoting(status: str, headers: Any, *more: Any) -> Any:
            return start_response(status, [_quoted(*pair) for pair in headers], *more)

        return self._application(environ, quoting)


def _deletes_a_backup(environ: Environ) -> bool:
    """Whether a request deletes an object that is no segment of a backup.

    The guest deletes the first segment of each backup that has no other one.
    """
    if environ["REQUEST_METHOD"] != "DELETE":
        return False
    return bool(_BACKUP.fullmatch(environ["PATH_INFO"]))


def _quoted(name: str, value: str) -> tuple[str, str]:
    """Quote an ETag, as Swift's filter ``etag-quoter`` does."""
    if name.lower() == "etag" and not value.startswith('"'):
        return name, f'"{value}"'
    return name, value


def serve(state: StateDir, settings: Settings) -> None:
    """Serve requests until the process is signalled to end."""
    from swift.common import utils
    from swift.common.wsgi import loadapp

    sockets = {name: _listen(0) for name in swift_config.BACK_ENDS}
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    swift_config.write(state, settings, ports)
    utils.set_swift_dir(str(state.swift))
    # Its loggers have the system's log alone otherwise.
    utils.get_logger({}, log_to_console=True)
    for name, sock in sockets.items():
        application = loadapp(str(swift_config.path(state, name)))
        eventlet.spawn(_serve, sock, application)
    proxy = loadapp(str(swift_config.path(state, swift_config.PROXY)))
    _serve(_listen(settings.swift_port), FaultyStore(proxy, Faults(state.root)))


def _listen(port: int) -> Any:
    return eventlet.listen(("127.0.0.1", port), backlog=_BACKLOG)


def _serve(sock: Any, application: Application) -> None:
    """As run_server in swift/common/wsgi.py."""
    from eventlet import wsgi
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.utils import NullLogger

    wsgi.server(
        sock,
        application,
        NullLogger(),
        protocol=SwiftHttpProtocol,
        capitalize_response_headers=False,
        url_length_limit=_MAX_LINE,
    )


def main() -> None:
    """Run Swift for the state directory named by the first argument."""
    state = StateDir(Path(sys.argv[1]))
    # As run_server: Swift reports times in UTC.
    os.environ["TZ"] = "UTC+0"
    time.tzset()
    serve(state, state.settings())


if __name__ == "__main__":
    main()
