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

"""An upgrade is rehearsed on the temporary instance, before its data is checked."""

from dataclasses import replace

from trove_ext.exceptions import Exit
from trove_ext.tests.fake.state import DatastoreVersion
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.verifications import (
    PostgresVerifyTestCase,
    VerifyTestCase,
)


@shows(Promise.VERIFY)
class TestUpgrade(VerifyTestCase):
    def offer(self, name, datastore="mysql"):
        key = self.fake.new_id()
        version = DatastoreVersion(key, name, name, datastore)
        self.fake.versions[key] = version
        return key

    def version(self, name):
        (version,) = [x for x in self.fake.versions.values() if x.name == name]
        return version

    def test_the_data_is_checked_after_it_and_it_has_its_time(self):
        found = self.one(expect="300", upgrade_to="5.7.40", keep=True)
        self.assertIsNone(found.error)
        self.assertEqual(
            [
                *("check", "restore", "recovery", "upgrade"),
                *("recovery after the upgrade", "databases", "data", "delete", "total"),
            ],
            [step.name for step in found.steps],
        )
        (step,) = [step for step in found.steps if step.name == "upgrade"]
        self.assertGreaterEqual(step.seconds, self.fake.timings.upgrade)
        self.assertEqual("5.7.29 to 5.7.40", step.detail)
        (kept,) = self.temporary()
        self.assertEqual(self.version("5.7.40").id, kept.version_id)
        (databases,) = [step for step in found.steps if step.name == "databases"]
        self.assertNotIn("trove_ext", databases.detail)

    def test_the_source_is_not_upgraded(self):
        before = self.db1.version_id
        self.assertIsNone(self.one(upgrade_to=self.version("5.7.40").id).error)
        self.assertEqual(before, self.db1.version_id)
        self.assertEqual([], self.temporary())

    def test_one_that_fails_is_a_failure_and_no_instance_remains(self):
        self.fake.knobs.upgrade["*"] = "no"
        found = self.one(expect="300", upgrade_to="5.7.40")
        results = self.results(found)
        self.assertEqual(("FAILED", "FAILED"), (results["upgrade"], results["total"]))
        self.assertNotIn("data", results)
        self.assertIn("the upgrade to 5.7.40 failed, ERROR", str(found.error))
        self.assertEqual([], self.temporary())

    def test_one_that_takes_too_long_exits_124_and_no_instance_remains(self):
        self.fake.timings.upgrade = 9000.0
        found = self.one(upgrade_to="5.7.40")
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)
        self.assertIn("the upgrade to 5.7.40 is still UPGRADE", str(found.error))
        self.assertEqual([], self.temporary())

    def test_one_that_is_none_is_not_tried_and_nothing_is_made(self):
        self.offer("5.6")
        self.offer("8.0")
        for wanted, why in {
            "5.7.29": "with version 5.7.29 already",
            "5.6": "5.6 is older than version 5.7.29",
            "8.0": "8.0 is another major version than 5.7.29",
            "9": "no version 9 to upgrade to; it has: 5.7.29, 5.7.40, 5.6, 8.0",
        }.items():
            found = self.one(upgrade_to=wanted)
            self.assertEqual("not tried", self.results(found)["total"], wanted)
            self.assertIn(why, str(found.error))
        self.assertEqual([], self.requests("POST"))

    def test_the_numbers_of_versions_are_compared_and_not_their_ids(self):
        own = self.version("5.7.29")
        for first in ("9", "0"):
            key = f"{first}83db99e-4a9c-4394-b10e-400bd3e124af"
            self.fake.versions[key] = replace(own, id=key)
            self.db1.version_id = key
            self.add(f"c{first}")
            self.assertIsNone(self.one(f"c{first}", upgrade_to="5.7.40").error)

    def test_a_name_of_several_versions_needs_an_id(self):
        keys = [self.offer("5.7.50"), self.offer("5.7.50")]
        found = self.one(upgrade_to="5.7.50")
        for key in keys:
            self.assertIn(key, str(found.error))
        self.assertIsNone(self.one(upgrade_to=keys[1]).error)

    def test_it_is_reported_with_what_else_is_wrong(self):
        self.fake.quotas["instances"] = 1
        found = self.one(upgrade_to="9")
        self.assertIn("quota of instances", str(found.error))
        self.assertIn("no version 9", str(found.error))


@shows(Promise.VERIFY)
class TestUpgradeOfPostgresql(PostgresVerifyTestCase):
    def test_it_takes_writes_after_it(self):
        self.fake.versions["0"] = DatastoreVersion("0", "15.99", "15.99", "postgresql")
        found = self.one(expect="300", upgrade_to="15.99")
        self.assertIsNone(found.error)
        results = self.results(found)
        self.assertEqual("takes writes", results["recovery after the upgrade"])
        self.assertEqual("data checked", results["total"])
