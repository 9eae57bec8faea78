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

import tempfile
import threading
import time
from pathlib import Path

import testtools

from trove_ext.sandbox import faults
from trove_ext.sandbox.faults import Fault, FaultInjected, Faults


class TestFaults(testtools.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.faults = Faults(self.root)

    def test_nothing_happens_where_no_fault_is_set(self):
        self.faults.hit("backup")
        self.faults.hit("backup", "i-1")

    def test_an_error_has_its_text(self):
        self.faults.set(Fault("backup", "error", "the disk is full"))
        error = self.assertRaises(FaultInjected, self.faults.hit, "backup", "i-1")
        self.assertEqual("the disk is full", str(error))

    def test_a_fault_of_one_instance_does_not_apply_to_others(self):
        self.faults.set(Fault("backup", "error", "no", "i-1"))
        self.faults.hit("backup", "i-2")
        self.faults.hit("backup")
        self.assertRaises(FaultInjected, self.faults.hit, "backup", "i-1")

    def test_an_instance_fault_takes_precedence_over_one_for_all(self):
        self.faults.set(Fault("backup", "error", "all"))
        self.faults.set(Fault("backup", "error", "mine", "i-1"))
        error = self.assertRaises(FaultInjected, self.faults.hit, "backup", "i-1")
        self.assertEqual("mine", str(error))

    def test_once_applies_one_time_only(self):
        self.faults.set(Fault("backup", "error", "no", once=True))
        self.assertRaises(FaultInjected, self.faults.hit, "backup")
        self.faults.hit("backup")
        self.assertEqual([], self.faults.list())

    def test_a_hang_ends_when_it_is_cleared(self):
        self.useFixture(_fast_polls())
        self.faults.set(Fault("create-hang", "hang"))
        hit = threading.Thread(target=self.faults.hit, args=("create-hang",))
        hit.start()
        self.assertTrue(hit.is_alive())
        self.faults.clear("create-hang")
        hit.join(5)
        self.assertFalse(hit.is_alive())

    def test_a_sleep_sleeps_its_seconds(self):
        self.faults.set(Fault("slow-api", "sleep", "0.05"))
        began = time.monotonic()
        self.faults.hit("slow-api")
        self.assertGreaterEqual(time.monotonic() - began, 0.05)

    def test_what_is_set_is_listed_as_it_was(self):
        fault = Fault("backup", "error", "a b  c", "i-1", once=True)
        self.faults.set(fault)
        self.assertEqual([fault], self.faults.list())

    def test_clear_takes_one_point_or_all(self):
        self.faults.set(Fault("backup", "error", "x"))
        self.faults.set(Fault("backup", "error", "x", "i-1"))
        self.faults.set(Fault("restore", "error", "x"))
        self.faults.set(Fault("backup", "error", "x", "i-2"))
        self.assertEqual(1, self.faults.clear("backup@i-2"))
        self.assertEqual(2, self.faults.clear("backup"))
        self.assertEqual(["restore"], [f.point for f in self.faults.list()])
        self.assertEqual(1, self.faults.clear())

    def test_nonsense_in_a_file_is_named(self):
        self.assertRaises(faults.UnknownFaultError, faults.parse, "backup", "explode")

    def test_power_is_on_until_switched_off(self):
        self.assertFalse(self.faults.is_off("i-1"))
        self.faults.power_off("i-1")
        self.assertTrue(self.faults.is_off("i-1"))
        self.assertFalse(self.faults.is_off("i-2"))
        self.faults.power_on("i-1")
        self.assertFalse(self.faults.is_off("i-1"))


def _fast_polls():
    import fixtures

    return fixtures.MonkeyPatch("trove_ext.sandbox.faults._POLL_SECONDS", 0.01)
