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

"""``replica promote --fence``, killed at every request too."""

import json

import testtools

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import Killed
from trove_ext.tests.sweep import sweep
from trove_ext.tests.sweep.scenarios import SCENARIOS
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.workflows.replica.test_fence import FenceTestCase
from trove_ext.workflows.replica import fence_lift

LINE = "replica promote db2 --fence"
NAME = "replica promote with a fence"


class TestPromote(FenceTestCase):
    def watch(self):
        """Record whether writes are stopped at each request that changes something."""
        self.seen = []
        self.fake.before_request.append(
            lambda request: (
                request.changing
                and self.seen.append((self.short(request), all(self.is_up())))
            )
        )

    @staticmethod
    def short(request):
        body = json.dumps(request.body) if request.body else ""
        name = request.path.rpartition("/")[2]
        if "promote" in body:
            return "promote"
        if "configurations" in request.path:
            return f"{request.method} group"
        if "configuration" in body:
            return f"{request.method} instance"
        return f"{request.method} {name if 'probe' not in name else 'probe'}"

    def test_the_order_of_its_requests(self):
        self.watch()
        result = self.succeed(LINE)
        self.assertEqual(
            [
                ("POST databases", False),
                ("DELETE probe", False),
                ("POST group", False),
                ("PUT instance", False),
                ("promote", True),
                ("PATCH group", True),
                ("PUT group", False),
                ("PUT instance", False),
                ("DELETE group", False),
                ("POST databases", False),
                ("DELETE probe", False),
            ],
            self.seen,
        )
        self.assertEqual(self.db2.id, self.db1.replica_of)
        self.assertEqual({}, self.fake.configurations)
        self.assertEqual([{}] * 3, [member.settings for member in self.members])
        self.assertNotIn("is LOST", result.stderr)

    def test_the_command_that_lifts_it_is_printed_before_it_is_up(self):
        texts = []
        self.fake.fail_promote_candidate("db2")
        result = self.run_line(LINE)
        texts = result.stderr.partition("Writes are stopped")
        self.assertIn(f"replica show {self.db1.id}", texts[0])

    def test_a_pause_is_made_after_the_fence(self):
        self.succeed(f"{LINE} --pause 17")
        self.assertIn(17.0, self.clock.sleeps)

    def test_the_other_replicas_are_not_to_be_replaced(self):
        result = self.succeed(LINE)
        self.assertNotIn(f"replica replace {self.db3.id}", result.stderr)
        self.assertIn(f"replica replace {self.db1.id}", result.stderr)

    def test_a_failed_promote_is_reported_by_the_states_before_the_lift(self):
        self.fake.fail_promote_candidate("db2")
        result = self.run_line(f"{LINE} -f value -c Name -c Status")
        self.assertEqual(1, result.exit_code)
        self.assertEqual("db1 ERROR\ndb2 ERROR\ndb3 ERROR\n", result.stdout)
        self.assertIn("likely writable", result.stderr)
        self.assertNotIn("reset status", result.stderr)
        self.assertEqual([False] * 3, self.is_up())
        self.assertEqual({}, self.fake.configurations)

    def test_a_replica_that_lags_is_found_before(self):
        self.fake.stop_replication(self.db3)
        result = self.run_line(LINE)
        self.assertEqual(1, result.exit_code)
        self.assertIn("db3", result.stderr)
        self.assertIn("replica replace", result.stderr)
        self.assertNotIn("promote_to_replica_source", self.actions(result))
        self.assertEqual({}, self.fake.configurations)

    def test_the_group_of_the_set_has_its_values_again(self):
        group = self.group(work_mem=4096)
        self.succeed(LINE)
        self.assertEqual({"work_mem": 4096}, group.values)
        self.assertEqual([group.id] * 3, [m.configuration_id for m in self.members])
        self.assertEqual([False] * 3, self.is_up())

    @requires.tls
    def test_with_tls_the_group_stays_attached_and_is_used_again(self):
        for member in self.members:
            member.ssl_mode = "basic"
        result = self.succeed(LINE)
        self.assertIn("stays attached", result.stderr)
        (group,) = self.fake.configurations.values()
        self.assertEqual([False] * 3, self.is_up())
        self.succeed("replica promote db1 --fence")
        self.assertEqual([group.id], list(self.fake.configurations))
        self.assertIsNone(self.db1.replica_of)

    def test_a_member_that_dies_keeps_only_itself_fenced(self):
        def die(request):
            if request.method == "PATCH":
                self.fake.host_off(self.db3)

        self.fake.before_request.append(die)
        result = self.run_line(LINE)
        self.assertEqual(1, result.exit_code)
        self.assertIn(f"on db3 ({self.db3.id})", result.stderr)
        self.assertEqual([False, False, True], self.is_up())

    def test_it_is_needless_where_trove_stops_the_writes(self):
        result = self.succeed(f"{LINE} --engine mysql --wait")
        self.assertIn("not needed", result.stderr)
        self.assertEqual(["promote_to_replica_source"], self.actions(result))

    def test_a_candidate_without_the_password_is_suspected(self):
        self.clock.sleep(60)
        for member in (self.db2, self.db3):
            member.created = self.fake.clock.now()
        old = self.fake.add_backup("old", self.db1, created=self.db1.created)
        result = self.run_line(LINE)
        self.assertEqual(2, result.exit_code)
        self.assertIn(old.id, result.stderr)
        self.assertEqual([], result.requests.changing)
        self.db2.has_password_file = False
        result = self.run_line(f"{LINE} --accept-loss")
        self.assertEqual(1, result.exit_code)
        self.assertEqual([False] * 3, self.is_up())

    def test_a_dry_run_changes_nothing(self):
        result = self.succeed(f"{LINE} --dry-run")
        self.assertEqual([], result.requests.changing)
        self.assertIn("a fence reaches every member", result.stderr)


