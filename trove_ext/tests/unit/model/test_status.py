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

from datetime import UTC, datetime, timedelta

import testtools

from trove_ext.model import status
from trove_ext.model.status import Fault

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
OLD = Fault("It broke last week.", NOON - WEEK)


class TestFaults(testtools.TestCase):
    def test_a_fault_that_was_there_before_is_not_new(self):
        self.assertIsNone(status.new_fault(OLD, OLD))
        self.assertIsNone(status.new_fault(OLD, None))

    def test_another_time_or_another_text_makes_a_fault_new(self):
        for now in (Fault(OLD.message, NOON), Fault("Another.", OLD.created)):
            self.assertEqual(now, status.new_fault(OLD, now))
        self.assertEqual(OLD, status.new_fault(None, OLD))

    def test_a_fault_explains_a_job_only_if_it_was_stored_during_the_job(self):
        end = NOON + timedelta(minutes=5)
        during = Fault("Now.", NOON + timedelta(minutes=1))
        late = Fault("Later.", end + WEEK)
        self.assertEqual(during, status.fault_between(during, NOON, end))
        self.assertIsNone(status.fault_between(OLD, NOON, end))
        self.assertIsNone(status.fault_between(late, NOON, end))

    def test_a_fault_that_is_stored_a_moment_after_the_end_still_explains_it(self):
        fault = Fault("Now.", NOON + timedelta(seconds=5))
        self.assertEqual(fault, status.fault_between(fault, NOON - WEEK, NOON))

    def test_times_that_are_missing_exclude_nothing(self):
        self.assertEqual(OLD, status.fault_between(OLD, None, None))
        timeless = Fault("It broke.", None)
        self.assertEqual(timeless, status.fault_between(timeless, NOON, NOON))

    def test_an_older_fault_is_named_as_another_one_with_its_time(self):
        text = status.explain(None, OLD)
        self.assertTrue(text.startswith("Trove stored no reason for it"))
        self.assertIn("It broke last week. (at 2026-11-18T12:00:00+00:00)", text)
        self.assertEqual("It broke last week.", status.explain(OLD, OLD))
        self.assertEqual("Trove stored no reason", status.explain(None, None))


class TestPhases(testtools.TestCase):
    def test_a_database_is_down_only_if_no_task_may_start_it(self):
        for raw in (("ACTIVE", "SHUTDOWN"), ("BACKUP", "SHUTDOWN")):
            self.assertTrue(status.is_database_down(*raw))
        for raw in (("REBOOT", "SHUTDOWN"), ("SHUTDOWN", ""), ("ACTIVE", "ERROR")):
            self.assertFalse(status.is_database_down(*raw))
