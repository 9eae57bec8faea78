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

"""A sample of the sweep, the same in each run; ``tox -e sweep`` runs all of it."""

import contextlib
import os
from unittest import mock

import testtools

from trove_ext.exceptions import LostAnswerError
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.sweep import sweep
from trove_ext.tests.sweep.verdict import Verdict
from trove_ext.trove import send
from trove_ext.trove.client import Cloud

RUNS = int(os.environ.get("TROVE_EXT_SWEEP_RUNS", "640"))
SEED = 20261122


@shows(Promise.ONCE, Promise.DELETE, Promise.WAIT, Promise.SIGNALS)
class TestSweep(testtools.TestCase):
    def test_nothing_is_doubled_lost_or_false(self):
        chosen = sweep.sample(sweep.cases(), RUNS, SEED)
        found = [str(finding) for case in chosen for finding in sweep.check(case)]
        self.assertEqual([], found, "\n".join(found))


class TestFound(testtools.TestCase):
    """Bugs that the sweep has found, at each request of the workflow."""

    def test_an_instance_is_created_once_if_the_read_after_it_is_rejected(self):
        for kind in (Kind.RATE_LIMIT, Kind.QUOTA):
            self.assertEqual(set(), verdicts("instance create", kind))

    def test_a_web_page_does_not_count_as_an_accepted_action(self):
        self.assertEqual(set(), verdicts("instance restart", Kind.HTML))

    def test_what_was_created_is_adopted_if_the_read_after_it_is_rejected(self):
        (create,) = [s for s in sweep.SCENARIOS if s.name == "instance create"]
        for kind in (Kind.RATE_LIMIT, Kind.QUOTA):
            # The log-in, the list of instances, the flavor and the POST come before it.
            _cloud, result, _before = sweep.run(create, [Fault(kind, 6)])
            self.assertEqual(0, result.exit_code, result.stderr)
            self.assertIn("was created by it", result.stderr)


def verdicts(name, kind):
    """Run a workflow with one kind of fault at each request."""
    (number,) = [
        n for n, scenario in enumerate(sweep.SCENARIOS) if scenario.name == name
    ]
    expected = sweep.expect(sweep.SCENARIOS[number])
    cases = [
        sweep.Case(number, Fault(kind, at), expected)
        for at in range(1, expected.requests + 1)
    ]
    return {finding.verdict for case in cases for finding in sweep.check(case)}


class TestEvaluate(testtools.TestCase):
    """The sweep finds deliberate mistakes."""

    def test_a_create_that_is_sent_again_blindly_is_doubled(self):
        change = Cloud.change

        def blind(cloud, *args, **kwargs):
            try:
                return change(cloud, *args, **kwargs)
            except LostAnswerError:
                return change(cloud, *args, **kwargs)

        with mock.patch.object(Cloud, "change", blind):
            found = verdicts("instance create", Kind.RESET_AFTER)
        self.assertIn(Verdict.DOUBLED, found)

    def test_a_lost_response_that_is_treated_as_success_is_false(self):
        def trusting(cloud, what, _before, send):
            with contextlib.suppress(LostAnswerError):
                cloud.change(what, send)

        with mock.patch.object(send, "act", trusting):
            found = verdicts("instance restart", Kind.RESET_BEFORE)
        self.assertEqual({Verdict.FALSE}, found)

    def test_a_delete_of_another_backup_is_lost(self):
        change = Cloud.change

        def astray(cloud, *args, **kwargs):
            try:
                return change(cloud, *args, **kwargs)
            except LostAnswerError:
                (full,) = [b for b in cloud.client.backups.list() if b.name == "full"]
                return cloud.client.backups.delete(full.id)

        with mock.patch.object(Cloud, "change", astray):
            found = verdicts("backup delete", Kind.RESET_BEFORE)
        self.assertIn(Verdict.LOST, found)

    def test_without_a_mistake_nothing_is_found(self):
        self.assertEqual(set(), verdicts("backup delete", Kind.RESET_BEFORE))
