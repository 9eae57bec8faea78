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

"""Backups of PostgreSQL: what would restore without its rows is not taken."""

import json

from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove.engine import VARIABLE


class PostgresTestCase(BackupTestCase):
    """One PostgreSQL instance, ``db1``."""

    def fresh(self):
        super().fresh()
        self.fake.instances.clear()
        self.db1 = self.fake.add_instance("db1", datastore="postgresql")

    def run_line(self, line, **env):
        return run_openstack(["database", *line.split()], self.fake, env=env)

    def succeed(self, line, **env):
        result = self.run_line(line, **env)
        self.assertEqual(0, result.exit_code, result.stderr)
        return result

    def refused(self, line, *words):
        """The command fails, with these words, and nothing was sent."""
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual([], result.requests.changing)

    def parent_of(self, name):
        parent = self.fake.backup(name).parent_id
        return self.fake.backups[parent].name if parent else None

    def demote(self):
        """Make db1 a replica, as a promote does of a source."""
        source = self.fake.add_instance("source", datastore="postgresql")
        self.db1.replica_of = source.id


class TestDelete(PostgresTestCase):
    def test_after_the_newest_is_deleted_the_next_has_to_be_full(self):
        said = "the next one has to be a full one"
        for line in ("backup delete b2", "backup chain delete b2 --yes"):
            self.fresh()
            full = self.add("b1", 30)
            self.add("b2", 20, parent=full)
            self.assertIn(said, self.succeed(line).stderr, line)
        self.fresh()
        self.add("b1", 30)
        self.add("b2", 20)
        self.assertNotIn(said, self.succeed("backup delete b1").stderr)

    def test_a_failed_newest_that_is_pruned_counts_too(self):
        self.add("b1", 30)
        self.add("b2", 20, state=BackupState.FAILED)
        line = "backup prune db1 --keep-last 1 --yes"
        self.assertIn("the next one has to be", self.succeed(line).stderr)
        self.assertEqual({"b1"}, self.names())

    def test_on_mysql_nothing_is_said(self):
        self.add("b1", 30)
        shown = self.succeed("backup delete b1", TROVE_EXT_ENGINE="mysql").stderr
        self.assertNotIn("full one", shown)


@shows(Promise.ENGINE)
class TestRotate(PostgresTestCase):
    def rotate(self, options="", **env):
        line = f"backup rotate db1 --min-age 0 {options} -f json"
        (row,) = json.loads(self.succeed(line, **env).stdout)
        return row

    def test_every_backup_is_full_and_says_why(self):
        self.add("full", 30)
        row = self.rotate()
        self.assertEqual("full", row["Type"])
        self.assertIn("can miss rows", row["Note"])

    def test_takes_incrementals_if_they_are_asked_for(self):
        self.add("full", 30)
        row = self.rotate("--incremental")
        self.assertEqual("full", self.parent_of(row["Backup"]))

    def test_builds_on_the_newest_backup_of_any_state_only(self):
        for state in (BackupState.FAILED, BackupState.DELETE_FAILED):
            self.fresh()
            self.add("full", 30)
            self.add("newest", 20, state=state)
            row = self.rotate("--incremental")
            self.assertEqual("full", row["Type"], state)
            self.assertIn("newest", row["Note"])

    def test_takes_no_incremental_of_a_source(self):
        self.add("full", 30)
        self.fake.add_instance("replica", replica_of=self.db1, datastore="postgresql")
        row = self.rotate("--incremental")
        self.assertEqual("full", row["Type"])
        self.assertIn("has replicas", row["Note"])

    def test_refuses_a_replica_and_a_demoted_source(self):
        self.demote()
        self.refused("backup rotate db1", "takes no writes", "Back up the source")

    def test_does_not_adopt_what_an_earlier_run_took_of_a_replica(self):
        self.add("db1-full-20260101T000000Z", 0)
        self.demote()
        self.refused("backup rotate db1", "takes no writes")

    def test_does_not_say_that_a_chain_grows_where_all_are_full(self):
        said = "grows without limit"
        quiet = self.succeed("backup rotate db1 --keep-last 3").stderr
        self.assertNotIn(said, quiet)
        line = "backup rotate db1 --keep-last 3 --incremental --min-age 0"
        self.assertIn(said, self.succeed(line).stderr)

    def test_the_engine_that_the_user_names_counts(self):
        self.add("full", 30)
        row = self.rotate("--engine mysql")
        self.assertEqual("full", self.parent_of(row["Backup"]))
        env = {VARIABLE: "mysql"}
        self.assertEqual("incremental", self.rotate(**env)["Type"])
        self.assertEqual("full", self.rotate("--engine postgresql", **env)["Type"])


