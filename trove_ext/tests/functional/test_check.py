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

"""``database backup check`` as a monitor runs it: a process, and what it reads of it."""

import signal
import stat
import time
from datetime import UTC, datetime

import yaml
from prometheus_client.parser import text_string_to_metric_families

from trove_ext.sandbox.state import StateDir
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.functional.base import FunctionalTestCase
from trove_ext.tests.functional.proxy import FaultProxy
from trove_ext.tests.plugin_output import parse
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.sweep.project import Project

CHECK = ("database", "backup", "check")
COUNT = 3
#: Seconds until a request has arrived at the proxy, on a busy machine.
PATIENCE = 120.0


def sent_to(service):
    return lambda request: request.service == service


@shows(Promise.FRESH)
class CheckTest(FunctionalTestCase):
    """Seeded rows: nothing has to be there but the records."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        seed = ("--instances", str(COUNT), "--backups", "12", "--cloud", cls.cloud)
        cls.trove_sandbox("seed", *seed)

    def setUp(self):
        super().setUp()
        rows = self.openstack_json("database", "instance", "list")
        self.names = sorted(row["Name"] for row in rows)
        self.assertEqual(COUNT, len(self.names))
        self.file = self.sandbox / f"{self.cloud}.prom"
        self.addCleanup(self.file.unlink, missing_ok=True)

    def plugin(self, *words, code, before=()):
        """Run it as a monitor does, and read its output."""
        run = self.run_openstack(*before, *CHECK, *words, "--nagios")
        self.assertEqual(code, run.exit_code, str(run))
        return parse(run.stdout)

    def proxy(self, fault):
        """Stand before both servers."""
        settings = StateDir(self.sandbox).settings()
        proxy = FaultProxy(settings.auth_url, settings.database_url, fault)
        return self.enterContext(proxy)

    def test_all_states_of_the_plugin_api(self):
        found = self.plugin(*self.names, code=0)
        self.assertEqual(("BACKUP", "OK"), (found.service, found.state))
        self.assertEqual(COUNT, len(found.details))
        self.assertEqual(2 * COUNT + 1, len(found.items))
        words = (*self.names, "--critical", "2h", "--warning", "1min")
        self.assertEqual("WARNING", self.plugin(*words, code=1).state)
        words = (*self.names, "--critical", "1min")
        found = self.plugin(*words, code=2)
        self.assertEqual(("CRITICAL", str(COUNT)), (found.state, _bad(found)))
        found = self.plugin(*self.names, "nosuch", code=2)
        self.assertEqual("1", _bad(found))

    def test_what_hinders_the_check_is_unknown(self):
        wrong = ("--os-password", "wrong")
        found = self.plugin(*self.names, code=3, before=wrong)
        self.assertIn("Keystone refuses the log-in", found.summary)
        dead = ("--os-auth-url", "http://127.0.0.1:9/v3")
        self.assertIn("Log-in", self.plugin(*self.names, code=3, before=dead).summary)
        refused = Fault(Kind.RESET_BEFORE, lasting=True, only=sent_to("trove"))
        where = ("--os-auth-url", self.proxy(refused).auth_url)
        words = (*self.names, "--timeout", "20")
        self.assertEqual("UNKNOWN", self.plugin(*words, code=3, before=where).state)

    def test_a_silent_server_is_unknown_when_the_time_is_over(self):
        for service in ("keystone", "trove"):
            proxy = self.proxy(Fault(Kind.HANG, lasting=True, only=sent_to(service)))
            where = ("--os-auth-url", proxy.auth_url)
            start = time.monotonic()
            found = self.plugin(*self.names, "--timeout", "8", code=3, before=where)
            self.assertIn("no result within 8 s", found.summary)
            # A request alone may take a minute, and is repeated.
            self.assertLess(time.monotonic() - start, 60, service)

    def test_sigterm_is_unknown(self):
        proxy = self.proxy(Fault(Kind.HANG, lasting=True, only=sent_to("trove")))
        where = ("--os-auth-url", proxy.auth_url)
        process = self.start_openstack(*where, *CHECK, *self.names, "--nagios")
        deadline = time.monotonic() + PATIENCE
        while not any(entry.fault for entry in proxy.log):
            self.assertLess(time.monotonic(), deadline, proxy.log.text())
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual(3, process.returncode, stdout + stderr)
        self.assertEqual("interrupted by SIGTERM", parse(stdout).summary)

    def test_the_metrics_are_what_trove_stores(self):
        self.openstack(*CHECK, *self.names, "--prometheus", str(self.file))
        self.assertEqual(0o644, stat.S_IMODE(self.file.stat().st_mode))
        text = self.file.read_text(encoding="utf-8")
        found = {family.name: family for family in text_string_to_metric_families(text)}
        rows = self.openstack_json(*CHECK, *self.names)
        created = {
            sample.labels["id"]: datetime.fromtimestamp(sample.value, UTC).isoformat()
            for sample in found[
                "trove_backup_newest_restorable_timestamp_seconds"
            ].samples
        }
        expected = {row["Instance ID"]: row["Created"] for row in rows}
        self.assertEqual(expected, created)
        for row in rows:
            backup = self.openstack_json("database", "backup", "show", row["Backup"])
            self.assertIn(backup["created"], row["Created"])
        (used,) = found["trove_backup_quota_used"].samples
        listed = self.openstack_json("database", "backup", "list")
        self.assertEqual(len(listed), used.value)
        clouds = yaml.safe_load(StateDir(self.sandbox).clouds.read_text())["clouds"]
        self.assertEqual(clouds[self.cloud]["region_name"], used.labels["region"])

    def test_a_check_that_fails_keeps_the_old_metrics(self):
        self.openstack(*CHECK, *self.names, "--prometheus", str(self.file))
        before = self.file.read_bytes()
        words = (*self.names, "--prometheus", str(self.file))
        self.plugin(*words, code=3, before=("--os-password", "wrong"))
        self.assertEqual(before, self.file.read_bytes())
        self.openstack(*CHECK, *words)
        self.assertNotEqual(before, self.file.read_bytes())


@shows(Promise.FRESH)
class CheckAllTest(FunctionalTestCase):
    """A seeded project: of each ten instances the first is the source of two."""

    def test_a_whole_project_each_set_as_one_and_a_new_instance(self):
        seed = ("seed", "--cloud", self.cloud)
        self.trove_sandbox(*seed, "--instances", "40", "--backups", "120")
        rows = Project(self.sandbox, self.cloud).state().instances.values()
        replicas = {row["name"] for row in rows if "replica_of" in row}
        self.assertEqual((40, 8), (len(rows), len(replicas)))
        found = self.plugin("--all", code=0)
        names = {line.split()[0] for line in found.details}
        self.assertEqual({row["name"] for row in rows} - replicas, names)
        found = self.plugin("--all", "--each-member", code=0)
        self.assertEqual(40, len(found.details))
        self.trove_sandbox(*seed, "--instances", "1", "--backups", "0")
        found = self.plugin("--all", code=2)
        self.assertEqual(("CRITICAL", "1"), (found.state, _bad(found)))

    def plugin(self, *words, code):
        run = self.run_openstack(*CHECK, *words, "--nagios")
        self.assertEqual(code, run.exit_code, str(run))
        return parse(run.stdout)


def _bad(found):
    return found.items["bad"]["value"]
