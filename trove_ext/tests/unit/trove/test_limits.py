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

"""How long a run, a wait and a request may take."""

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.trove import limits


class TestLimits(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = FakeClock()
        self.limits = limits.Limits(self.clock)

    def test_a_run_without_a_limit_leaves_each_read_its_budget(self):
        self.assertEqual(limits.READ_BUDGET, self.limits.for_read().remaining)
        self.limits.start(0)
        self.assertEqual(limits.READ_BUDGET, self.limits.for_read().remaining)
        self.assertFalse(self.limits.ends_within(10**6))

    def test_no_read_continues_beyond_the_run(self):
        self.limits.start(20)
        self.clock.sleep(5)
        self.assertEqual(15, self.limits.for_read().remaining)
        self.assertTrue(self.limits.ends_within(15))
        self.assertFalse(self.limits.ends_within(14))

    def test_a_run_has_one_start_the_last(self):
        self.limits.start(20)
        self.clock.sleep(15)
        again = self.limits.start(20)
        self.assertEqual(20, again.remaining)
        self.assertEqual(20, self.limits.for_read().remaining)
        self.assertFalse(self.limits.ends_within(19))

    def test_what_is_read_after_the_run_has_its_own_budget(self):
        self.limits.start(20)
        self.clock.sleep(21)
        self.assertEqual(limits.READ_BUDGET, self.limits.for_read().remaining)
        self.assertTrue(self.limits.are_over)

    def test_the_time_of_a_run_is_over_at_its_end(self):
        self.assertFalse(self.limits.are_over)
        self.limits.start(0)
        self.clock.sleep(10**6)
        self.assertFalse(self.limits.are_over)
        self.limits.start(20)
        self.assertFalse(self.limits.are_over)
        self.clock.sleep(20)
        self.assertTrue(self.limits.are_over)

    def test_the_deadline_of_a_wait_applies_to_every_read_inside(self):
        self.limits.start(20)
        deadline = self.limits.deadline(500)
        with self.limits.waiting(deadline):
            self.assertIs(deadline, self.limits.for_read())
            self.assertIs(deadline, self.limits.for_rate_limit())
            self.assertFalse(self.limits.ends_within(20))
        self.assertTrue(self.limits.ends_within(20))

    def test_patience_makes_reads_longer_and_never_shorter(self):
        long, short = self.limits.deadline(500), self.limits.deadline(1)
        with self.limits.patient(long):
            self.assertIs(long, self.limits.for_read())
        with self.limits.patient(short):
            self.assertEqual(limits.READ_BUDGET, self.limits.for_read().remaining)

    def test_a_request_takes_no_longer_than_its_read_and_a_second_at_least(self):
        self.assertEqual(limits.REQUEST_TIMEOUT, self.limits.of_request())
        self.assertEqual(5, self.limits.of_request(self.limits.deadline(5)))
        self.assertEqual(1, self.limits.of_request(self.limits.deadline(0.1)))
        with self.limits.waiting(self.limits.deadline(7)):
            self.assertEqual(7, self.limits.of_request())
