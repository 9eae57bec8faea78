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


"""A proxy between the client and the sandbox, which injects faults into requests.

It serves both Keystone and Trove, whose paths differ. It rewrites Keystone's catalogue,
so the client finds Trove at the proxy too. Requests are counted from 1, the log-in
included, as in the fake cloud.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.log import Request, RequestLog
from trove_ext.tests.fake.server import Reply
from trove_ext.tests.fake.transport import refusal

#: Seconds without a listener if one connection is to be refused: a refused client is
#: not seen here, and the first pauses of a wait are shorter.
OUTAGE = 4.0
LOCALHOST = "127.0.0.1"
#: Headers that apply to one connection (hop by hop).
HOP = {"connection", "host", "accept-encoding", "content-length", "transfer-encoding"}


class FaultProxy:
    """Forwards requests to a sandbox, and injects one planned fault.

    A context manager: it listens inside the block.

    :ivar log: the requests that arrived
    """

    def __init__(
        self,
        keystone: str,
        trove: str,
        fault: Fault | None = None,
        *,
        skew: float = 0.0,
    ) -> None:
        """Serve as a proxy for two servers.

        :param keystone: ``http://127.0.0.1:<port>/v3``
        :param trove: ``http://127.0.0.1:<port>/v1.0``
        :param skew: seconds that the clock of the servers seems to be ahead, by the
            ``Date`` of each answer
        """
        self.skew = skew
        self.servers = {
            "keystone": urlsplit(keystone).netloc,
            "trove": urlsplit(trove).netloc,
        }
        self.fault = fault
        self.log = RequestLog()
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._listener: _Listener | None = None
        # Reserves the port while nothing listens on it.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]

    @property
    def auth_url(self) -> str:
        """The URL at which the client finds Keystone."""
        return f"http://{LOCALHOST}:{self.port}/v3"

    def __enter__(self) -> Self:
        if self._refuses(1):
            self._refuse_for_now()
        else:
            self._listen()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.ended.set()
        self._stop()
        self._holder.close()

    def note(self, method: str, path: str, body: Any) -> Request:
        """Count a request."""
        parts = urlsplit(path)
        service = "trove" if parts.path.startswith("/v1.0") else "keystone"
        query = dict(parse_qsl(parts.query))
        with self._lock:
            number = len(self.log) + 1
            entry = Request(
                number,
                service,
                method,
                parts.path,
                query,
                body,
                time.monotonic(),
                None,
            )
            self.log.append(entry)
        return entry

    def fault_of(self, entry: Request) -> Fault | None:
        """Return the fault for a request that has arrived."""
        fault = self.fault
        if fault is None or fault.kind is Kind.REFUSED or not fault.meets(entry):
            return None
        return fault

    def before_answer(self, entry: Request) -> None:
        """Stop listening if the next request is to be refused."""
        if self._refuses(entry.number + 1):
            self._refuse_for_now()

    def rewritten(self, body: bytes) -> bytes:
        """Replace the URLs of both servers by that of the proxy."""
        for server in self.servers.values():
            body = body.replace(server.encode(), f"{LOCALHOST}:{self.port}".encode())
        return body

    def _refuses(self, number: int) -> bool:
        fault = self.fault
        return fault is not None and fault.kind is Kind.REFUSED and fault.at == number

    def _refuse_for_now(self) -> None:
        self._stop()
        if self.fault is not None and not self.fault.lasting:
            threading.Thread(target=self._come_back, daemon=True).start()

    def _come_back(self) -> None:
        if not self.ended.wait(OUTAGE):
            self._listen()

    def _listen(self) -> None:
        self._listener = _Listener(self)
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()

    def _stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # close() alone takes effect only after a running accept() has returned.
            listener.socket.shutdown(socket.SHUT_RDWR)
            listener.socket.close()
            threading.Thread(target=listener.shutdown, daemon=True).start()


def _bound(port: int) -> socket.socket:
    """Bind a socket that may share its port with a listening one."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOCALHOST, port))
    return bound


class _Listener(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        super().__init__((LOCALHOST, proxy.port), _Handler)

    def shutdown_request(self, request: Any) -> None:
        """Close without an orderly shutdown: a reset must arrive as a reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that has closed its connection."""


class _Handler(BaseHTTPRequestHandler):
    """Handles one request; a connection has no second one."""

    protocol_version = "HTTP/1.1"
    server: _Listener

    def handle(self) -> None:
        self.close_connection = True
        with contextlib.suppress(ConnectionError):
            self.handle_one_request()

    def do_GET(self) -> None:
        """Respond, unless the fault prevents it."""
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        entry = proxy.note(self.command, self.path, json.loads(body or b"null"))
        fault = proxy.fault_of(entry)
        reply = None
        if fault is None or fault.carried_out:
            reply = self._ask(entry, body)
        if fault is not None:
            entry.fault = str(fault)
            reply = self._spoil(fault, reply)
        proxy.before_answer(entry)
        if reply is not None:
            entry.status = reply.code
            self._answer(reply)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Print nothing: the request is in the log of the proxy."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return what ``Date`` says: the time of another clock."""
        moment = time.time() if timestamp is None else timestamp
        return super().date_time_string(moment + self.server.proxy.skew)

    def _ask(self, entry: Request, body: bytes) -> Reply:
        proxy = self.server.proxy
        entry.reached = True
        connection = http.client.HTTPConnection(
            proxy.servers[entry.service], timeout=120
        )
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body or None, headers)
            got = connection.getresponse()
            answer = proxy.rewritten(got.read())
        entry.answered = got.status
        kept = {k: v for k, v in got.getheaders() if k.lower() not in HOP}
        return Reply(got.status, answer, {**kept, "Content-Length": str(len(answer))})

    def _spoil(self, fault: Fault, real: Reply | None) -> Reply | None:
        if fault.kind in {Kind.RESET_BEFORE, Kind.RESET_AFTER}:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return None
        if fault.kind is Kind.HANG:
            self._wait_until_it_leaves()
            return None
        if fault.kind in {Kind.TRUNCATED, Kind.CUT_SHORT} and real is not None:
            return _cut(real, says_length=fault.kind is Kind.TRUNCATED)
        reply = refusal(fault)
        reply.headers["Content-Length"] = str(len(reply.body))
        return reply

    def _wait_until_it_leaves(self) -> None:
        self.connection.settimeout(0.2)
        while not self.server.proxy.ended.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1):
                    return

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.code)
        for name, value in reply.headers.items():
            if name.lower() not in {"date", "server"}:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)


def _cut(reply: Reply, *, says_length: bool) -> Reply:
    """Keep the first half of a body; of an empty one nothing is sent at all."""
    headers = {k: v for k, v in reply.headers.items() if k != "Content-Length"}
    if says_length:
        headers["Content-Length"] = str(max(1, len(reply.body)))
    return Reply(reply.code, reply.body[: len(reply.body) // 2], headers)
