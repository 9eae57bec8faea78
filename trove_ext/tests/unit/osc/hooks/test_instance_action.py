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

"""The stock instance commands with the hook: each waits for its own idea of done."""

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.rows import DatastoreVersion
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.hooks.base import HookTestCase


@shows(Promise.WAIT)
class TestActions(HookTestCase):
    def setUp(self):
        super().setUp()
        self.rep1 = self.cloud.add_instance("rep1", replica_of=self.db1)
        self.rep2 = self.cloud.add_instance("rep2", replica_of=self.db1)

    def test_each_action_waits_for_its_own_condition(self):
        self.cloud.add_instance("alone")
        for line in (
            "instance restart alone --wait",
            "instance resize flavor alone db.medium --wait",
            "instance resize volume db1 9 --wait",
        ):
            self.succeed(line)
        self.assertEqual("11", self.cloud.instance("alone").flavor_id)
        for instance in (self.db1, self.rep1, self.rep2):
            self.assertEqual(9, instance.volume_size, instance.name)

    def test_a_refused_action_is_one_clear_line(self):
        result = self.run_line("instance promote db1 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        self.assertIn("is not a replica", result.stderr)

    def test_waits_for_all_accepted_ones_though_one_was_refused(self):
        alone = self.cloud.add_instance("alone")
        result = self.run_line("instance delete db1 alone --wait")
        self.assertEqual(1, result.exit_code)
        self.assertTrue(alone.deleted)
        self.assertIn("Detach replicas", result.stderr)
        self.assertIn(f"database instance {alone.id} has been", result.stdout)
        self.assertIn("1 of 2", result.stderr)

    def test_unknown_instances_do_not_stop_the_others_and_are_all_named(self):
        alone, twin = self.cloud.add_instance("alone"), self.cloud.add_instance("twin")
        self.cloud.add_instance("twin")
        gone = "11111111-2222-4333-8444-555555555555"
        result = self.run_line(f"instance delete nobody alone twin {gone} --wait")
        self.assertEqual(1, result.exit_code)
        self.assertTrue(alone.deleted)
        self.assertFalse(twin.deleted)
        for text in ("nobody", twin.id, gone, "3 of 4 were not deleted"):
            self.assertIn(text, result.stderr)

    def test_unknown_backups_do_not_stop_the_others_and_are_all_named(self):
        self.cloud.add_backup("b1", self.db1)
        gone = "11111111-2222-4333-8444-555555555555"
        result = self.run_line(f"backup delete nobody b1 {gone} --wait")
        self.assertEqual(1, result.exit_code)
        self.assertEqual([], self.cloud.live_backups)
        for text in ("nobody", gone, "2 of 3 were not deleted"):
            self.assertIn(text, result.stderr)

    def test_if_all_are_unknown_nothing_is_sent(self):
        gone = "11111111-2222-4333-8444-555555555555"
        for noun in ("instance", "backup"):
            for names in ("nobody", "nobody nothing", gone):
                result = self.run_line(f"{noun} delete {names} --wait")
                self.assertEqual(1, result.exit_code)
                self.assertEqual([], result.requests.changing)

    def test_what_another_user_deletes_first_counts_as_deleted(self):
        alone = self.cloud.add_instance("alone")

        def rival(request):
            if request.method == "DELETE":
                alone.deleted = True

        self.cloud.before_request.append(rival)
        self.succeed("instance delete alone --wait")

    def test_a_policy_that_forbids_is_not_a_failed_log_in(self):
        self.cloud.policy_forbid("instance:promote_to_replica_source")
        result = self.run_line("instance promote rep1 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("policy", result.stderr)

    def test_after_a_lost_response_the_result_is_read(self):
        lost = Fault(
            Kind.RESET_AFTER, 1, lasting=True, only=lambda r: r.path.endswith("/action")
        )
        self.succeed("instance promote rep1 --wait", faults=[lost])
        self.assertIsNone(self.rep1.replica_of)

    def test_a_request_that_never_arrived_is_not_reported_as_done(self):
        lost = Fault(
            Kind.RESET_BEFORE,
            1,
            lasting=True,
            only=lambda r: r.path.endswith("/action"),
        )
        result = self.run_line("instance promote rep1 --wait", faults=[lost])
        self.assertEqual(1, result.exit_code)
        self.assertIn("nothing has acted on it since", result.stderr)


class TestUpgrade(HookTestCase):
    """Trove reports a major upgrade as done; its guest agent has refused it."""

    def setUp(self):
        super().setUp()
        self.cloud.versions["16"] = DatastoreVersion("16", "16", "16", "postgresql")
        self.cloud.add_instance("pg", datastore="postgresql")

    def test_a_major_one_is_refused_if_it_is_to_be_waited_for(self):
        for options in ("--wait", "--backup-first"):
            result = self.run_line(f"instance upgrade pg 16 {options}")
            self.assertEqual(1, result.exit_code)
            self.assertIn("16 is another major version than 15", result.stderr)
            self.assertEqual([], result.requests.changing)

    def test_the_stock_command_is_left_alone(self):
        result = self.succeed("instance upgrade pg 16")
        self.assertEqual(1, len(result.requests.changing))

    def test_a_minor_one_is_waited_for(self):
        self.assertIn("done", self.succeed("instance upgrade db1 5.7.40 --wait").stderr)


class TestBackupFirst(HookTestCase):
    """``--backup-first``: a good backup, then the action, or nothing at all."""

    def backups(self):
        return [backup.name for backup in self.cloud.live_backups]

    def sent(self, result):
        return [request.method for request in result.requests.changing]

    def test_each_action_follows_a_backup_of_its_name(self):
        self.cloud.admin = True
        for action, rest in (
            ("upgrade", "upgrade db1 5.7.40"),
            ("resize", "resize flavor db1 db.medium"),
            ("resize", "resize volume db1 9"),
            ("delete", "delete db1"),
        ):
            result = self.succeed(f"instance {rest} --backup-first --wait")
            name = self.backups()[-1]
            self.assertTrue(name.startswith(f"db1-before-{action}-"), name)
            self.assertLess(
                result.stderr.index("is restorable"),
                result.stderr.rindex("Instance db1"),
            )
        self.assertTrue(self.db1.deleted)

    def test_without_wait_it_ends_once_the_action_is_accepted(self):
        result = self.succeed("instance resize volume db1 9 --backup-first")
        self.assertIn("accepted, not verified", result.stderr)
        self.assertIn(f"instance wait {self.db1.id}", self.advised(result))
        self.assertNotEqual(9, self.db1.volume_size)
        self.clock.advance(600)
        result = self.succeed("instance delete db1 --backup-first")
        self.assertIn("has been accepted", result.stdout)

    def test_a_backup_that_fails_leaves_every_instance_alone(self):
        other = self.cloud.add_instance("other")
        self.cloud.fail_backup("db1", message="Swift is full.")
        result = self.run_line("instance delete db1 other --backup-first --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("Swift is full.", result.stderr)
        self.assertIn("Nothing was done to db1", result.stderr)
        self.assertFalse(self.db1.deleted or other.deleted)
        self.assertNotIn("DELETE", self.sent(result))

    def test_a_refused_delete_names_a_command_that_shows_what_is_left(self):
        refused = Fault(Kind.FORBIDDEN, 1, True, only=lambda r: r.method == "DELETE")
        result = self.run_line("instance delete db1 --backup-first", faults=[refused])
        self.assertEqual(1, result.exit_code)
        self.assertIn("It was not deleted.", result.stderr)
        self.assertEqual(["instance list"], self.advised(result))

    def test_a_backup_that_takes_too_long_leaves_the_instance_alone(self):
        line = "instance delete db1 --backup-first --timeout 2"
        result = self.run_line(line)
        self.assertEqual(124, result.exit_code)
        self.assertFalse(self.db1.deleted)
        self.assertTrue(self.advised(result)[0].startswith("backup wait "))

    def test_what_trove_would_refuse_is_refused_before_the_backup(self):
        self.cloud.add_instance("rep1", replica_of=self.db1)
        for rest, word in (
            ("delete db1", "replica show"),
            ("delete rep1 nobody", "nobody"),
            ("upgrade rep1 9.9", "9.9"),
            ("resize flavor rep1 10", "already"),
            ("resize volume rep1 5", "only become larger"),
        ):
            result = self.run_line(f"instance {rest} --backup-first --wait")
            self.assertEqual(1, result.exit_code, rest)
            self.assertIn(word, result.stderr)
            self.assertEqual([], result.requests.changing, rest)

    def test_a_replica_of_postgresql_is_refused(self):
        source = self.cloud.add_instance("pg", datastore="postgresql")
        self.cloud.add_instance("pg2", datastore="postgresql", replica_of=source)
        result = self.run_line("instance delete pg2 --backup-first")
        self.assertEqual(1, result.exit_code)
        self.assertIn("Back up the source instead", result.stderr)
        self.assertEqual([], result.requests.changing)

    def test_the_name_is_a_pattern_as_in_rotate(self):
        line = "instance delete db1 --backup-first --backup-name last-{type}-{time:%Y}"
        self.succeed(line)
        self.assertRegex(self.backups()[0], r"^last-full-\d{4}$")

    def test_a_name_without_a_backup_or_a_time_is_a_usage_error(self):
        for options in ("--backup-name x-{time}", "--backup-first --backup-name x"):
            result = self.run_line(f"instance delete db1 {options}")
            self.assertEqual(2, result.exit_code)
            self.assertFalse(self.db1.deleted)
