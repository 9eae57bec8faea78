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

"""A clone: a backup, restored with the settings of the source, and deleted."""

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.sweep import signals
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


@shows(Promise.RESTORE)
class TestClone(ReplicaTestCase):
    def setUp(self):
        super().setUp()
        self.alone.content.databases.add("shop")

    def clone(self):
        (new,) = [each for each in self.fake.live_instances if each.name == "copy"]
        return new

    def test_it_has_the_data_and_the_settings_and_the_backup_is_gone(self):
        group = self.fake.add_configuration("tuned")
        self.alone.configuration_id = group.id
        self.alone.flavor_id = "11"
        result = self.succeed("instance clone alone copy")
        self.assertEqual(["backup", "instance", "DELETE"], self.actions(result))
        clone = self.clone()
        self.assertIn("shop", clone.content.databases)
        self.assertEqual(("11", group.id), (clone.flavor_id, clone.configuration_id))
        self.assertEqual(self.alone.volume_size, clone.volume_size)
        self.assertIsNone(clone.replica_of)
        self.assertEqual([], self.fake.live_backups)
        self.assertRegex(result.stderr, "alone-for-clone-.*: deleted")

    def test_the_backup_is_kept_if_asked_for(self):
        result = self.succeed(
            "instance clone alone copy --keep-backup --backup-name x-{time}"
        )
        (kept,) = self.fake.live_backups
        self.assertTrue(kept.name.startswith("x-2"))
        self.assertIn(": kept", result.stderr)

    def test_a_backup_that_exists_is_used_and_kept(self):
        full = self.fake.add_backup("full", self.alone)
        self.clock.sleep(60)
        self.fake.add_backup("inc", self.alone, parent=full)
        result = self.succeed("instance clone alone copy --from latest")
        self.assertEqual(["instance"], self.actions(result))
        self.assertEqual(2, len(self.fake.live_backups))
        self.assertIn("Chosen: inc", result.stderr)
        self.refuse("instance clone db1 copy2 --from full", "among those of")
        for more in ("--keep-backup", "--backup-name x-{time}"):
            result = self.run_line(f"instance clone alone copy --from full {more}")
            self.assertEqual((2, []), (result.exit_code, result.requests.changing))

    def test_a_backup_that_fails_makes_no_clone(self):
        self.fake.fail_backup(self.alone.id)
        result = self.run_line("instance clone alone copy")
        self.assertEqual(1, result.exit_code)
        self.assertNotIn("copy", [each.name for each in self.fake.live_instances])
        self.assertIn("no good backup", result.stderr)

    def test_if_the_restore_fails_the_backup_is_kept_and_named(self):
        self.fake.fail_restore()
        result = self.run_line("instance clone alone copy")
        self.assertEqual(1, result.exit_code)
        (kept,) = self.fake.live_backups
        self.assertIn("was taken for the clone, is kept", result.stderr)
        self.assertIn(f"backup delete {kept.id}", result.stderr)
        self.assertIn(f"instance delete {self.clone().id}", result.stderr)

    def test_a_backup_that_another_builds_on_is_kept(self):
        def build(request):
            if request.method == "POST" and request.path.endswith("/instances"):
                (taken,) = self.fake.live_backups
                self.fake.add_backup("child", self.alone, parent=taken)

        self.fake.before_request.append(build)
        result = self.succeed("instance clone alone copy")
        self.assertIn("another backup builds on it", result.stderr)
        self.assertEqual(2, len(self.fake.live_backups))

    def test_all_that_is_wrong_is_reported_before_a_backup_is_taken(self):
        self.fake.quotas |= {"backups": 0, "instances": 4}
        self.refuse(
            "instance clone alone copy --flavor nobody",
            *("quota of backups", "quota of instances", "nobody"),
        )

    def test_a_dry_run_changes_nothing(self):
        result = self.succeed("instance clone alone copy --dry-run")
        self.assertEqual([], result.requests.changing)
        self.assertIn("would be taken first", result.stderr)

    def test_a_backup_of_a_replica_of_postgresql_is_refused(self):
        version = self.fake.datastores["postgresql"].default_version_id
        for member in self.members:
            member.version_id = version
        self.refuse("instance clone db2 copy", "takes no writes")


class TestSignals(ReplicaTestCase):
    def test_stopped_anywhere_the_backup_and_what_goes_on_are_named(self):
        cases = [
            case
            for case in signals.cases(only="instance clone")
            if case.number.name == "SIGTERM" and case.where == signals.BEFORE
        ]
        self.assertGreater(len(cases), 20)
        for case in cases:
            cloud, result = signals.run(case)
            self.assertEqual(143, result.exit_code, str(case))
            left = [
                backup
                for backup in cloud.live_backups
                if "-for-clone-" in backup.name
                and backup.state is BackupState.COMPLETED
            ]
            for backup in left:
                self.assertIn(backup.id, result.stderr, str(case))
