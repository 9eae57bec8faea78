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

"""The Python library against a real Trove; the script of its page as it stands."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import subprocess
import sys
from datetime import timedelta
from unittest import mock

import openstack

import trove_ext
from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.promises import Promise, shows

ROOT = pathlib.Path(__file__).parents[3]
SCRIPT = ROOT / "doc" / "examples" / "copy_with_replica.py"
ROWS = 500
COUNT = "SELECT count(*) AS n FROM myDB.t"


class LibraryTestCase(FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.openstack(
            *("database", "instance", "create", "db1", "--flavor", FLAVOR),
            *("--size", "5", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--databases", "myDB", "--users", "dbusr:dbpassword"),
            *("--nic", f"net-id={NETWORK}", "--wait"),
            stderr=PROGRESS,
        )
        self.sql("db1", "CREATE TABLE myDB.t (c INT)")
        self.fill("db1")

    def fill(self, instance):
        rows = f"SELECT seq FROM seq_1_to_{ROWS}"
        self.sql(instance, f"INSERT INTO myDB.t {rows}", database="myDB")

    def count(self, instance):
        (row,) = self.sql(instance, COUNT)
        return row["n"]

    def listed(self, noun):
        """What Trove itself lists, by name."""
        rows = self.openstack_json("database", noun, "list")
        return {row["Name"]: row for row in rows}

    def shown(self, noun, name):
        return self.openstack_json("database", noun, "show", name)

    @contextlib.contextmanager
    def environment_of_the_cloud(self):
        with mock.patch.dict(os.environ, self.environment, clear=True):
            yield


@shows(Promise.LIBRARY)
class ScriptTest(LibraryTestCase):
    def run_script(self, *argv):
        return subprocess.run(
            [sys.executable, "-W", "ignore", str(SCRIPT), *argv],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def test_the_script_of_the_page_runs_as_it_stands(self):
        done = self.run_script("db1")
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        backups = self.listed("backup")
        self.assertEqual({"db1-full", "db1-increment"}, set(backups))
        self.assertEqual(
            {"COMPLETED"}, {backup["Status"] for backup in backups.values()}
        )
        increment = self.shown("backup", backups["db1-increment"]["ID"])
        self.assertEqual(backups["db1-full"]["ID"], increment["parent_id"])
        instances = self.listed("instance")
        names = {"db1", "db1-copy", "db1-copy-replica"}
        self.assertEqual(names, set(instances))
        old = self.shown("instance", "db1-copy")
        self.assertEqual(instances["db1-copy-replica"]["ID"], old["replica_of"])
        self.assertNotIn("replica_of", self.shown("instance", "db1-copy-replica"))
        for name in names:
            self.assertEqual(ROWS, self.count(name), name)
        source = f"db1-copy-replica ({instances['db1-copy-replica']['ID']})"
        self.assertIn(f"The source is {source}", done.stdout)

        again = self.run_script("none")
        self.assertEqual(1, again.returncode, again.stdout)
        self.assertIn("NotFoundError: ", again.stderr)
        self.assertIn("Sent: nothing", again.stderr)
        self.assertEqual(names, set(self.listed("instance")))


@shows(Promise.LIBRARY)
class SourcesTest(LibraryTestCase):
    def test_each_source_logs_in_and_each_job_shows_on_the_server(self):
        out, err = io.StringIO(), io.StringIO()
        with (
            self.environment_of_the_cloud(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            by_name = trove_ext.connect(self.cloud)
            sdk = openstack.connect(cloud=self.cloud)
            by_connection = trove_ext.connect(connection=sdk)
            by_session = trove_ext.connect(session=sdk.session)
            self.rotate_and_prune(by_name)
            self.verify_and_delete(by_connection)
            self.fail_and_go_on(by_session)
        self.assertEqual(("", ""), (out.getvalue(), err.getvalue()))

    def rotate_and_prune(self, trove):
        (first,) = trove.rotate_backups("db1")
        (second,) = trove.rotate_backups("db1", min_age=timedelta(0))
        self.assertEqual(first.backup.id, second.backup.parent_id)
        full = trove.create_backup("db1", "by-hand")
        plan = trove.plan_prune_backups("db1", policy=trove_ext.Policy(keep_last=1))
        self.assertEqual({full.id}, {r.backup.id for r in plan.rows if r.keep})
        trove.prune_backups(plan)
        self.assertEqual({"by-hand"}, set(self.listed("backup")))

    def verify_and_delete(self, trove):
        self.fill("db1")
        increment = trove.create_backup("db1", "more", incremental=True)
        question = trove_ext.Question(COUNT, str(2 * ROWS))
        options = trove_ext.RestoreOptions()
        verification = trove.verify_backup(
            increment, databases=["myDB"], questions=[question], options=options
        )
        self.assertEqual("data checked", verification.steps[-1].result)
        self.assertEqual({"db1"}, set(self.listed("instance")))
        (chain,) = trove.list_backup_chains()
        plan = trove.plan_delete_backups(chain.root)
        self.assertEqual([increment.id], [each.id for each in plan.dependents])
        trove.delete_backups(plan)
        self.assertEqual({}, self.listed("backup"))

    def fail_and_go_on(self, trove):
        source = trove.find_instance("db1")
        fault = ("--instance", source.id, "--text", "The disk is full")
        self.trove_sandbox("fault", "set", "backup", *fault)
        error = self.assertRaises(
            trove_ext.ResourceFailedError, trove.create_backup, source, "broken"
        )
        self.assertIn("The disk is full", str(error))
        self.assertEqual("FAILED", error.result.status)
        shown = self.shown("backup", error.result.id)
        self.assertEqual("FAILED", shown["status"])
        self.trove_sandbox("fault", "clear", f"backup@{source.id}")
        made = trove.create_backup(source, "good", wait=False)
        (good,) = trove.wait_for_backups(made, timeout=300)
        self.assertEqual("COMPLETED", good.status)
