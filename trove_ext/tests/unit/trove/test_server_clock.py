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

"""Stored times are compared with Trove's time of day, not with this machine's."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import requests
import testtools
from hypothesis import given
from hypothesis import strategies as st

from trove_ext.tests.fake.clock import FakeClock, SkewedClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import make_client
from trove_ext.tests.unit.workflows.backups import RecordedProgress
from trove_ext.trove import read
from trove_ext.trove.client import Cloud
from trove_ext.trove.server_clock import ServerClock

SECOND = timedelta(seconds=1)


def answer(moment, *, status=200, took=timedelta(), date=None):
    response = requests.Response()
    response.status_code = status
    response.elapsed = took
    response.headers["Date"] = date or format_datetime(moment, usegmt=True)
    return response


class ServerClockTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.progress = RecordedProgress()
        self.local = FakeClock()

    def clock(self, *answers):
        clock = ServerClock(self.local, self.progress)
        for item in answers:
            clock.note(item)
        return clock


class TestSkew(ServerClockTestCase):
    def test_without_a_response_this_machines_clock_is_used(self):
        self.assertEqual(self.local.now(), self.clock().now())

    def test_without_the_header_this_machines_clock_counts(self):
        response = answer(self.local.now())
        del response.headers["Date"]
        self.assertEqual(self.local.now(), self.clock(response).now())

    def test_a_header_that_is_no_date_is_ignored(self):
        for text in ("", "yesterday", "Thu, 99 Jan 2026 00:00:00 GMT", "0"):
            with self.subTest(text):
                item = answer(None, date=text or " ")
                self.assertEqual(timedelta(), self.clock(item).skew)

    def test_the_page_of_a_proxy_is_ignored(self):
        there = self.local.now() + timedelta(hours=2)
        self.assertEqual(timedelta(), self.clock(answer(there, status=502)).skew)

    def test_whole_seconds_are_no_difference(self):
        self.local.advance(0.9)
        floor = self.local.now().replace(microsecond=0)
        self.assertEqual(timedelta(), self.clock(answer(floor)).skew)

    def test_a_slow_response_is_no_difference(self):
        sent = self.local.now()
        self.local.advance(50)
        clock = self.clock(answer(sent, took=timedelta(seconds=50)))
        self.assertEqual(timedelta(), clock.skew)

    @given(
        skew=st.timedeltas(timedelta(days=-900), timedelta(days=900)),
        waits=st.lists(st.floats(0, 70), min_size=1, max_size=6),
    )
    def test_now_is_within_a_second_of_troves_whatever_the_difference(
        self, skew, waits
    ):
        self.local = FakeClock()
        clock = ServerClock(self.local, RecordedProgress())
        for wait in waits:
            self.local.advance(wait)
            there = self.local.now() + skew
            clock.note(answer(there.replace(microsecond=0), took=SECOND / 10))
        self.assertGreater(SECOND * 1.2, abs(clock.now() - (self.local.now() + skew)))

    def test_a_clock_that_is_set_meanwhile_is_followed(self):
        early, late = timedelta(hours=-2), timedelta(hours=3)
        clock = self.clock(answer(self.local.now() + early))
        clock.note(answer(self.local.now() + late))
        self.assertGreater(SECOND, abs(clock.skew - late))

    def test_a_date_without_zone_is_utc(self):
        item = answer(None, date="Thu, 01 Jan 2026 02:00:00 -0000")
        clock = self.clock(item)
        self.assertGreater(
            SECOND, abs(clock.now() - datetime(2026, 1, 1, 2, tzinfo=UTC))
        )


class TestReport(ServerClockTestCase):
    def test_a_large_difference_is_reported_once_when_the_time_is_used(self):
        clock = self.clock(answer(self.local.now() + timedelta(hours=2)))
        self.assertEqual([], self.progress.warnings)
        clock.now()
        clock.now()
        (warning,) = self.progress.warnings
        self.assertIn("behind Trove's", warning)
        self.assertIn("2h", warning)

    def test_a_clock_that_is_ahead_is_reported_as_such(self):
        self.clock(answer(self.local.now() - timedelta(days=30))).now()
        self.assertIn("30d ahead of Trove's", self.progress.warnings[0])

    def test_a_small_difference_is_used_and_not_reported(self):
        clock = self.clock(answer(self.local.now() + timedelta(seconds=20)))
        self.assertGreater(SECOND, clock.now() - self.local.now() - 20 * SECOND)
        self.assertEqual([], self.progress.warnings)


class TestOverTheWire(testtools.TestCase):
    """The real client, at a cloud whose Keystone has a clock of its own."""

    def cloud(self, skew, faults=None):
        self.fake = FakeCloud(FakeClock())
        local = SkewedClock(self.fake.clock, skew)
        return Cloud(make_client(self.fake, faults), clock=local)

    def test_troves_responses_give_the_time_and_keystones_do_not(self):
        for skew in (timedelta(hours=-2), timedelta(seconds=-20), timedelta(days=30)):
            with self.subTest(skew):
                expired = Fault(Kind.TOKEN_EXPIRED, at=3)
                cloud = self.cloud(skew, [expired])
                read.list_backups(cloud)
                read.list_backups(cloud)
                self.assertTrue(
                    [r for r in self.fake.log[2:] if r.service == "keystone"]
                )
                off = cloud.clock.now() - self.fake.clock.now()
                self.assertGreater(1.2, abs(off.total_seconds()))

    def test_without_the_header_this_machines_clock_counts(self):
        cloud = self.cloud(timedelta(hours=2))
        self.fake.has_date_header = False
        read.list_backups(cloud)
        self.assertEqual(timedelta(hours=2), cloud.clock.now() - self.fake.clock.now())
