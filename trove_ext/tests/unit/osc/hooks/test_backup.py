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

"""The stock backup commands with the hook: what it adds, and what it waits for."""

import json

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.osc.hooks.base import HookTestCase
from trove_ext.tests.unit.osc.v1.base import ChainTestCase


class TestBackupCreate(HookTestCase):
    def test_the_form_of_the_guide_with_options_in_any_place(self):
        for line in (
            "backup create db1 b1",
            "backup create --incremental db1 b1",
            "backup create db1 --incremental b1",
            "backup create db1 b1 --incremental",
            "backup create --description text db1 b1 -f json",
            "backup create b1 --instance db1",
            "backup create --instance db1 b1",
            "backup create --instance db1 b1 --incremental",
            "backup create db1 --description text b1 --incremental",
        ):
            self.cloud = FakeCloud(FakeClock())
            db1 = self.cloud.add_instance("db1")
            result = self.succeed(line)
            (request,) = result.requests.changing
            self.assertEqual("b1", request.body["backup"]["name"], line)
            self.assertEqual(db1.id, request.body["backup"]["instance"], line)

    def test_a_name_with_a_dash_follows_two_dashes_as_without_the_plugin(self):
        for line, name in (
            ("backup create --instance db1 -- -nightly", "-nightly"),
            ("backup create --instance db1 --incremental -- --wait", "--wait"),
            ("backup create db1 -- -nightly", "-nightly"),
            ("backup create --description text -- db1 -nightly", "-nightly"),
        ):
            self.cloud = FakeCloud(FakeClock())
            db1 = self.cloud.add_instance("db1")
            (request,) = self.succeed(line).requests.changing
            self.assertEqual(name, request.body["backup"]["name"], line)
            self.assertEqual(db1.id, request.body["backup"]["instance"], line)

    def test_too_many_names_after_two_dashes_are_repeated_as_typed(self):
        result = self.run_line("backup create -- db1 -n more")
        self.assertEqual(2, result.exit_code)
        self.assertIn("unrecognized arguments: more", result.stderr)

    def test_an_instance_named_twice_is_a_usage_error(self):
        result = self.run_line("backup create db1 b1 --instance db2")
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], result.requests.changing)

    def test_json_after_waiting_is_json_alone_and_the_backup_as_it_is(self):
        result = self.succeed("backup create db1 b1 --wait -f json")
        self.assertEqual("COMPLETED", json.loads(result.stdout)["status"])
        self.assertIn("COMPLETED", result.stderr)

    def test_a_failed_backup_is_printed_with_the_reason(self):
        self.cloud.fail_backup(message="disk full on the store")
        result = self.run_line("backup create db1 b1 --wait -f json")
        self.assertEqual(1, result.exit_code)
        self.assertEqual("FAILED", json.loads(result.stdout)["status"])
        self.assertIn("disk full on the store", result.stderr)

    def test_an_older_fault_is_not_reported_as_the_reason(self):
        self.cloud.blame(self.db1, "an old story")
        self.clock.sleep(100)
        self.cloud.fail_backup(message="a new one that is not stored")
        self.cloud.blame = lambda *_args: None
        result = self.run_line("backup create db1 b1 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("the last fault is another one: an old story", result.stderr)

    def test_a_time_out_prints_a_command_that_continues_the_wait(self):
        result = self.run_line("backup create db1 b1 --wait --timeout 0.5 -f json")
        self.assertEqual(124, result.exit_code)
        self.assertEqual("b1", json.loads(result.stdout)["name"])
        (command,) = self.advised(result)
        self.assertIn("COMPLETED", self.succeed(command).stdout)

    def test_parent_is_found_by_name(self):
        parent = self.cloud.add_backup("full", self.db1)
        result = self.succeed("backup create db1 b1 --parent full --wait -f json")
        self.assertEqual(parent.id, json.loads(result.stdout)["parent_id"])

    def test_a_full_backup_in_place_of_an_incremental_is_a_warning(self):
        for wait in ("", " --wait"):
            self.cloud = FakeCloud(FakeClock())
            self.cloud.add_instance("db1")
            result = self.succeed("backup create db1 b1 --incremental" + wait)
            self.assertIn("FULL backup", result.stderr)

    def test_a_replication_snapshot_as_parent_is_a_warning(self):
        self.cloud.add_backup(f"Replication snapshot for {self.db1.id}", self.db1)
        result = self.succeed("backup create db1 b1 --incremental")
        self.assertIn("DELETED", result.stderr)

    def driver_of(self, name):
        (backup,) = [
            backup for backup in self.cloud.live_backups if backup.name == name
        ]
        return backup.storage_driver

    @requires.storage_drivers
    def test_a_backup_on_a_volume_snapshot_is_stored_as_one(self):
        self.cloud.add_backup("snap", self.db1, storage_driver="cinder")
        self.succeed("backup create db1 b1 --parent snap --wait")
        self.assertEqual("cinder", self.driver_of("b1"))

    @requires.storage_drivers
    def test_a_parent_of_another_storage_driver_is_refused_with_our_options(self):
        self.cloud.add_backup("full", self.db1)
        line = "backup create db1 b1 --parent full --storage-driver cinder --wait"
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertIn("stored in swift, not in cinder", result.stderr)
        self.assertEqual(1, len(self.cloud.live_backups))

    def test_a_parent_of_another_storage_driver_is_otherwise_a_warning(self):
        parent = self.cloud.add_backup("snap", self.db1, storage_driver="cinder").id
        line = f"backup create b1 --instance {self.db1.id} --parent {parent}"
        result = self.succeed(line)
        self.assertIn("--storage-driver cinder", result.stderr)
        self.assertEqual("swift", self.driver_of("b1"))

    def test_a_volume_snapshot_that_trove_chose_as_the_parent_is_a_warning(self):
        self.cloud.add_backup("snap", self.db1, storage_driver="cinder")
        result = self.succeed("backup create db1 b1 --incremental")
        self.assertIn("a volume snapshot", result.stderr)

    def test_after_a_lost_response_there_is_one_backup_and_it_is_found(self):
        lost = Fault(
            Kind.RESET_AFTER,
            1,
            only=lambda r: r.method == "POST" and r.path.endswith("/backups"),
            lasting=True,
        )
        result = self.succeed("backup create db1 b1 --wait -f json", faults=[lost])
        self.assertEqual("COMPLETED", json.loads(result.stdout)["status"])
        self.assertEqual(["b1"], [backup.name for backup in self.cloud.live_backups])


class TestBackupList(ChainTestCase):
    def test_the_instance_filter_applies_on_every_page(self):
        db2 = self.fake.add_instance("db2")
        for number in range(50):
            self.add(f"mine{number}", number)
            self.add(f"theirs{number}", number, instance=db2)
        for option in ("--instance db2", f"--instance-id {db2.id}", f"-i {db2.id}"):
            rows = self.json(f"backup list {option}")
            self.assertEqual(50, len(rows))
            self.assertEqual({db2.id}, {row["Instance ID"] for row in rows})

    def test_a_name_that_is_on_the_second_page_of_instances_filters_too(self):
        for number in range(45):
            self.fake.add_instance(f"other{number:02}")
        rows = self.json("backup list --instance db1")
        self.assertEqual(3, len(rows))
        self.assertEqual([], self.json("backup list --instance other44"))