class TestSwallowedPut(testtools.TestCase):
    def test_values_that_a_proxy_has_swallowed_are_removed_again(self):
        (fenced,) = [each for each in SCENARIOS if each.name == NAME]
        _, result, _ = sweep.run(fenced, [])
        (put,) = [
            sent.number
            for sent in result.requests
            if sent.method == "PUT" and "/configurations/" in sent.path
        ]
        cloud, result, _ = sweep.run(fenced, [Fault(Kind.TEXT, put)])
        self.assertEqual(0, result.exit_code)
        self.assertTrue(fenced.done(cloud))


class TestLostAttach(FenceTestCase):
    """Trove goes on attaching the group if nobody waits for its response."""

    def attaches(self, request):
        return bool((request.body or {}).get("instance", {}).get("configuration"))

    def lose(self, kind):
        """Run it; the response to the attach is lost."""
        fault = Fault(kind, 1, True, only=self.attaches)
        return self.run_line(LINE, faults=[fault])

    def attach_later(self, seconds):
        """Attach to one member after the other, with the values that there are then."""

        def attach(request):
            if self.attaches(request) and not asked:
                asked.append(request)
                for number, member in enumerate(self.members, 1):
                    self.clock.after(seconds * number, lambda m=member: one(m))

        def one(member):
            for group in self.fake.configurations.values():
                self.attach(group, member)

        asked = []
        self.fake.before_request.append(attach)

    def test_it_goes_on_if_all_members_have_the_group(self):
        result = self.lose(Kind.RESET_AFTER)
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertIn("on 3 of 3 members", result.stderr)
        self.assertEqual(self.db2.id, self.db1.replica_of)
        self.assertEqual([False] * 3, self.is_up())
        self.assertEqual({}, self.fake.configurations)

    def test_it_waits_for_the_last_member(self):
        self.attach_later(30)
        result = self.lose(Kind.RESET_BEFORE)
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(self.db2.id, self.db1.replica_of)
        self.assertEqual([False] * 3, self.is_up())

    def test_a_member_that_gets_the_group_too_late_takes_writes(self):
        self.attach_later(100)
        result = self.lose(Kind.RESET_BEFORE)
        self.assertEqual(1, result.exit_code)
        self.assertNotIn("promote_to_replica_source", self.actions(result))
        self.assertIn("may still be attaching", result.stderr)
        self.clock.sleep(1000)
        self.assertEqual([False] * 3, self.is_up())
        self.run_line("replica show db3")
        self.assertEqual([None] * 3, [each.configuration_id for each in self.members])
        self.assertEqual({}, self.fake.configurations)


