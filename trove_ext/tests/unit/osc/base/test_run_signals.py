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

"""A sample of the signals, the same in each run; ``tox -e sweep`` sends them all."""

import os
import signal

import testtools

from trove_ext.osc.base import run
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.sweep import signals, sweep

RUNS = int(os.environ.get("TROVE_EXT_SIGNAL_RUNS", "360"))
SEED = 20261122


@shows(Promise.SIGNALS)
class TestSignals(testtools.TestCase):
    def test_an_interrupted_command_says_what_continues(self):
        chosen = sweep.sample(signals.cases(), RUNS, SEED)
        found = [str(finding) for case in chosen for finding in signals.check(case)]
        self.assertEqual([], found, "\n".join(found))


class TestWords(testtools.TestCase):
    """The message of an interrupted command."""

    def setUp(self):
        super().setUp()
        self.cloud = FakeCloud(FakeClock())
        self.db = self.cloud.add_instance("db1")

    def interrupted(self, line, hook, when, **kwargs):
        def meets(_):
            if when():
                signal.raise_signal(signal.SIGTERM)

        hook.append(meets)
        result = run_openstack(["database", *line.split()], self.cloud, **kwargs)
        self.assertEqual(143, result.exit_code)
        return result.stderr.splitlines()[-1]

    def sent(self):
        return any(request.changing for request in self.cloud.log)

    def test_an_ignored_signal_stays_ignored(self):
        # As under nohup, and for a job in the background of a script.
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)

        def interrupted():
            with run.catching_signals():
                signal.raise_signal(signal.SIGHUP)
                signal.raise_signal(signal.SIGTERM)

        stopped = self.assertRaises(run.Stopped, interrupted)
        self.assertEqual(signal.SIGTERM, stopped.number)
        self.assertIs(signal.SIG_IGN, signal.getsignal(signal.SIGHUP))

    def test_before_anything_was_sent_nothing_was_changed(self):
        said = self.interrupted(
            "backup create db1 b1 --wait",
            self.cloud.before_request,
            lambda: self.cloud.log[-1].service == "trove",
        )
        self.assertEqual("Interrupted by SIGTERM; nothing was changed.", said)

    def test_while_heartbeats_are_watched_nothing_was_changed(self):
        self.cloud.add_instance("rep", replica_of=self.db)
        said = self.interrupted(
            "replica failover db1 --wait --yes",
            self.cloud.clock.before_sleep,
            lambda: True,
        )
        self.assertEqual("Interrupted by SIGTERM; nothing was changed.", said)

    def test_while_replication_is_probed_the_probe_is_what_was_sent(self):
        rep = self.cloud.add_instance("rep", replica_of=self.db)
        self.cloud.stop_replication(rep)
        said = self.interrupted(
            "replica show db1 --probe", self.cloud.clock.before_sleep, self.sent
        )
        self.assertNotIn("continues on the server", said)
        self.assertIn("drop of database trove_ext_probe_", said)

    def test_without_a_response_the_effect_is_not_known(self):
        said = self.interrupted(
            "backup create db1 b1 --wait", self.cloud.after_request, self.sent
        )
        self.assertEqual(
            "Interrupted by SIGTERM; it is not known whether this arrived: creation of "
            "backup b1; to see the result, run: openstack database backup list",
            said,
        )

    def test_a_wait_can_be_continued_by_the_command_in_the_line(self):
        said = self.interrupted(
            "backup create db1 b1 --wait", self.cloud.clock.before_sleep, self.sent
        )
        (backup,) = self.cloud.live_backups
        self.assertEqual(
            "Interrupted by SIGTERM; sent, and continues on the server: creation "
            f"of backup b1; last seen: Backup b1 ({backup.id}): NEW; to keep waiting, "
            "run: "
            f"openstack database backup wait {backup.id} --for completed",
            said,
        )

    def test_what_was_verified_before_is_still_reported(self):
        for name in ("b1", "b2"):
            self.cloud.add_backup(name, self.db)

        def meets(_):
            made = [
                request
                for request in self.cloud.log
                if request.path.endswith("/instances")
            ]
            if sum(request.method == "POST" for request in made) == 2:
                self.cloud.clock.before_sleep.clear()
                signal.raise_signal(signal.SIGTERM)

        self.cloud.clock.before_sleep.append(meets)
        line = "backup verify b1 b2 --nic none -f value -c Backup -c Step -c Result"
        result = run_openstack(["database", *line.split()], self.cloud)
        self.assertEqual(143, result.exit_code, result.stderr)
        self.assertIn("b1 total restored", result.stdout)
        self.assertNotIn("b2", result.stdout)
        self.assertEqual([self.db], self.cloud.live_instances)

    def test_what_was_refused_was_not_sent(self):
        refused = Fault(Kind.QUOTA, only=lambda request: request.changing, lasting=True)
        self.cloud.add_backup("b1", self.db)
        self.cloud.add_backup("b2", self.db)
        said = self.interrupted(
            "backup delete b1 b2 --wait",
            self.cloud.before_request,
            lambda: len(self.cloud.log.changing) == 2,
            faults=[refused],
        )
        (second,) = (
            backup for backup in self.cloud.live_backups if backup.name == "b2"
        )
        self.assertEqual(
            "Interrupted by SIGTERM; it is not known whether this arrived: delete of "
            f"backup b2 ({second.id}); to see the result, run: openstack database "
            f"backup show {second.id}",
            said,
        )

    def test_before_a_log_in_nothing_was_changed(self):
        said = run.describe_stop(signal.SIGHUP, None)
        self.assertEqual("Interrupted by SIGHUP; nothing was changed.", said)
