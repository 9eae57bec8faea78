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

"""The relay of a floating IP, between addresses of loopback."""

import asyncio
import contextlib
import os
import socket
import threading
import time

from trove_ext.sandbox import relay, supervise
from trove_ext.tests.unit.sandbox import base

FLOATING, FIXED = "127.77.253.41", "127.77.253.42"
PORT = 5432


def serve_once(listening, seen):
    """Accept a connection; answer each word in capitals until the client ends."""
    connection, (address, _port) = listening.accept()
    seen.append(address)
    with connection:
        while data := connection.recv(100):
            connection.sendall(data.upper())
        connection.sendall(b"end")


class RelayTest(base.FilesTestCase):
    def setUp(self):
        super().setUp()
        relay.start(self.where, FLOATING, FIXED)
        self.addCleanup(relay.stop, self.where, FLOATING)

    def connect(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                return socket.create_connection((FLOATING, PORT), timeout=60)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def test_both_directions_and_their_ends_arrive(self):
        listening = socket.create_server((FIXED, PORT))
        self.addCleanup(listening.close)
        seen = []
        threading.Thread(target=serve_once, args=(listening, seen)).start()
        with self.connect() as client:
            client.sendall(b"a word")
            self.assertEqual(b"A WORD", client.recv(100))
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(b"end", client.recv(100))
            self.assertEqual(b"", client.recv(100))
        # Not 127.0.0.1, from which the guest itself connects.
        self.assertEqual([FLOATING], seen)

    def test_without_a_database_a_connection_ends_at_once(self):
        with self.connect() as client:
            self.assertEqual(b"", client.recv(100))

    def test_a_relay_that_runs_is_not_started_again(self):
        before = supervise.find(self.where, f"relay-{FLOATING}")
        relay.start(self.where, FLOATING, FIXED)
        self.assertEqual(before, supervise.find(self.where, f"relay-{FLOATING}"))

    def test_down_finds_it(self):
        process = supervise.find(self.where, f"relay-{FLOATING}")
        found = {x.pid for x in supervise.programs_of(self.where)}
        self.assertIn(process.pid, found)

    def test_a_relay_that_is_stopped_is_gone(self):
        process = supervise.find(self.where, f"relay-{FLOATING}")
        relay.stop(self.where, FLOATING)
        self.assertFalse(supervise.is_alive(process))
        self.assertEqual([], list(self.where.pids.iterdir()))
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, 0)
        refused = asyncio.run(self._is_refused())
        self.assertTrue(refused)

    async def _is_refused(self):
        try:
            await asyncio.open_connection(FLOATING, PORT)
        except ConnectionRefusedError:
            return True
        return False
