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

"""A restore requests the right instance, or reports all problems."""

from trove_ext.exceptions import (
    AmbiguousNameError,
    CheckError,
    NotFoundError,
    OutOfTimeError,
    ResourceFailedError,
    WaitTimeoutError,
)
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.restores import RestoreTestCase
from trove_ext.trove import read
from trove_ext.workflows.restore import restore


def lost_creation():
    """Make Trove create the instance and lose its response."""
    return Fault(
        Kind.RESET_AFTER,
        lasting=True,
        only=lambda request: (
            request.method == "POST" and request.path.endswith("/instances")
        ),
    )


@shows(Promise.CHECKS, Promise.RESTORE)
class TestChecks(RestoreTestCase):
    def test_a_name_that_two_backups_have_lists_both(self):
        one, two = self.add("b1", 2), self.add("b1", 1)
        error = self.assertRaises(AmbiguousNameError, self.plan)
        for backup in (one, two):
            self.assertIn(backup.id, str(error))
        self.assertIn(self.db1.id, str(error))

    def test_an_unknown_name_is_an_error(self):
        self.assertRaises(NotFoundError, self.plan)

    def test_a_name_beyond_the_first_page_is_found(self):
        self.add("b1", 99)
        for number in range(30):
            self.add(f"other-{number}", number)
        self.assertEqual("b1", self.plan().backup.name)

    def test_every_ancestor_is_checked(self):
        links = self.chain("c", 4, 10)
        links[1].state = BackupState.FAILED
        self.assertIn(f"ancestor c-1 ({links[1].id}) is FAILED", self.problem("c-3"))
        links[1].state = BackupState.COMPLETED
        links[0].deleted = True
        self.assertIn("gone", self.problem("c-3"))

    def test_an_ancestor_of_another_version_is_refused(self):
        links = self.chain("c", 3, 10)
        links[0].version_id = self.version("5.7.40").id
        self.assertIn("another datastore version", self.problem("c-2"))

    def test_an_ancestor_of_another_instance_is_refused(self):
        links = self.chain("c", 3, 10)
        links[0].instance_id = self.fake.add_instance("other").id
        self.assertIn("another instance", self.problem("c-2"))

    def test_a_replication_snapshot_below_is_a_warning(self):
        snapshot = self.add("Replication snapshot for x", 2)
        self.add("b1", 1, parent=snapshot)
        (warning,) = self.plan().warnings
        self.assertIn("may fail", warning)

    def test_a_backup_in_progress_is_refused(self):
        self.add("b1", state=BackupState.BUILDING)
        self.assertIn("still BUILDING", self.problem())

    def test_a_volume_smaller_than_the_backup_is_refused(self):
        self.add("b1", size=5.5)
        self.assertIn("at least 6 GB", self.problem())

    def test_a_flavor_that_the_version_does_not_accept_is_refused(self):
        self.add("b1")
        self.version("5.7.29").flavors = ("11",)
        self.assertIn("There are: db.medium (11)", self.problem())
        self.assertEqual("11", self.plan(flavor="db.medium").settings.flavor_id)

    def test_a_used_up_quota_is_reported_before(self):
        self.add("b1")
        self.fake.quotas.update(instances=1, volumes=7)
        text = "\n".join(self.problems())
        self.assertIn("quota of instances does not suffice: 1 of 1", text)
        self.assertIn("quota of volumes does not suffice: 5 of 7 taken, 5 more", text)

    def test_a_quota_that_can_not_be_read_is_left_to_trove(self):
        self.add("b1")
        fault = Fault(
            Kind.HTTP_503, 1, True, only=lambda request: "/mgmt/quotas/" in request.path
        )
        self.cloud = self.make_cloud([fault])
        self.assertEqual("b1", self.plan().backup.name)
        self.assertIn("quota could not be read", "".join(self.progress.notes))

    def test_nothing_is_sent_if_time_is_over_while_the_quota_is_read(self):
        self.add("b1")
        fault = Fault(
            Kind.HTTP_503, 1, True, only=lambda request: "/mgmt/quotas/" in request.path
        )
        self.cloud = self.make_cloud([fault])
        self.cloud.start(5)
        self.assertRaises(OutOfTimeError, self.plan)

    def test_a_name_that_trove_does_not_take_is_reported_before(self):
        self.add("b1")
        for name in ("日本", "", "x" * 256, "two\nlines"):
            self.assertIn("name", self.problem(name=name))
        self.assertEqual("日本1", self.plan(name="日本1").name)

    def test_a_range_that_trove_does_not_take_is_reported_before(self):
        self.add("b1")
        for cidr in ("10.0.0.0/255.0.0.0", "10.0.0.256", "10.0.0.0/33", "::/0", ""):
            self.assertIn("no range", self.problem(allowed_cidrs=(cidr,)))
        for cidr in ("10.0.0.0/24", "10.0.0.7"):
            self.plan(allowed_cidrs=(cidr,))

    def test_problems_of_the_settings_are_no_problems_of_the_backup(self):
        self.add("b1")
        self.assertRaises(restore.SettingsError, self.plan, flavor="nope")
        self.fake.backup("b1").state = BackupState.FAILED
        error = self.assertRaises(CheckError, self.plan, flavor="nope")
        self.assertNotIsInstance(error, restore.SettingsError)

    def test_all_problems_are_reported_together(self):
        links = self.chain("c", 2, 10)
        links[0].state = BackupState.FAILED
        found = self.problems(
            "c-1", like="nobody", flavor="no-such", allowed_cidrs=("nonsense",)
        )
        text = "\n".join(found)
        for part in ("FAILED", "nobody", "no-such", "nonsense", "size of the volume"):
            self.assertIn(part, text)

    def test_a_name_that_is_taken_is_a_warning(self):
        self.add("b1")
        (warning,) = self.plan(name="db1").warnings
        self.assertIn(self.db1.id, warning)

    def test_a_longer_name_than_trove_accepts_is_refused(self):
        self.add("b1")
        self.assertIn("255", self.problem(name="x" * 256))


