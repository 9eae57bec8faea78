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

from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase

COMMANDS = ("replica detach db2 --wait", "instance detach db2 --wait")


@shows(Promise.DETACH)
class TestOlderTrove(ReplicaTestCase):
    """Trove 19.0.1 to 24.0.0: each update detaches the configuration group."""

    def setUp(self):
        super().setUp()
        self.fake.older_update = True
        self.group = self.fake.add_configuration("tuned", max_connections=100)
        self.give_back()

    def give_back(self):
        self.db2.configuration_id = self.group.id
        self.db2.replica_of = self.db1.id

    def attach_command(self, row):
        return f"configuration attach {row.id} {self.group.id}"

    def test_a_group_lost_by_a_detach_is_named_with_its_command(self):
        for line in COMMANDS:
            with self.subTest(line):
                self.give_back()
                result = self.succeed(line)
                self.assertIn("has lost its configuration group", result.stderr)
                self.assertIn(self.attach_command(self.db2), result.stderr)

    def test_a_detach_without_wait_names_the_lost_group_too(self):
        result = self.succeed("replica detach db2")
        self.assertIn(self.attach_command(self.db2), result.stderr)

    def test_a_detach_that_is_refused_after_it_has_begun_is_waited_for(self):
        self.db2.was_source = True
        for line in COMMANDS:
            with self.subTest(line):
                self.give_back()
                result = self.succeed(line)
                self.assertIsNone(self.db2.replica_of)
                self.assertIn("currently: DETACHING", result.stderr)
                self.assertIn("has begun nevertheless", result.stderr)
                self.assertNotIn("has lost", result.stderr)

    def test_the_refusal_is_not_the_reason_if_the_detach_fails_then(self):
        self.db2.was_source = True
        self.fake.knobs.detach["db2"] = "the replica does not stop"
        for line in COMMANDS:
            with self.subTest(line):
                result = self.run_line(line)
                self.assertEqual(1, result.exit_code)
                reason = result.stderr.rpartition(" is ACTIVE/HEALTHY: ")[2]
                self.assertIn("the replica does not stop", reason)
                self.assertNotIn("DETACHING", reason)

    def test_a_refusal_without_a_detach_is_a_refusal(self):
        self.db2.replica_of = None
        result = self.run_line("instance detach db2 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("is not a replica", result.stderr)

    def test_a_group_lost_by_an_upgrade_is_named_with_its_command(
        self,
    ):
        self.alone.configuration_id = self.group.id
        version = "00000000-0000-4000-8000-000000000572"
        result = self.succeed(f"instance upgrade alone {version} --wait")
        self.assertIn(self.attach_command(self.alone), result.stderr)


@shows(Promise.DETACH)
class TestTodaysTrove(ReplicaTestCase):
    def test_a_group_that_is_still_attached_is_not_mentioned(self):
        group = self.fake.add_configuration("tuned", max_connections=100)
        self.db2.configuration_id = group.id
        result = self.succeed("replica detach db2 --wait")
        self.assertNotIn("configuration", result.stderr)
        self.assertEqual(group.id, self.db2.configuration_id)

    def test_a_detach_that_fails_is_not_explained_by_an_older_fault(self):
        self.fake.blame(self.db2, "an old story")
        self.clock.sleep(100)
        self.fake.knobs.detach["db2"] = "not stored"
        self.fake.blame = lambda *_args: None
        result = self.run_line("replica detach db2 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("last fault is another one: an old story", result.stderr)


@shows(Promise.DETACH)
class TestDetach(ReplicaTestCase):
    def test_a_detach_is_verified_by_the_role(self):
        (row,) = self.rows("replica detach db2 --wait")
        self.assertEqual(("no role", None), (row["Role"], row["Source ID"]))
        self.assertIsNone(self.db2.replica_of)

    def test_a_detach_that_trove_gave_up_is_a_failure(self):
        self.fake.knobs.detach["db2"] = "It would not."
        result = self.run_line("replica detach db2 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn(f"still a replica of {self.db1.id}", result.stderr)
        self.assertIn("It would not.", result.stderr)
        self.assertIn("likely read-only", result.stderr)

    def test_the_stock_command_reports_a_failure_in_the_same_way(self):
        self.fake.knobs.detach["db2"] = "It would not."
        result = self.run_line("instance detach db2 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn(f"still a replica of {self.db1.id}", result.stderr)

    def test_without_wait_it_says_that_nothing_is_verified(self):
        result = self.succeed("replica detach db2")
        self.assertIn("accepted, not verified", result.stderr)
        self.assertIn(f"instance wait {self.db2.id} --for detached", result.stderr)

    def test_a_host_that_dies_meanwhile_does_not_hold_the_wait_to_its_time_out(self):
        self.fake.timings.heartbeat_expiry = 5.0

        def die(request):
            if request.method in {"PUT", "PATCH"}:
                self.fake.host_off(self.db2)

        self.fake.after_request.append(die)
        result = self.run_line("replica detach db2 --wait")
        self.assertEqual(1, result.exit_code, result.stderr)
        self.assertIn("is ACTIVE/ERROR", result.stderr)
        self.assertIn("Trove has ended the action, but it is not det", result.stderr)

    def test_what_is_no_replica_is_refused(self):
        self.refuse("replica detach db1", "the source of db2")
        self.refuse("replica detach alone", "it is not a replica")
