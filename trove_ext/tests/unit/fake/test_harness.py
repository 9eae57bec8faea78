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

import json
import logging
import os
import signal
import sys
from unittest import mock

import testtools

from trove_ext.tests.fake.clock import EndOfTime, FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack, virtual_time
from trove_ext.tests.fake.transport import server_of


class TestRunOpenstack(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = FakeClock()
        self.cloud = FakeCloud(self.clock)
        self.db = self.cloud.add_instance("db1", databases=("shop",))

    def run_line(self, line, **kwargs):
        return run_openstack(["database", *line.split()], self.cloud, **kwargs)

    def test_stock_command_prints_its_result_on_stdout(self):
        result = self.run_line("instance show db1 -f json")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(self.db.id, json.loads(result.stdout)["id"])

    def test_stock_command_changes_the_cloud(self):
        result = self.run_line(f"backup create b1 --instance {self.db.id} -f json")
        self.assertEqual("NEW", json.loads(result.stdout)["status"])
        self.assertEqual(["b1"], [b.name for b in self.cloud.live_backups])
        self.assertEqual(1, len(result.requests.changing))

    def test_error_of_trove_is_exit_code_one(self):
        result = self.run_line("instance show nobody")
        self.assertEqual(1, result.exit_code)
        self.assertIn("nobody", result.stderr)
        self.assertEqual([], result.requests.changing)

    def test_usage_error_is_exit_code_two_and_never_reaches_trove(self):
        result = self.run_line("backup create --no-such-option")
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], result.requests.to_trove())

    def test_wrong_password_is_refused(self):
        result = self.run_line("instance list", env={"OS_PASSWORD": "guess"})
        self.assertEqual(1, result.exit_code)
        self.assertIn("HTTP 401", result.stderr)

    def test_unknown_address_is_refused_without_a_socket(self):
        env = {"OS_AUTH_URL": "http://keystone.example.org/v3"}
        result = self.run_line("instance list", env=env)
        self.assertEqual(1, result.exit_code)
        self.assertIn("Connection refused", result.stderr)

    def test_faults_apply_to_the_log_in(self):
        result = self.run_line("instance list", faults=[Fault(Kind.HTTP_503, at=2)])
        self.assertEqual(1, result.exit_code)

    def test_missing_region_finds_no_endpoint(self):
        result = self.run_line("instance list", env={"OS_REGION_NAME": "Nowhere"})
        self.assertEqual(1, result.exit_code)

    def test_cloud_without_trove_finds_no_endpoint(self):
        server_of(self.cloud).keystone.database_url = None
        self.assertEqual(1, self.run_line("instance list").exit_code)

    def test_each_run_logs_in_afresh(self):
        for _ in range(2):
            result = self.run_line("instance list")
            posts = list(result.requests.matching("POST", "/v3/auth/tokens"))
            self.assertEqual(1, len(posts))

    def test_quota_show_finds_the_own_project(self):
        result = self.run_line(f"quota show {self.cloud.project_id} -f json")
        self.assertEqual(0, result.exit_code, result.stderr)

    def test_streams_are_a_terminal_only_when_asked_for(self):
        seen = []

        def look(_row):
            seen.append([s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)])

        self.addCleanup(setattr, self.cloud, "ready", self.cloud.ready)
        self.cloud.ready = look
        self.run_line(f"backup create b1 --instance {self.db.id}")
        self.run_line(f"backup create b2 --instance {self.db.id}", tty=True)
        self.assertEqual([[False] * 3, [True] * 3], seen)

    def test_process_is_left_as_it_was(self):
        streams = sys.stdin, sys.stdout, sys.stderr
        root = logging.getLogger()
        before = dict(os.environ), root.handlers[:], root.level
        self.run_line("instance list --debug")
        self.assertEqual(before, (dict(os.environ), root.handlers[:], root.level))
        self.assertEqual(streams, (sys.stdin, sys.stdout, sys.stderr))

    def test_hang_without_a_read_timeout_fails_one_test_and_not_all(self):
        with mock.patch(
            "keystoneauth1.session.Session.request",
            lambda self, url, method, **kw: self.session.get("http://trove.fake/"),
        ):
            error = self.assertRaises(
                AssertionError,
                self.run_line,
                "instance list",
                faults=[Fault(Kind.HANG, lasting=True)],
            )
        self.assertIn("request without a read time-out", str(error))

    def kill(self, number, method=None):
        self.cloud.before_request.append(
            lambda r: (
                os.kill(os.getpid(), number)
                if r.service == "trove" and method in {None, r.method}
                else None
            )
        )

    def test_unhandled_signal_ends_the_run_and_not_the_tests(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            self.kill(number)
            self.assertEqual(code, self.run_line("flavor list").exit_code)
            self.cloud.before_request.clear()

    def test_request_that_a_signal_interrupts_never_reached_the_server(self):
        self.kill(signal.SIGTERM, "POST")
        result = self.run_line(f"backup create b1 --instance {self.db.id}")
        self.assertEqual([], self.cloud.live_backups)
        self.assertEqual([False], [r.reached for r in result.requests.changing])

    def test_interrupt_after_the_server_was_reached_loses_the_response(self):
        self.cloud.after_request.append(
            lambda r: os.kill(os.getpid(), signal.SIGTERM) if r.changing else None
        )
        result = self.run_line(f"backup create b1 --instance {self.db.id}")
        self.assertEqual(143, result.exit_code)
        self.assertEqual(1, len(self.cloud.live_backups))

    def test_stdout_can_be_a_broken_pipe(self):
        result = self.run_line("instance list", room=10)
        self.assertNotEqual(0, result.exit_code)
        self.assertEqual("", result.stdout)

    def test_endpoint_that_is_no_trove_responds_with_html(self):
        server_of(self.cloud).keystone.database_url = "http://web.fake"
        result = self.run_line("instance list")
        self.assertEqual(1, result.exit_code)
        self.assertEqual("web", result.requests[-1].service)

    def test_older_trove_lacks_fields(self):
        self.cloud.missing_fields = {"operating_status", "addresses"}
        result = self.run_line("instance show db1 -f json")
        self.assertNotIn("operating_status", json.loads(result.stdout))


class TestClock(testtools.TestCase):
    def test_sleep_takes_no_time_and_runs_what_is_due_in_order(self):
        clock, seen = FakeClock(), []
        clock.after(5, lambda: seen.append(clock.monotonic()))
        clock.after(2, lambda: seen.append(clock.monotonic()))
        clock.sleep(4)
        clock.sleep(4)
        self.assertEqual([2.0, 5.0], seen)
        self.assertEqual("2026-01-01T00:00:08+00:00", clock.now().isoformat())

    def test_negative_sleep_is_refused_as_by_the_real_one(self):
        self.assertRaises(ValueError, FakeClock().sleep, -1)

    def test_what_is_due_can_interrupt_a_sleep(self):
        clock = FakeClock()

        def interrupt():
            raise KeyboardInterrupt

        clock.after(3, interrupt)
        self.assertRaises(KeyboardInterrupt, clock.sleep, 10)
        self.assertEqual(3.0, clock.monotonic())

    def test_each_sleep_can_be_observed(self):
        clock, seen = FakeClock(), []
        clock.before_sleep.append(seen.append)
        clock.sleep(3)
        self.assertEqual([3], seen)

    def test_endless_wait_ends(self):
        self.assertRaises(EndOfTime, FakeClock(limit=100).sleep, 101)

    def test_project_s_clock_becomes_virtual(self):
        from trove_ext.polling import SystemClock

        clock = FakeClock()
        with virtual_time(clock):
            SystemClock().sleep(7)
            self.assertEqual(7.0, SystemClock().monotonic())
            self.assertEqual(clock.now(), SystemClock().now())