class TestKilled(FenceTestCase):
    """SIGKILL: not even ``finally`` sends a request."""

    def kill(self, at):
        """Run it and kill it after a number of requests; return whether it was."""
        killed = []

        def strike(request):
            if killed or request.number >= at:
                killed.append(request)
                raise Killed(9)

        self.fake.after_request.append(strike)
        self.run_line(LINE)
        self.fake.after_request.remove(strike)
        return bool(killed)

    def check_lifted(self, line):
        """The next run has lifted the fence, or there was none."""
        result = self.run_line(line)
        self.assertEqual([False] * 3, self.is_up(), result.stderr)
        self.assertEqual(
            [None] * 3, [each.configuration_id for each in self.members], result.stderr
        )
        left = self.fake.configurations
        self.assertTrue(len(left) <= 1)

    def test_the_next_show_lifts_it(self):
        at = 0
        was_up = set()
        while True:
            at += 3
            self.make_set()
            if not self.kill(at):
                break
            was_up.add(tuple(self.is_up()))
            self.check_lifted("replica show db3")
        self.assertIn((True, True, True), was_up)
        self.assertGreater(at, 30)

    def stopped(self):
        """Kill it while the promote is in progress."""

        def strike(request):
            if "promote_to_replica_source" in (request.body or {}) or dead:
                dead.append(request)
                raise Killed(9)

        dead = []
        self.fake.after_request.append(strike)
        self.run_line(LINE)
        self.fake.after_request.remove(strike)
        self.assertEqual([True] * 3, self.is_up())

    def test_the_next_run_waits_for_the_promote(self):
        for line in (
            "replica show db1",
            "replica detach db3 --wait",
            "backup rotate db2",
            "replica promote db3 --fence",
        ):
            self.make_set()
            self.stopped()
            result = self.run_line(line)
            self.assertEqual(0, result.exit_code, result.stderr)
            self.assertIn("It is lifted now", result.stderr)
            self.assertEqual([False] * 3, self.is_up(), result.stderr)

    def test_one_that_can_not_be_read_is_named(self):
        self.stopped()
        self.clock.sleep(200)
        fault = Fault(
            Kind.FORBIDDEN, 1, True, only=lambda each: "configurations" in each.path
        )
        result = self.succeed("replica show db3", faults=[fault])
        self.assertIn("may be stopped by configuration group", result.stderr)
        self.assertIn(f"trove-ext-fence-{self.db1.id}", result.stderr)

    def test_the_next_command_is_not_stopped_by_a_lift_that_fails(self):
        self.stopped()
        self.clock.sleep(200)
        self.fake.host_off(self.db3)
        result = self.succeed("replica show db2")
        self.assertIn(f"on db3 ({self.db3.id})", result.stderr)
        self.assertEqual([False, False, True], self.is_up())

    def test_a_command_in_progress_is_not_disturbed(self):
        ran = []

        def show(request):
            if request.method == "GET" or ran:
                return
            if "/instances/" in request.path and request.method == "PUT":
                ran.append(self.clock.monotonic())
                result = self.run_line("replica show db1")
                ran.append(self.clock.monotonic())
                self.assertNotIn("WARNING: Writes", result.stderr)

        self.fake.after_request.append(show)
        self.run_line(LINE)
        began, ended = ran
        self.assertGreaterEqual(ended - began, fence_lift.GRACE.total_seconds())