@shows(Promise.RESTORE)
class TestRestore(RestoreTestCase):
    def restore(self, timeout=3600.0):
        plan = self.plan()
        made = read.get_instance(self.cloud, restore.submit(self.cloud, plan))
        return restore.wait(self.cloud, made, self.cloud.deadline(timeout))

    def test_it_is_settled_with_the_data_of_the_backup(self):
        self.db1.content.databases.add("myDB")
        self.add("b1")
        made, error = self.restore()
        self.assertIsNone(error)
        self.assertTrue(made.is_settled)
        self.assertEqual({"myDB"}, self.fake.instances[made.id].content.databases)

    def test_a_failure_reports_the_reason_and_the_instance_that_remains(self):
        self.add("b1")
        self.fake.fail_restore()
        made, error = self.restore()
        self.assertIsInstance(error, ResourceFailedError)
        self.assertRegex(str(error), r"ERROR: \w")
        self.assertIn(f"instance delete {made.id}", shown(error))

    def test_a_time_out_names_the_command_that_continues(self):
        self.add("b1")
        made, error = self.restore(timeout=5.0)
        self.assertIsInstance(error, WaitTimeoutError)
        self.assertIn(f"instance wait {made.id}", shown(error))
        self.assertEqual("BUILD", made.status)

    def test_after_a_lost_response_there_is_no_second_instance(self):
        self.add("b1")
        plan = self.plan()
        self.cloud = self.make_cloud([lost_creation()])
        made = restore.submit(self.cloud, plan)
        named = [
            instance for instance in self.fake.live_instances if instance.name == "new"
        ]
        self.assertEqual([made], [instance.id for instance in named])
        self.assertIn("was created by it", "".join(self.progress.warnings))
