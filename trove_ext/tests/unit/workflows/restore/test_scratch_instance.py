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

"""No temporary instance remains unnamed."""

from unittest import mock

from trove_ext.exceptions import Exit
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.state import Task
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.restore.test_restore import lost_creation
from trove_ext.tests.unit.workflows.verifications import VerifyTestCase
from trove_ext.workflows.restore import scratch_instance, verify


class Stop(BaseException):
    """The exception that a signal raises at any point."""


@shows(Promise.VERIFY)
class TestLeftBehind(VerifyTestCase):
    def stopped(self, seconds, **kwargs):
        """Send a signal this many seconds after the start."""

        def stop():
            raise Stop

        self.fresh()
        self.add("b1")
        self.clock.after(seconds, stop)
        try:
            self.one(expect="300", **kwargs)
        except Stop:
            self.clock.advance(3600)
            return True
        return False

    def test_a_signal_at_any_moment_leaves_no_instance_unnamed(self):
        seconds, stopped, left = 0.01, 0, 0
        while self.stopped(seconds):
            for instance in self.temporary():
                left += 1
                self.assertIn(instance.name, self.output(), seconds)
            stopped += 1
            seconds += 0.03 if seconds < 1 else 0.9
        self.assertGreater(stopped, 80)
        self.assertEqual(0, left)

    def test_a_signal_names_the_instance_before_anything_else(self):
        self.assertTrue(self.stopped(30.0))
        warning = self.progress.warnings[0]
        self.assertRegex(warning, r"trove-ext-verify-\S+ \([0-9a-f-]{36}\)")
        self.assertIn("backup verify --clean-up", warning)

    def test_after_a_signal_before_the_response_to_the_create_no_instance_remains(self):
        manager = self.cloud.client.instances
        create = manager.create

        def created_and_stopped(**kwargs):
            create(**kwargs)
            raise Stop

        manager.create = created_and_stopped
        self.assertRaises(Stop, self.one)
        self.assertEqual([], self.temporary())
        self.assertEqual(1, len(self.fake.live_instances))

    def test_a_signal_before_the_creation_is_stored_waits_for_it_to_appear(self):
        manager = self.cloud.client.instances
        create = manager.create

        def stopped(**kwargs):
            self.clock.after(5.0, lambda: create(**kwargs))
            raise Stop

        manager.create = stopped
        self.assertRaises(Stop, self.one)
        self.assertEqual([], self.temporary())
        self.assertEqual(2, len(self.fake.instances))

    def test_after_a_signal_before_the_create_is_sent_nothing_is_searched(self):
        with mock.patch("trove_ext.workflows.restore.restore.submit", side_effect=Stop):
            self.assertRaises(Stop, self.one)
        self.assertLess(self.clock.monotonic(), scratch_instance.APPEAR_TIMEOUT)
        self.assertEqual([], self.progress.warnings)

    def test_if_even_the_owner_may_not_reset_it_the_instance_is_named(self):
        self.fake.policy_forbid("instance:force_delete")
        found = self.one(timeout=10.0)
        (left,) = self.temporary()
        self.assertEqual("FAILED", self.results(found)["delete"])
        self.assertIn(f"instance delete {left.id}", shown(found.error))
        self.assertEqual(Exit.TIMEOUT, found.error.exit_code)

    def test_a_delete_that_is_refused_is_named_though_the_backup_is_good(self):
        self.fake.policy_forbid("instance:delete")
        found = self.one()
        (left,) = self.temporary()
        self.assertEqual("restored", self.results(found)["total"])
        self.assertEqual("FAILED", self.results(found)["delete"])
        self.assertIn(f"instance delete {left.id}", shown(found.error))

    def test_after_a_lost_response_to_the_create_no_instance_remains(self):
        self.cloud = self.make_cloud([lost_creation()])
        found = self.one()
        self.assertIsNone(found.error)
        self.assertEqual([], self.temporary())

    def test_after_a_refused_create_nothing_is_searched(self):
        self.fake.policy_forbid("instance:create")
        found = self.one()
        self.assertNotIn("delete", self.results(found))
        self.assertLess(self.clock.monotonic(), scratch_instance.APPEAR_TIMEOUT)

    def test_an_instance_that_may_exist_is_searched_by_its_name(self):
        gone = Fault(
            Kind.HTTP_502,
            lasting=True,
            only=lambda request: (
                request.method == "POST" and request.path.endswith("/instances")
            ),
        )
        self.cloud = self.make_cloud([gone])
        found = self.one()
        self.assertIn("may exist or appear later", str(found.error))
        self.assertIn("--clean-up", shown(found.error))

    def test_only_instances_with_exactly_such_a_name_are_orphaned(self):
        name = scratch_instance.name_for(self.db1.id, self.clock.now())
        self.assertRegex(name, r"^trove-ext-verify-[0-9a-f]{8}-20260101T000\d{3}Z-")
        left = self.fake.add_instance(name)
        for other in (f"{name}-2", f"x{name}", name[:-1], "trove-ext-verify-mine"):
            self.fake.add_instance(other)
        (found,) = scratch_instance.find_orphaned(self.cloud)
        self.assertEqual(left.id, found.id)

    def test_clean_up_deletes_orphaned_instances_even_while_they_build(self):
        for task in (Task.NONE, Task.BUILDING):
            name = scratch_instance.name_for(self.db1.id, self.clock.now())
            self.fake.add_instance(name).task = task
        found = verify.clean_up(self.cloud, scratch_instance.find_orphaned(self.cloud))
        self.assertEqual(
            ["deleted"] * 2, [verification.steps[0].result for verification in found]
        )
        self.assertEqual([], self.temporary())
