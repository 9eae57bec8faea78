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

"""Nothing is read of a restored instance before it takes writes."""

from unittest import mock

from trove_ext.exceptions import Exit
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.guest import Guest
from trove_ext.tests.unit.workflows.restores import RestoreTestCase
from trove_ext.tests.unit.workflows.verifications import (
    PostgresVerifyTestCase,
    VerifyTestCase,
)
from trove_ext.workflows.restore import recovery, restore


class TestPostgres(PostgresVerifyTestCase):
    def test_it_waits_until_the_wal_is_replayed(self):
        self.fake.timings.recovery = 500.0
        found = self.one(expect="300")
        self.assertIsNone(found.error)
        seconds = {step.name: step.seconds for step in found.steps}
        self.assertGreaterEqual(seconds["recovery"], 480.0)
        self.assertLess(seconds["recovery"], 530.0)
        self.assertEqual("data checked", self.results(found)["total"])

    def test_one_that_never_ends_is_no_restore(self):
        self.fake.timings.recovery = 1e6
        found = self.one(timeout=600.0)
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)
        results = self.results(found)
        self.assertEqual(("FAILED", "FAILED"), (results["recovery"], results["total"]))
        self.assertNotIn("databases", results)
        self.assertIn("the backup of a PostgreSQL replica", str(found.error))
        self.assertEqual([], self.temporary())

    def test_its_database_is_no_part_of_the_backup(self):
        found = self.one(expect="300")
        details = {step.name: step.detail for step in found.steps}
        self.assertEqual("myDB", details["databases"])

    def test_without_a_list_of_databases_root_is_the_proof(self):
        self.db1.content.databases.add("b")
        self.add("b2")
        self.fake.timings.recovery = 100.0
        found = self.one("b2")
        self.assertIsNone(found.error)
        self.assertEqual("takes writes", self.results(found)["recovery"])
        seconds = {step.name: step.seconds for step in found.steps}
        self.assertGreater(seconds["recovery"], 90.0)

    def test_its_database_is_none_of_the_backup_if_root_is_the_proof(self):
        lists = []

        def first_list(request):
            if request.method == "GET" and request.path.endswith("/databases"):
                lists.append(request)
            return lists == [request]

        # On a busy machine Trove gives up waiting for a guest agent, once.
        fault = Fault(Kind.BUSY, only=first_list, lasting=True)
        self.cloud = self.make_cloud([fault])
        found = self.one(expect="300")
        self.assertGreater(len(lists), 1)
        self.assertIsNone(found.error)
        details = {step.name: step.detail for step in found.steps}
        self.assertEqual("myDB", details["databases"])

    def test_what_the_policy_forbids_is_not_tried(self):
        self.fake.forbidden.add("instance:extension:database:create")
        found = self.one()
        self.assertEqual("not seen", self.results(found)["recovery"])
        self.assertEqual("not tried", self.results(found)["total"])

    def test_a_kept_instance_keeps_no_database_of_it(self):
        self.one(keep=True)
        (kept,) = self.temporary()
        self.assertEqual({"myDB"}, kept.content.databases)


class TestMySQL(VerifyTestCase):
    def test_it_costs_one_database_and_no_wait(self):
        found = self.one()
        self.assertEqual("takes writes", self.results(found)["recovery"])
        seconds = {step.name: step.seconds for step in found.steps}
        self.assertLess(seconds["recovery"], 1.0)
        created = [r for r in self.requests("POST") if r.path.endswith("/databases")]
        self.assertEqual(1, len(created))

    def test_what_can_not_be_proved_is_no_failure(self):
        self.fake.forbidden.add("instance:extension:database:create")
        found = self.one(expect="300")
        self.assertIsNone(found.error)
        self.assertEqual("not seen", self.results(found)["recovery"])
        self.assertEqual("data checked", self.results(found)["total"])

    def test_a_missing_access_rule_is_no_failure(self):
        def creates(request):
            return request.method == "POST" and request.path.endswith("/databases")

        fault = Fault(Kind.TOKEN_EXPIRED, only=creates, lasting=True)
        self.cloud = self.make_cloud([fault])
        found = self.one()
        self.assertIsNone(found.error)
        self.assertEqual("not seen", self.results(found)["recovery"])

    def test_one_that_takes_no_writes_fails(self):
        with mock.patch.object(Guest, "_write"):
            found = self.one()
        self.assertEqual("FAILED", self.results(found)["recovery"])
        self.assertEqual(Exit.FAILED, found.error.exit_code)
        self.assertIn("takes no writes", str(found.error))


class TestRestore(RestoreTestCase):
    def setUp(self):
        super().setUp()
        self.db1.version_id = self.fake.datastores["postgresql"].default_version_id
        self.db1.content.databases.add("app")
        self.add("b1")

    def wait(self, timeout=3600.0):
        deadline = self.cloud.start(timeout)
        plan = self.plan()
        made = restore.submit(self.cloud, plan)
        instance = restore.read.get_instance(self.cloud, made)
        return self.fake.by_id(made), restore.wait(self.cloud, instance, deadline)[1]

    def test_it_is_done_when_it_takes_writes(self):
        self.fake.timings.recovery = 500.0
        made, error = self.wait()
        self.assertIsNone(error)
        self.assertGreater(self.clock.now(), made.recovers_until)
        self.assertEqual({"app"}, made.content.databases)

    def test_a_time_out_is_reported_as_one(self):
        self.fake.timings.recovery = 5000.0
        _, error = self.wait(1000.0)
        self.assertEqual(Exit.TIMEOUT, error.exit_code)
        self.assertIn("is HEALTHY, but", str(error))

    def test_root_is_not_enabled_to_find_out(self):
        self.fake.forbidden.add("instance:extension:database:create")
        made, error = self.wait()
        self.assertIsNone(error)
        self.assertFalse(made.root_enabled)
        self.assertIn("is not known", "".join(self.progress.warnings))

    def test_a_name_is_at_most_63_bytes(self):
        probe = recovery._Probe(self.cloud, None)
        self.assertLessEqual(len(probe.name), 63)