@shows(Promise.ENGINE, Promise.PARENT)
class TestCreate(PostgresTestCase):
    def test_the_newest_backup_is_a_good_parent(self):
        self.add("full", 2)
        self.succeed("backup create db1 new --parent full --wait")
        self.assertEqual("full", self.parent_of("new"))

    def test_any_other_parent_is_refused(self):
        full = self.add("full", 3)
        self.add("sibling", 2, parent=full, state=BackupState.FAILED)
        said = ("sibling", "was taken since", "end at the parent")
        self.refused("backup create db1 new --parent full --wait", *said)
        self.refused("backup create db1 new --parent full", *said)

    def test_a_parent_of_a_source_with_replicas_is_refused(self):
        self.add("full", 2)
        self.fake.add_instance("replica", replica_of=self.db1, datastore="postgresql")
        self.refused("backup create db1 new --parent full --wait", "has replicas")

    def test_the_stock_form_is_sent_with_a_warning(self):
        full = self.add("full", 3)
        self.add("newer", 2)
        line = f"backup create new --instance {self.db1.id} --parent {full.id}"
        result = self.succeed(line)
        self.assertEqual(1, len(result.requests.changing))
        self.assertIn("newer", result.stderr)
        self.assertEqual("full", self.parent_of("new"))

    def test_the_newest_is_chosen_for_incremental_and_not_what_trove_chooses(self):
        old = self.add("old", 9)
        self.add("newest", 2)
        # Trove goes by the last change of a record.
        old.updated = self.clock.now()
        self.succeed("backup create db1 new --incremental --wait")
        self.assertEqual("newest", self.parent_of("new"))

    def test_incremental_is_refused_if_the_newest_is_no_parent(self):
        self.add("full", 3)
        self.add("newest", 2, state=BackupState.FAILED)
        line = "backup create db1 new --incremental --wait"
        self.refused(line, "newest", "FAILED")

    def test_what_trove_chose_wrongly_in_the_stock_form_is_a_warning(self):
        self.add("full", 3)
        self.add("newest", 2, state=BackupState.FAILED)
        line = f"backup create new --instance {self.db1.id} --incremental"
        result = self.succeed(line)
        self.assertIn("newest", result.stderr)
        self.assertIn("Take a full backup", result.stderr)

    def test_what_trove_chose_rightly_in_the_stock_form_is_no_warning(self):
        self.add("full", 3)
        line = f"backup create new --instance {self.db1.id} --incremental"
        self.assertEqual("", self.succeed(line).stderr)

    def test_a_backup_of_a_replica_is_refused_and_a_warning_in_the_stock_form(self):
        self.demote()
        said = "takes no writes"
        self.refused("backup create db1 new --wait", said)
        self.refused("backup create db1 new", said)
        result = self.succeed(f"backup create new --instance {self.db1.id}")
        self.assertIn(said, result.stderr)
        self.assertEqual(1, len(result.requests.changing))


@shows(Promise.ENGINE)
class TestChains(PostgresTestCase):
    def test_a_branch_is_doubtful(self):
        full = self.add("full", 3)
        self.add("first", 2, parent=full)
        self.add("second", 1, parent=full)
        shown = self.succeed("backup chain show full").stdout
        (line,) = [line for line in shown.splitlines() if "second" in line]
        self.assertIn("doubtful", line)
        plain = self.succeed("backup chain show full --engine mysql").stdout
        self.assertNotIn("doubtful", plain)


class TestUnknown(BackupTestCase):
    def test_an_engine_that_the_datastore_does_not_show_is_said_once(self):
        for version in self.fake.versions.values():
            version.datastore = "relational"
        line = ["database", "backup", "rotate", "db1"]
        result = run_openstack(line, self.fake)
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(1, result.stderr.count(VARIABLE), result.stderr)
