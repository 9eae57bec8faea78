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

"""The services beside Trove that clients call themselves: small parts of them.

They share the port of Trove's API, each under a path of its own, and Keystone checks
the tokens. Only what Trove's own tests (trove-tempest-plugin) call is there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import webob
import webob.exc
from keystonemiddleware import auth_token

from trove_ext.sandbox.wsgi import Application, Environ, StartResponse

Handler = Callable[..., webob.Response]
"""Takes a request and the groups of the path's pattern."""

_NOT_FOUND = 404
PATHS = {
    "compute": "compute/v2.1",
    "key-manager": "key-manager",
}
"""The path of each service, by its type in the catalogue."""


class Routes:
    """One service: a handler for each method and pattern of a path."""

    def __init__(self, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self._handlers = [(m, re.compile(p), h) for (m, p), h in handlers.items()]

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Handle one request; 404 if there is no handler for it."""
        request = webob.Request(environ)
        response = webob.Response(status=_NOT_FOUND)
        for method, pattern, handler in self._handlers:
            found = pattern.fullmatch(request.path_info)
            if found and method == request.method:
                try:
                    response = handler(request, *found.groups())
                except webob.exc.HTTPException as refusal:
                    response = refusal
                break
        answer: Iterable[bytes] = response(environ, start_response)
        return answer


class Endpoints:
    """Trove's API, and the others by the beginning of their paths."""

    def __init__(self, trove: Application, others: Mapping[str, Application]) -> None:
        self._trove = trove
        self._others = others

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Handle one request by the service that its path names."""
        path = environ["PATH_INFO"].lstrip("/")
        for prefix, application in self._others.items():
            if f"{path}/".startswith(f"{prefix}/"):
                there = environ | {"PATH_INFO": path.removeprefix(prefix)}
                return application(there, start_response)
        return self._trove(environ, start_response)


def with_token(application: Application, conf: Any) -> Application:
    """Admit only requests with a token; keystonemiddleware as Trove configures it."""
    protected: Application = auth_token.AuthProtocol(
        application, {"oslo_config_config": conf}
    )
    return protected


def is_admin(request: webob.Request) -> bool:
    """Whether the token of a request has the role of an administrator."""
    return "admin" in request.headers.get("X-Roles", "").split(",")


def project_of(request: webob.Request) -> str:
    """Return the project of a request's token."""
    return str(request.headers["X-Project-Id"])
