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

"""Waiting, with a virtual clock."""

from datetime import UTC, datetime

import testtools

from trove_ext import polling
from trove_ext.exceptions import UnreachableError
from trove_ext.model.status import Phase
from trove_ext.progress import Silent


class Clock:
    def __init__(self):
        self.seconds = 0.0
        self.slept = []

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds

    def now(self):
        return datetime.fromtimestamp(self.seconds, UTC)


def target(*states, requests=1, label="thing"):
    """A target that reads these states in turn, and then always the last one."""
    rest = list(states)
    phases = {"DONE": Phase.DONE, "ERROR": Phase.FAILED}

    def poll():
        state = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(state, Exception):
            raise state
        return polling.Reading(phases.get(state, Phase.BUSY), state, "why")

    return polling.Target(label, poll, ("instance", "wait", label), requests)


class TestWait(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = Clock()

    def wait(self, *targets, timeout=3600):
        deadline = polling.Deadline(self.clock, timeout)
        return polling.wait(
            targets, deadline=deadline, clock=self.clock, progress=Silent()
        )

    def test_what_has_arrived_is_not_waited_for(self):
        (outcome,) = self.wait(target("DONE"))
        self.assertTrue(outcome.ok)
        self.assertEqual([], self.clock.slept)

    def test_the_pause_increases_from_one_second_to_ten(self):
        self.wait(target(*["BUILD"] * 12, "DONE"))
        self.assertEqual(1.0, self.clock.slept[0])
        self.assertEqual(sorted(self.clock.slept), self.clock.slept)
        self.assertEqual(10.0, self.clock.slept[-1])

    def test_many_targets_cost_at_most_sixty_requests_a_minute(self):
        self.wait(*[target("BUILD", "BUILD", "DONE") for _ in range(30)])
        self.assertEqual([30.0, 30.0], self.clock.slept)

    def test_a_failure_ends_the_wait_for_that_target_alone(self):
        failed, arrived = self.wait(target("ERROR"), target("BUILD", "DONE"))
        self.assertFalse(failed.ok)
        self.assertFalse(failed.timed_out)
        self.assertTrue(arrived.ok)

    def test_time_runs_out_at_the_deadline_and_not_later(self):
        (outcome,) = self.wait(target("BUILD"), timeout=7)
        self.assertTrue(outcome.timed_out)
        self.assertEqual("BUILD", outcome.state)
        self.assertEqual(7.0, self.clock.seconds)

    def test_zero_waits_without_a_limit(self):
        (outcome,) = self.wait(target(*["BUILD"] * 2000, "DONE"), timeout=0)
        self.assertTrue(outcome.ok)

    def test_no_response_at_the_deadline_is_a_time_out(self):
        def poll():
            self.clock.sleep(10)
            raise UnreachableError("nobody there")

        one = polling.Target("thing", poll, ("x",))
        (outcome,) = self.wait(one, timeout=5)
        self.assertTrue(outcome.timed_out)
        self.assertEqual("unknown", outcome.state)

    def test_no_response_before_the_deadline_is_an_error(self):
        error = UnreachableError("nobody there")
        self.assertRaises(UnreachableError, self.wait, target(error))

    def test_confirmed_requires_it_twice_in_a_row(self):
        one = target("DONE", "BUILD", "DONE", "DONE")
        poll = polling.confirmed(one.poll)
        phases = [poll().phase for _ in range(4)]
        self.assertEqual([Phase.BUSY, Phase.BUSY, Phase.BUSY, Phase.DONE], phases)
