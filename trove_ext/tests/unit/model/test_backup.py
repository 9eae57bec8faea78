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

"""A backup as Trove's API shows it."""

import importlib.util
import pathlib
from datetime import UTC, datetime, timedelta

import testtools

from trove_ext.exceptions import MalformedAnswerError
from trove_ext.model import backup, status
from trove_ext.model.backup import Backup, BackupKind
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.model import trees

INFO = {
    "id": "bd358777",
    "name": "db1-backup",
    "description": "before the upgrade",
    "locationRef": "http://swift/v1/AUTH_x/database_backups/bd358777.xbstream.gz.enc",
    "instance_id": "3bc0c29d",
    "created": "2020-08-05T22:24:14",
    "updated": "2020-08-05T22:25:00",
    "size": 0.17,
    "status": "COMPLETED",
    "parent_id": "a0",
    "project_id": "p1",
    "datastore": {"type": "mysql", "version": "5.7.29", "version_id": "8f2c"},
}


class TestBackup(testtools.TestCase):
    def test_reads_each_field_that_trove_sends(self):
        self.assertEqual(
            Backup(
                id="bd358777",
                name="db1-backup",
                instance_id="3bc0c29d",
                status="COMPLETED",
                parent_id="a0",
                size=0.17,
                created=datetime(2020, 8, 5, 22, 24, 14, tzinfo=UTC),
                updated=datetime(2020, 8, 5, 22, 25, 0, tzinfo=UTC),
                datastore="mysql",
                datastore_version="5.7.29",
                datastore_version_id="8f2c",
                description="before the upgrade",
                location=INFO["locationRef"],
                project_id="p1",
                storage_driver="swift",
            ),
            Backup.from_info(INFO),
        )

    def test_reads_what_an_older_release_sends(self):
        older = {
            "id": "b",
            "status": "NEW",
            "created": "2015-01-01T00:00:00Z",
            "instance_id": "i",
            "parent_id": None,
        }
        backup = Backup.from_info(older)
        self.assertEqual(
            ("", None, None), (backup.name, backup.size, backup.project_id)
        )
        self.assertEqual(datetime(2015, 1, 1, tzinfo=UTC), backup.updated)

    def test_a_record_without_its_parent_does_not_count_as_a_full_backup(self):
        for key in ("parent_id", "instance_id"):
            info = {name: value for name, value in INFO.items() if name != key}
            self.assertRaises(MalformedAnswerError, Backup.from_info, info)

    def test_converts_a_time_with_an_offset_to_utc(self):
        backup = Backup.from_info({**INFO, "created": "2020-08-05T22:24:14+02:00"})
        self.assertEqual(20, backup.created.hour)
        self.assertEqual(timedelta(), backup.created.utcoffset())

    def test_accepts_a_datetime_unchanged(self):
        when = datetime(2020, 8, 5, 22, tzinfo=UTC)
        self.assertEqual(when, Backup.from_info({**INFO, "created": when}).created)

    def test_names_the_backup_that_has_no_time(self):
        error = self.assertRaises(
            MalformedAnswerError, Backup.from_info, {"id": "b7", "status": "NEW"}
        )
        self.assertIn("b7", str(error))

    def test_the_storage_driver_follows_from_the_location(self):
        drivers = {
            "cinder://0d5e": "cinder",
            "http://swift/v1/AUTH_x/database_backups/b.xbstream": "swift",
            None: None,
        }
        for location, driver in drivers.items():
            backup = Backup.from_info({**INFO, "locationRef": location})
            self.assertEqual(driver, backup.storage_driver)
            self.assertEqual(driver == "cinder", backup.is_volume_snapshot)

    @requires.trove
    def test_the_location_of_a_snapshot_begins_as_trove_writes_it(self):
        package = pathlib.Path(importlib.util.find_spec("trove").origin).parent
        source = (package / "taskmanager" / "models.py").read_text()
        self.assertIn(f'"{backup.SNAPSHOT_LOCATION_PREFIX}%s"', source)

    @requires.trove
    def test_knows_each_state_of_trove(self):
        from trove.backup.state import BackupState

        self.assertEqual(set(BackupState.RUNNING_STATES), status.RUNNING_BACKUPS)
        self.assertEqual(
            set(BackupState.END_STATES),
            status.COMPLETED_BACKUPS | status.FAILED_BACKUPS,
        )

    def test_names_the_kind_of_a_backup(self):
        snapshot = backup.REPLICATION_SNAPSHOT_PREFIX + "r1"
        kinds = {
            BackupKind.FULL: trees.backup("a"),
            BackupKind.INCREMENTAL: trees.backup("a", parent_id="b"),
            BackupKind.REPLICATION_SNAPSHOT: trees.backup(
                "a", name=snapshot, parent_id="b"
            ),
            BackupKind.RESTORED: trees.backup("a", status="RESTORED"),
        }
        self.assertEqual(list(kinds), [backup.kind for backup in kinds.values()])
