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

"""Replicas of PostgreSQL are built on a backup that is fit for that."""

from trove_ext.tests.unit.workflows.replica.test_promote_risks import (
    PostgresReplicaTestCase,
)
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase

LINE = "replica create db1 new --wait"


class FreshBackupTest(PostgresReplicaTestCase):
    def made(self):
        return [b for b in self.fake.live_backups if "for-replica" in b.name]

    def test_a_full_one_is_taken_first_if_there_is_a_backup(self):
        self.fake.add_backup("old", self.db1)
        self.clock.sleep(60)
        result = self.succeed(LINE)
        (fresh,) = self.made()
        self.assertIsNone(fresh.parent_id)
        self.assertLess(fresh.created, self.fake.instance("new").created)
        self.assertIn(f"backup delete {fresh.id}", result.stderr)
        self.assertIn("restarts db1", result.stderr)
        self.assertIn("has to be a full one", result.stderr)

    def test_none_is_taken_without_a_backup_or_if_it_is_not_wanted(self):
        self.succeed(LINE)
        self.fake.add_backup("old", self.db1)
        result = self.succeed(f"{LINE} --no-fresh-backup")
        self.assertEqual([], self.made())
        self.assertIn("will lack rows", result.stderr)

    def test_nothing_is_created_if_it_fails(self):
        self.fake.add_backup("old", self.db1)
        self.fake.fail_backup()
        result = self.run_line(LINE)
        self.assertEqual(1, result.exit_code)
        names = {each.name for each in self.fake.live_instances}
        self.assertNotIn("new", names)

    def test_it_is_probed_without_a_wish(self):
        result = self.succeed(f"{LINE} -f value -c Replication")
        self.assertIn("proved", result.stdout)

    def test_a_first_replica_that_can_not_be_promoted_is_named(self):
        for replica in (self.db2, self.db3):
            replica.deleted = True
        self.fake.add_backup("old", self.db1)
        self.assertIn("can't be promoted", self.succeed(LINE).stderr)

    def test_a_dry_run_takes_no_backup(self):
        self.fake.add_backup("old", self.db1)
        result = self.succeed("replica create db1 new --dry-run")
        self.assertEqual([], result.requests.changing)


class OtherEnginesTest(ReplicaTestCase):
    def test_mysql_builds_on_any_backup_and_is_not_restarted(self):
        self.fake.add_backup("old", self.db1)
        result = self.succeed(LINE)
        self.assertNotIn("restarts", result.stderr)
        self.assertEqual(["instance"], self.actions(result))
