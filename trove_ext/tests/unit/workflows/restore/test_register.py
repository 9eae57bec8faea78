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

"""``backup register``: a record in another region, of the same object."""

import json
import signal

from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.backups import BackupTestCase

TWO = "RegionTwo"
STORE = "http://swift.fake/v1/AUTH_x"


def add_region(cloud, name=TWO):
    """Give a fake cloud another region; return its Trove, with version IDs of its own."""
    other = FakeCloud(cloud.clock, seed=2)
    other.versions = {f"two-{key}": row for key, row in sorted(other.versions.items())}
    for key, row in other.versions.items():
        row.id = key
    server_of(cloud).add_region(name, other)
    return other


@shows(Promise.RESTORE, Promise.ONCE, Promise.CHECKS)
class TestRegister(BackupTestCase):
    def setUp(self):
        super().setUp()
        self.full = self.add("full")
        self.two = add_region(self.fake)

    def run_line(self, line, faults=None):
        argv = ["database", "backup", "register", *line.split()]
        return run_openstack(argv, self.fake, faults=faults)

    def register(self, line="full"):
        result = self.run_line(f"{line} --to-region {TWO} -f json")
        self.assertEqual(0, result.exit_code, result.stderr)
        return result, json.loads(result.stdout)

    def refuse(self, line, *parts):
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code, result.stderr)
        self.assertEqual([], result.requests.changing)
        for part in parts:
            self.assertIn(part, result.stderr)

    def test_the_record_names_the_object_and_a_version_of_that_region(self):
        result, row = self.register()
        made = self.two.backups[row["id"]]
        self.assertEqual(BackupState.RESTORED, made.state)
        self.assertEqual(self.full.location, made.location)
        self.assertEqual("full", made.name)
        self.assertIn(made.version_id, self.two.versions)
        self.assertEqual(1, len(result.requests.changing))
        self.assertEqual((TWO, "RESTORED"), (row["region"], row["status"]))
        self.assertIn("No data is copied", result.stderr)

    def test_a_second_run_finds_the_record(self):
        _, first = self.register()
        result, second = self.register()
        self.assertEqual(first["id"], second["id"])
        self.assertEqual([], result.requests.changing)
        self.assertIn("registered in RegionTwo already", result.stderr)

    def test_the_newest_full_backup_of_an_instance_can_be_meant(self):
        self.add("inc", 5, parent=self.full)
        _, row = self.register("latest-full --instance db1 --name db1-away")
        made = self.two.backups[row["id"]]
        self.assertEqual(("db1-away", self.full.location), (made.name, made.location))

    def test_a_dry_run_sends_nothing(self):
        result, row = self.register("full --dry-run")
        self.assertEqual([], result.requests.changing)
        self.assertIsNone(row["id"])

    def test_what_can_not_be_registered_is_refused(self):
        self.add("inc", 5, parent=self.full)
        self.add("snapshot", 4, storage_driver="cinder")
        self.add("failed", 3, state=BackupState.FAILED)
        for name, why in (
            ("inc", "that of its chain is full ("),
            ("snapshot", "it is a volume snapshot"),
            ("failed", "it can't be restored"),
        ):
            with self.subTest(name):
                self.refuse(f"{name} --to-region {TWO}", why)

    def test_regions_with_stores_of_their_own_are_refused(self):
        stores = server_of(self.fake).keystone.stores
        stores |= {"RegionOne": STORE, TWO: STORE.replace("swift", "swift2")}
        self.refuse(f"full --to-region {TWO}", "object stores of their own", STORE)
        self.register("full --one-store")

    def test_one_store_with_one_endpoint_needs_no_option(self):
        server_of(self.fake).keystone.stores |= {"RegionOne": STORE, TWO: STORE}
        self.register()

    def test_the_own_and_an_unknown_region_are_refused(self):
        self.refuse("full --to-region RegionOne", "it is a backup of region RegionOne")
        known = "regions with one: RegionOne, RegionTwo"
        self.refuse("full --to-region Three", "has no Trove in the service", known)

    def test_a_version_that_is_not_there_is_refused_with_those_that_are(self):
        for row in self.two.versions.values():
            row.name = f"{row.name}.1"
        self.refuse(f"full --to-region {TWO}", "version 5.7.29", "5.7.29.1")

    def test_all_problems_are_reported_at_once(self):
        self.add("inc", 5, parent=self.full)
        self.refuse("inc --to-region Three", "incremental", "has no Trove")

    def test_a_lost_response_is_followed_to_the_record(self):
        def is_post(request):
            return request.service == "trove" and request.method == "POST"

        fault = Fault(Kind.RESET_AFTER, lasting=True, only=is_post)
        result = self.run_line(f"full --to-region {TWO}", [fault])
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(1, len(self.two.live_backups))

    def test_a_response_that_stays_lost_names_a_command_for_that_region(self):
        def is_post(request):
            return request.service == "trove" and request.method == "POST"

        fault = Fault(Kind.RESET_BEFORE, lasting=True, only=is_post)
        result = self.run_line(f"full --to-region {TWO}", [fault])
        self.assertEqual(1, result.exit_code)
        follow_up = f"openstack --os-region-name {TWO} database backup list"
        self.assertIn(follow_up, result.stderr)

    def test_an_interrupted_one_names_a_command_for_that_region(self):
        def interrupt(request):
            if request.method == "POST" and request.service == "trove":
                signal.raise_signal(signal.SIGTERM)

        self.fake.after_request.append(interrupt)
        self.two.after_request.append(interrupt)
        result = self.run_line(f"full --to-region {TWO}")
        self.assertEqual(143, result.exit_code)
        self.assertIn(f"--os-region-name {TWO} database backup", result.stderr)

    def test_a_refusal_says_that_the_other_store_was_asked(self):
        self.two.forbidden.add("backup:create")
        result = self.run_line(f"full --to-region {TWO}")
        self.assertEqual(1, result.exit_code)
        self.assertIn("in its own object store", result.stderr)
