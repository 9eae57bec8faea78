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

"""A transport for `requests` that calls the fake cloud instead of a socket.

keystoneauth, python-troveclient and the openstack shell run unmodified above it.
"""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ReadTimeout
from urllib3.exceptions import NewConnectionError, ProtocolError
from urllib3.response import HTTPResponse

from trove_ext.tests.fake import keystone, views
from trove_ext.tests.fake.clock import Impossible
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.errors import ApiError, policy_refusal, unprocessable
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.log import Request
from trove_ext.tests.fake.server import OTHER_HOST, Reply, Server, rate_limited

#: How far Keystone's clock is ahead of Trove's.
KEYSTONE_SKEW = timedelta(hours=7)
SERVICES = {
    "trove.fake": "trove",
    OTHER_HOST: "trove",
    "keystone.fake": "keystone",
    "web.fake": "web",
}
HTML = (
    b"<html><head><title>Maintenance</title></head>"
    b"<body><h1>Please come back later</h1></body></html>"
)
PROXY_TEXT = {
    404: "Not Found",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}


#: Faults after the renewal of a token.
RENEWED = {Kind.RENEWED_403: Kind.FORBIDDEN, Kind.RENEWED_422: Kind.BUSY}


class RequestWithoutTimeout(Impossible):
    """A request without a response was sent without a read time-out."""


class TooManyRequests(Impossible):
    """A run sent more requests than any run may: an endless loop."""


