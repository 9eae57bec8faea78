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

import testtools
from keystoneauth1 import exceptions as ksa
from troveclient.apiclient import exceptions

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind, every_fault
from trove_ext.tests.fake.harness import make_client
from trove_ext.tests.fake.transport import (
    RequestWithoutTimeout,
    TooManyRequests,
    server_of,
)
from trove_ext.tests.unit import requires


class TestFaults(testtools.TestCase):
    """Each fault, as the real client sees it."""

    def setUp(self):
        super().setUp()
        self.clock = FakeClock()
        self.cloud = FakeCloud(self.clock)
        self.db = self.cloud.add_instance("db1")

    def client(self, *faults):
        client = make_client(self.cloud, list(faults))
        client.client.session.timeout = 60
        return client

    def meet(self, kind, expected, **kwargs):
        """Send one create with the fault; return the error."""
        client = self.client(Fault(kind, at=2, **kwargs))
        return self.assertRaises(expected, client.backups.create, "b", self.db.id)

    def made(self):
        return len(self.cloud.live_backups)

    def test_refused_never_reaches_the_server(self):
        error = self.meet(Kind.REFUSED, ksa.ConnectFailure)
        self.assertIn("Connection refused", str(error))
        self.assertEqual(0, self.made())

    def test_reset_before_does_not_and_reset_after_does(self):
        self.meet(Kind.RESET_BEFORE, ksa.ConnectFailure)
        self.assertEqual(0, self.made())
        self.meet(Kind.RESET_AFTER, ksa.ConnectFailure)
        self.assertEqual(1, self.made())

    def test_server_errors_may_hide_that_it_was_carried_out(self):
        for code in (500, 502, 503, 504):
            for reached in (False, True):
                with self.subTest(code=code, reached=reached):
                    before = self.made()
                    self.clock.sleep(60)
                    error = self.meet(
                        Kind(str(code)), exceptions.HttpError, reached=reached
                    )
                    self.assertEqual(code, error.http_status)
                    self.assertEqual(before + reached, self.made())

    def test_rate_limit_has_a_retry_after_and_a_quota_has_not(self):
        error = self.meet(Kind.RATE_LIMIT, exceptions.RequestEntityTooLarge)
        self.assertEqual(5, error.retry_after)
        error = self.meet(Kind.QUOTA, exceptions.RequestEntityTooLarge)
        self.assertEqual(0, error.retry_after)
        self.assertEqual(0, self.made())

    def test_expired_token_is_renewed_silently(self):
        client = self.client(Fault(Kind.TOKEN_EXPIRED, at=2))
        client.backups.create("b", self.db.id)
        sent = [(r.service, r.method, r.status) for r in self.cloud.log]
        self.assertEqual(
            [
                ("keystone", "POST", 201),
                ("trove", "POST", 401),
                ("keystone", "POST", 201),
                ("trove", "POST", 202),
            ],
            sent,
        )
        self.assertEqual(1, self.made())
        self.assertEqual(1, len(server_of(self.cloud).keystone.tokens))

    def test_lasting_expiry_is_refused_in_the_end(self):
        client = self.client(Fault(Kind.TOKEN_EXPIRED, at=2, lasting=True))
        self.assertRaises(ksa.Unauthorized, client.backups.list)

    def test_hang_takes_the_read_timeout_and_may_have_been_carried_out(self):
        start = self.clock.monotonic()
        self.meet(Kind.HANG, ksa.ConnectTimeout, reached=True)
        self.assertGreater(self.clock.monotonic() - start, 60)
        self.assertEqual(1, self.made())

    def test_hang_without_a_read_timeout_fails_the_test(self):
        client = make_client(self.cloud, [Fault(Kind.HANG, at=2)])
        error = self.assertRaises(RequestWithoutTimeout, client.backups.list)
        self.assertIn("request without a read time-out", str(error))

    @requires.urllib3_2
    def test_truncated_body_is_a_broken_connection(self):
        self.meet(Kind.TRUNCATED, ksa.ClientException)
        self.assertEqual(1, self.made())

    def test_body_cut_short_and_html_are_no_json(self):
        # troveclient ignores a body that is no JSON, without an error.
        client = self.client(Fault(Kind.CUT_SHORT, at=2), Fault(Kind.HTML, at=3))
        self.assertIsNone(client.backups.create("b", self.db.id))
        self.assertEqual(1, self.made())
        self.assertRaises(TypeError, client.backups.get, "x")

    def test_lasting_fault_applies_to_every_later_request(self):
        client = self.client(Fault(Kind.HTTP_503, at=3, lasting=True))
        client.backups.list()
        for _ in range(3):
            self.assertRaises(exceptions.HttpError, client.backups.list)

    def test_fault_may_apply_to_some_requests_only(self):
        only = Fault(
            Kind.HTTP_503,
            lasting=True,
            only=lambda r: r.method == "POST" and r.changing,
        )
        client = self.client(only)
        client.backups.list()
        create = client.backups.create
        self.assertRaises(exceptions.HttpError, create, "b", self.db.id)

    def test_fault_can_apply_to_the_log_in(self):
        self.assertRaises(ksa.ConnectFailure, self.client, Fault(Kind.REFUSED))

    def test_endless_loop_ends(self):
        client = self.client()
        client.client.session.session.get_adapter("http://").limit = 50

        def list_for_ever():
            while True:
                client.backups.list()

        self.assertRaises(TooManyRequests, list_for_ever)

    def test_log_shows_what_reached_the_server(self):
        self.meet(Kind.RESET_BEFORE, ksa.ConnectFailure)
        (request,) = self.cloud.log.changing
        self.assertEqual(
            (False, None, "reset before at request 2"),
            (request.reached, request.status, request.fault),
        )

    def test_sweep_has_every_kind_once_and_lasting(self):
        faults = every_fault(7)
        self.assertEqual(set(Kind), {f.kind for f in faults})
        self.assertEqual(len(faults), len(set(map(str, faults))))


class TestRateLimit(testtools.TestCase):
    def test_two_hundred_gets_a_minute_and_no_more(self):
        clock = FakeClock()
        cloud = FakeCloud(clock)
        cloud.rate_limit = 200
        client = make_client(cloud)
        for _ in range(200):
            client.backups.list()
        error = self.assertRaises(exceptions.HttpError, client.backups.list)
        self.assertEqual(413, error.http_status)
        self.assertTrue(0 < error.retry_after <= 60)
        clock.sleep(error.retry_after)
        client.backups.list()
