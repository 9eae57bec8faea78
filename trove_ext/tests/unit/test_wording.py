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

"""No decision depends on the wording of our own messages."""

import contextlib
import itertools
import re
import signal
from unittest import mock

import testtools

from trove_ext import polling
from trove_ext.exceptions import Exit
from trove_ext.model.status import Fault as StoredFault
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.sweep import signals, sweep
from trove_ext.tests.sweep.scenarios import SCENARIOS
from trove_ext.trove.client import Cloud

#: A command that a message advises.
COMMAND = re.compile(r"openstack (?:--os-region-name \S+ )?database [^\n;,.]*")
NAME = re.compile(
    r"trove-ext-verify-\S+|trove_ext_(probe|recovery)_[0-9a-f]+|Aa1-[\w-]+"
)


@contextlib.contextmanager
def reworded():
    """Reword every change, read, target and reason.

    Each gets a number of its own; the text of a fault is Trove's, and is kept.
    """
    number = itertools.count(1)
    read, change = Cloud.read, Cloud.change
    target, reading = polling.Target.__init__, polling.Reading.__init__

    def read_it(cloud, _what, call):
        return read(cloud, f"a read {next(number)}", call)

    def change_it(cloud, _what, call, **kwargs):
        return change(cloud, f"a change {next(number)}", call, **kwargs)

    def target_it(self, label, *args, **kwargs):
        del label
        target(self, f"target {next(number)}", *args, **kwargs)

    def reading_it(self, phase, state, reason="", *args, **kwargs):
        other = f"reason {next(number)}" if reason else ""
        reading(self, phase, state, other, *args, **kwargs)

    with (
        mock.patch.object(Cloud, "read", read_it),
        mock.patch.object(Cloud, "change", change_it),
        mock.patch.object(polling.Target, "__init__", target_it),
        mock.patch.object(polling.Reading, "__init__", reading_it),
        mock.patch.object(StoredFault, "text", "a fault", create=True),
    ):
        yield


def done_by(result):
    """What a run did and advised, without its wording and without random names and passwords."""
    requests = [
        (
            request.method,
            NAME.sub("", request.path),
            NAME.sub("", str(request.body)),
            request.status,
        )
        for request in result.requests
    ]
    said = NAME.sub("", result.stderr)
    return result.exit_code, requests, sorted(COMMAND.findall(said))


class TestWording(testtools.TestCase):
    def assert_same(self, run, what):
        plain = done_by(run())
        with reworded():
            self.assertEqual(plain, done_by(run()), what)
        return plain

    def test_of_messages_decides_nothing_in_any_workflow(self):
        lost = [
            Fault(kind, only=lambda request: request.changing, lasting=True)
            for kind in (Kind.RESET_AFTER, Kind.HTTP_502)
        ]
        for scenario in SCENARIOS:
            _, result, _ = sweep.run(scenario, [])
            for faults in (
                [],
                *([fault] for fault in lost if result.requests.changing),
            ):
                run = lambda s=scenario, f=faults: sweep.run(s, f)[1]  # noqa: E731
                self.assert_same(run, scenario.name)

    def test_of_a_creation_decides_nothing_when_a_verification_is_interrupted(self):
        (number,) = (
            n
            for n, scenario in enumerate(SCENARIOS)
            if scenario.name == "backup verify"
        )
        expected = sweep.expect(SCENARIOS[number])
        for at in range(3, 14):
            case = signals.Case(number, signal.SIGTERM, signals.BEFORE, at, expected)
            run = lambda c=case: signals.run(c)[1]  # noqa: E731
            self.assert_same(run, str(case))

    def test_of_labels_decides_nothing_when_new_replicas_fail(self):
        def run():
            (scenario,) = (
                scenario for scenario in SCENARIOS if scenario.name == "replica create"
            )
            cloud = signals.prepared(scenario)
            cloud.knobs.snapshot["*"] = "No space left."
            argv = ["database", *scenario.line.split()]
            return run_openstack(argv, cloud)

        code, _requests, advised = self.assert_same(run, "replica create")
        self.assertEqual(Exit.FAILED, code)
        self.assertTrue(any("instance delete" in line for line in advised), advised)

    def test_of_faults_decides_nothing_when_a_promote_fails(self):
        def run():
            (scenario,) = (
                scenario for scenario in SCENARIOS if scenario.name == "replica promote"
            )
            cloud = signals.prepared(scenario)
            cloud.fail_promote_sibling("rep2")
            return run_openstack(["database", *scenario.line.split()], cloud)

        code, _requests, advised = self.assert_same(run, "replica promote")
        self.assertEqual(Exit.FAILED, code)
        self.assertTrue(advised)
        lines = len(run().stderr.splitlines())
        with reworded():
            self.assertEqual(lines, len(run().stderr.splitlines()))
