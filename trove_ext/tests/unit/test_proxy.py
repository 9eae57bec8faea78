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


"""The fault proxy injects the planned faults."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import testtools

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.functional.proxy import FaultProxy
from trove_ext.tests.unit import requires

BODY = b'{"token": {}, "catalog": "http://%s/v1.0/p"}'


class _Server(ThreadingHTTPServer):
    """A stand-in for Keystone and Trove."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = []
        self.address = f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.command)
        body = BODY % self.server.address.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_args):
        pass


class TestFaultProxy(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.upstream = _Server()
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        self.addCleanup(self.upstream.server_close)
        self.addCleanup(self.upstream.shutdown)
        self.session = requests.Session()
        self.session.trust_env = False

    def proxy(self, kind=None, at=1, **kwargs):
        fault = Fault(kind, at, **kwargs) if kind else None
        server = f"http://{self.upstream.address}"
        proxy = FaultProxy(f"{server}/v3", f"{server}/v1.0", fault)
        proxy.__enter__()
        self.addCleanup(proxy.__exit__)
        self.url = f"http://127.0.0.1:{proxy.port}/v1.0/p/instances"
        return proxy

    def post(self):
        return self.session.post(self.url, json={}, timeout=5)

    def test_without_a_fault_requests_are_forwarded_and_urls_name_the_proxy(self):
        proxy = self.proxy()
        answer = self.post()
        self.assertEqual(200, answer.status_code)
        self.assertEqual(
            f"http://127.0.0.1:{proxy.port}/v1.0/p", answer.json()["catalog"]
        )
        self.assertEqual(["trove"], [request.service for request in proxy.log])

    def test_a_fault_applies_to_the_request_of_its_number_alone(self):
        self.proxy(Kind.HTTP_503, at=2)
        self.assertEqual([200, 503, 200], [self.post().status_code for _ in range(3)])
        self.assertEqual(2, len(self.upstream.asked))

    def test_a_lasting_fault_applies_to_all_later_requests(self):
        self.proxy(Kind.HTTP_502, at=2, lasting=True)
        self.assertEqual([200, 502, 502], [self.post().status_code for _ in range(3)])

    def test_a_request_is_carried_out_if_the_fault_says_so(self):
        self.proxy(Kind.HTTP_504, reached=True)
        self.assertEqual(504, self.post().status_code)
        self.assertEqual(["POST"], self.upstream.asked)

    def test_a_reset_comes_before_or_after_the_server_was_reached(self):
        for kind, asked in ((Kind.RESET_BEFORE, []), (Kind.RESET_AFTER, ["POST"])):
            self.proxy(kind)
            error = self.assertRaises(requests.ConnectionError, self.post)
            self.assertIn("reset by peer", str(error))
            self.assertEqual(asked, self.upstream.asked)

    def test_refused_once_is_refused_once(self):
        self.proxy(Kind.REFUSED, at=2)
        self.assertEqual(200, self.post().status_code)
        error = self.assertRaises(requests.ConnectionError, self.post)
        self.assertIn("Connection refused", str(error))

    def test_refused_from_the_first_request_on(self):
        self.proxy(Kind.REFUSED, lasting=True)
        error = self.assertRaises(requests.ConnectionError, self.post)
        self.assertIn("Connection refused", str(error))

    def test_a_hang_is_ended_by_the_client(self):
        self.proxy(Kind.HANG)
        self.assertRaises(
            requests.ReadTimeout, self.session.post, self.url, json={}, timeout=0.2
        )

    @requires.urllib3_2
    def test_bodies_are_truncated(self):
        self.proxy(Kind.TRUNCATED)
        self.assertRaises(requests.exceptions.ChunkedEncodingError, self.post)
        self.proxy(Kind.CUT_SHORT)
        self.assertRaises(ValueError, self.post().json)

    def test_413_with_and_without_retry_after_401_and_html(self):
        self.proxy(Kind.RATE_LIMIT)
        self.assertEqual("5", self.post().headers["Retry-After"])
        self.proxy(Kind.QUOTA)
        self.assertNotIn("Retry-After", self.post().headers)
        self.proxy(Kind.TOKEN_EXPIRED)
        self.assertEqual({"error"}, set(self.post().json()))
        self.proxy(Kind.HTML)
        self.assertIn("<html>", self.post().text)