class FakeTransport(BaseAdapter):
    """Carries requests to a fake cloud, by a plan of faults.

    :ivar faults: the plan; the first that matches a request happens
    """

    def __init__(self, cloud: FakeCloud, faults: list[Fault] | None = None) -> None:
        super().__init__()
        self.cloud = cloud
        self.server = server_of(cloud)
        self.faults = faults or []
        self.limit = 5000
        self._sent = 0
        self._refusal: Fault | None = None

    def send(  # noqa: PLR0917 - as requests defines it
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Respond as a server or the network would."""
        entry = self._note(request, timeout)
        for call in self.cloud.before_request:
            call(entry)
        fault = self._fault(entry)
        self.cloud.clock.advance(self.cloud.timings.request)
        if fault is None:
            reply = self._ask(request, entry)
        else:
            entry.fault = str(fault)
            reply = self._spoil(fault, request, entry)
        entry.status = reply.code
        return _respond(request, self._dated(reply, entry))

    def _dated(self, reply: Reply, entry: Request) -> Reply:
        """Add the header ``Date``; Keystone's clock is wrong, and must not be used."""
        if entry.service == "trove" and not self.cloud.has_date_header:
            return reply
        off = timedelta() if entry.service == "trove" else KEYSTONE_SKEW
        moment = format_datetime(self.cloud.clock.now() + off, usegmt=True)
        return Reply(reply.code, reply.body, {**reply.headers, "Date": moment})

    def close(self) -> None:
        """There is nothing to close."""

    def _note(self, request: requests.PreparedRequest, timeout: Any) -> Request:
        parts = urlsplit(request.url or "")
        host = parts.hostname or ""
        if host not in SERVICES:
            raise _refused(request)
        self._sent += 1
        if self._sent > self.limit:
            raise TooManyRequests(f"{self._sent} requests in one run")
        entry = Request(
            self._sent,
            SERVICES[host],
            request.method or "",
            parts.path,
            views.parse_query(parts.query),
            _json(request.body),
            self.cloud.clock.monotonic(),
            timeout[1] if isinstance(timeout, tuple) else timeout,
        )
        self.cloud.log.append(entry)
        return entry

    def _ask(self, request: requests.PreparedRequest, entry: Request) -> Reply:
        entry.reached = True
        token = request.headers.get("X-Auth-Token")
        reply = self.server.answer(
            urlsplit(request.url or "").hostname or "",
            entry.method,
            entry.path,
            entry.query,
            body=entry.body,
            token=token.decode() if isinstance(token, bytes) else token,
        )
        entry.answered = reply.code
        for call in self.cloud.after_request:
            call(entry)
        return reply

    def _spoil(
        self, fault: Fault, request: requests.PreparedRequest, entry: Request
    ) -> Reply:
        """Carry the request out if the fault says so, then break the response."""
        real = self._ask(request, entry) if fault.carried_out else None
        if fault.kind is Kind.REFUSED:
            raise _refused(request)
        if fault.kind in (Kind.RESET_BEFORE, Kind.RESET_AFTER):
            reset = ConnectionResetError(104, "Connection reset by peer")
            broken = ProtocolError("Connection aborted.", reset)
            raise RequestsConnectionError(broken, request=request)
        if fault.kind is Kind.HANG:
            self._hang(request, entry)
        if fault.kind in (Kind.TRUNCATED, Kind.CUT_SHORT) and real is not None:
            return _cut(real, says_length=fault.kind is Kind.TRUNCATED)
        if fault.kind is Kind.TOKEN_EXPIRED or fault.kind in RENEWED:
            self.server.keystone.expire_tokens()
        if fault.kind in RENEWED and entry.service == "trove":
            self._refusal = Fault(RENEWED[fault.kind])
        return refusal(fault)

    def _fault(self, entry: Request) -> Fault | None:
        """Return what happens to a request: a refusal may follow a renewed token."""
        if self._refusal is not None and entry.service == "trove":
            refused, self._refusal = self._refusal, None
            return refused
        return next((fault for fault in self.faults if fault.meets(entry)), None)

    def _hang(self, request: requests.PreparedRequest, entry: Request) -> None:
        if entry.timeout is None:
            raise RequestWithoutTimeout(f"request without a read time-out: {entry}")
        self.cloud.clock.advance(entry.timeout)
        raise ReadTimeout(
            f"HTTPConnectionPool(host='{entry.service}.fake', port=80): "
            f"Read timed out. (read timeout={entry.timeout})",
            request=request,
        )


def refusal(fault: Fault) -> Reply:
    """Respond as a server, or a proxy before it, that has an error."""
    return _REFUSALS[fault.kind](fault)


def _page(code: int) -> Reply:
    page = f"<html><body><h1>{code} {PROXY_TEXT[code]}</h1></body></html>"
    return Reply(code, page.encode(), {"Content-Type": "text/html"})


def _slow_down(fault: Fault) -> Reply:
    reply = _page(429)
    reply.headers["Retry-After"] = str(fault.retry_after)
    return reply


_QUOTA = "Quota exceeded for resources: ['backups']."
_FAULT = (
    "The server has either erred or is incapable of performing the requested operation."
)
_BUSY = (
    "Instance is not currently available for an action to be performed (status was "
    "BUILD)."
)
_REFUSALS: dict[Kind, Callable[[Fault], Reply]] = {
    Kind.TOKEN_EXPIRED: lambda _: _error(keystone.token_refused()),
    Kind.RENEWED_403: lambda _: _error(keystone.token_refused()),
    Kind.RENEWED_422: lambda _: _error(keystone.token_refused()),
    Kind.FORBIDDEN: lambda _: _error(policy_refusal("this")),
    Kind.BUSY: lambda _: _error(unprocessable(_BUSY)),
    Kind.RATE_LIMIT: lambda fault: _error(rate_limited(fault.retry_after)),
    Kind.QUOTA: lambda _: _error(ApiError(413, "overLimit", _QUOTA)),
    Kind.HTML: lambda _: Reply(200, HTML, {"Content-Type": "text/html"}),
    Kind.TEXT: lambda _: Reply(200, b"OK", {"Content-Type": "text/plain"}),
    Kind.NO_SUCH_PAGE: lambda _: _page(404),
    Kind.SLOW_DOWN: _slow_down,
    Kind.HTTP_500: lambda _: _error(ApiError(500, "instanceFault", _FAULT)),
    Kind.HTTP_502: lambda _: _page(502),
    Kind.HTTP_503: lambda _: _page(503),
    Kind.HTTP_504: lambda _: _page(504),
}


def server_of(cloud: FakeCloud) -> Server:
    """Return the only server of a cloud: tokens outlive a transport."""
    if not hasattr(cloud, "server"):
        cloud.server = Server(cloud)
    return cloud.server


def _json(body: Any) -> Any:
    if not body:
        return None
    return json.loads(body if isinstance(body, str) else body.decode())


def _error(error: ApiError) -> Reply:
    headers = {"Content-Type": "application/json", **error.headers}
    return Reply(error.code, json.dumps(error.body()).encode(), headers)


def _refused(request: requests.PreparedRequest) -> RequestsConnectionError:
    parts = urlsplit(request.url or "")
    cause = NewConnectionError(
        f"HTTPConnection(host='{parts.hostname}', port={parts.port or 80})",  # type: ignore[arg-type]
        "Failed to establish a new connection: [Errno 111] Connection refused",
    )
    return RequestsConnectionError(
        f"HTTPConnectionPool(host='{parts.hostname}', port={parts.port or 80}): Max "
        f"retries exceeded with url: {parts.path} (Caused by {cause!r})",
        request=request,
    )


def _cut(reply: Reply, *, says_length: bool) -> Reply:
    """Keep the first half of a body; of an empty one nothing is sent at all."""
    if not reply.body and says_length:
        return Reply(reply.code, b"", {**reply.headers, "Content-Length": "1"})
    headers = dict(reply.headers)
    if says_length:
        headers["Content-Length"] = str(len(reply.body))
    return Reply(reply.code, reply.body[: len(reply.body) // 2], headers)


def _respond(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    raw = HTTPResponse(
        body=io.BytesIO(reply.body),
        headers=headers,
        status=reply.code,
        reason=requests.status_codes._codes.get(reply.code, ("",))[0],
        preload_content=False,
        request_method=request.method,
    )
    return HTTPAdapter().build_response(request, raw)
