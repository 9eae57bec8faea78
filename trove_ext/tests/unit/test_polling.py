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


class Requests:
    """Counts the requests of all targets; costs ``page`` requests a round itself."""

    def __init__(self, page=0):
        self.requests = 0
        self.page = page
        self.rounds = []

    def begin(self, targets):
        self.rounds.append([target.label for target in targets])
        self.requests += self.page


def target(*states, label="thing", shared=None):
    """A target that reads these states in turn, and then always the last one.

    :param shared: counts a request for each reading
    """
    rest = list(states)
    phases = {"DONE": Phase.DONE, "ERROR": Phase.FAILED}

    def poll():
        if shared is not None:
            shared.requests += 1
        state = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(state, Exception):
            raise state
        return polling.Reading(phases.get(state, Phase.BUSY), state, "why")

    return polling.Target(label, poll, ("instance", "wait", label))


class TestWait(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = Clock()

    def wait(self, *targets, timeout=3600, shared=None):
        return polling.wait(
            targets,
            deadline=polling.Deadline(self.clock, timeout),
            clock=self.clock,
            progress=Silent(),
            shared=shared or Requests(),
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
        shared = Requests()
        states = ["BUILD", "BUILD", "DONE"]
        self.wait(*[target(*states, shared=shared) for _ in range(30)], shared=shared)
        self.assertEqual([30.0, 30.0], self.clock.slept)

    def test_many_targets_on_one_page_are_waited_for_as_one(self):
        self.wait(target(*["BUILD"] * 12, "DONE"))
        alone, self.clock.slept = self.clock.slept, []
        states = [*["BUILD"] * 12, "DONE"]
        self.wait(*[target(*states) for _ in range(30)], shared=Requests(page=1))
        self.assertEqual(alone, self.clock.slept)

    def test_the_last_reads_of_targets_do_not_delay_the_others(self):
        shared = Requests(page=1)
        ended = [target("DONE", shared=shared) for _ in range(20)]
        self.wait(*ended, target("BUILD", "BUILD", "DONE"), shared=shared)
        self.assertEqual([1.0, 1.5], self.clock.slept)

    def test_no_minute_has_more_requests_because_of_last_reads(self):
        shared = Requests()
        ended = [target("DONE", shared=shared) for _ in range(59)]
        self.wait(*ended, target("BUILD", "DONE", shared=shared), shared=shared)
        self.assertEqual([60.0], self.clock.slept)

    def test_a_round_begins_with_those_that_are_still_waited_for(self):
        shared = Requests()
        first, second = target("DONE", label="a"), target("BUILD", "DONE", label="b")
        self.wait(first, second, shared=shared)
        self.assertEqual([["a", "b"], ["b"]], shared.rounds)

    def test_no_response_to_what_a_round_begins_with_is_an_error(self):
        shared = Requests()

        def begin(_targets):
            self.clock.sleep(10)
            raise UnreachableError("nobody there")

        shared.begin = begin
        one = target("BUILD")
        self.assertRaises(UnreachableError, self.wait, one, shared=shared)
        (outcome,) = self.wait(one, timeout=5, shared=shared)
        self.assertTrue(outcome.timed_out)

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
