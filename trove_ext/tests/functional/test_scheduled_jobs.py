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

"""Scheduled jobs as the documents describe them, by a user with few rights."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import subprocess
import uuid

from trove_ext.sandbox import clouds
from trove_ext.sandbox.state import StateDir
from trove_ext.tests.functional import running
from trove_ext.tests.functional.base import PROGRESS, FunctionalTestCase
from trove_ext.tests.functional.chain import FLAVOR, NETWORK
from trove_ext.tests.promises import Promise, shows

ROOT = pathlib.Path(__file__).parents[3]
RULES = ROOT / "doc/examples/access-rules.json"
UNIT = ROOT / "doc/examples/systemd/trove-backup.service"
BACKUP = ("database", "backup")
CHECK = (*BACKUP, "check", "db-1", "-f", "json")
ROTATE = (*BACKUP, "rotate", "db-1", "--min-age", "0", "--keep-last", "1")
ANY = "."
#: For each command a request that it can't do without.
NEEDED = (
    (CHECK, "GET", "/v1.0/*/backups"),
    (ROTATE, "POST", "/v1.0/*/backups"),
    ((*BACKUP, "verify", "{backup}"), "POST", "/v1.0/*/instances"),
)
#: What the guest can't do without in Swift, with what has failed then.
OF_THE_GUEST = (
    ("PUT", "/v1/AUTH_*/database_backups", "Container PUT failed"),
    ("HEAD", "/v1/AUTH_*/database_backups/*", "Object HEAD failed"),
    # After the upload.
    ("DELETE", "/v1/AUTH_*/database_backups/*", "Object DELETE failed"),
)


def setting(name):
    """The values of a setting of the unit."""
    return re.findall(rf"(?m)^{name}=(.*)$", UNIT.read_text())


def systemd_runs():
    """Whether this is a machine on which a service of the system can be started."""
    argv = ["systemctl", "is-system-running"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return os.geteuid() == 0 and done.stdout.strip() in {"running", "degraded"}


def started(credentials):
    """The command line that runs the unit's program in the unit's environment."""
    (line,) = setting("ExecStart")
    argv = shlex.split(line.replace("/usr/bin", str(running.PROGRAMS), 1))
    name = f"trove-ext-test-{credentials.name}"
    folder = str(credentials)
    if systemd_runs():
        folder = f"/run/credentials/{name}.service"
    values = {"%d": folder, "%C": str(credentials), "/trove-backup": ""}
    variables = setting("Environment")
    for sign, value in values.items():
        variables = [each.replace(sign, value) for each in variables]
    if not systemd_runs():
        return ["env", "-i", *variables, *argv]
    credential = f"LoadCredential=clouds.yaml:{credentials}/clouds.yaml"
    options = ("--quiet", "--wait", "--pipe", "--collect", f"--unit={name}")
    settings = [f"--setenv={each}" for each in variables]
    return ["systemd-run", *options, f"--property={credential}", *settings, *argv]


@shows(Promise.ACCESS)
class ScheduledJobsTest(FunctionalTestCase):
    """With an application credential that has exactly the documented access rules."""

    def setUp(self):
        super().setUp()
        self.openstack_here(
            *("database", "instance", "create", "db-1", "--flavor", FLAVOR),
            *("--size", "1", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--nic", f"net-id={NETWORK}", "--wait"),
            stderr=PROGRESS,
        )
        self.rules = json.loads(RULES.read_text())

    def restricted(self, rules):
        """Create an application credential; return the name of its cloud."""
        number = len(clouds.read(StateDir(self.sandbox).clouds))
        name = f"{self.cloud}-{number}"
        state = StateDir(self.sandbox)
        # Tests share the file of the clouds.
        with state.lock(wait=True):
            shown = self.openstack_here(
                *("application", "credential", "create", name, "-f", "json"),
                *("--access-rules", json.dumps(rules)),
            )
            made = {key.lower(): value for key, value in json.loads(shown).items()}
            entry = clouds.read(state.clouds)[self.cloud]
            entry["auth_type"] = "v3applicationcredential"
            entry["auth"] = {
                "auth_url": entry["auth"]["auth_url"],
                "application_credential_id": made["id"],
                "application_credential_secret": made["secret"],
            }
            clouds.add(state.clouds, name, entry)
        return name

    def without(self, method, path):
        left = [
            rule
            for rule in self.rules
            if (rule["method"], rule["path"]) != (method, path)
        ]
        self.assertEqual(len(self.rules) - 1, len(left), (method, path))
        return self.restricted(left)

    def test_the_unit_and_the_rules_are_enough_and_a_missing_one_is_named(self):
        jobs = self.restricted(self.rules)
        self._the_unit_takes_a_backup(jobs)
        backup = self._the_jobs_are_done(jobs)
        before = self.openstack_here("database", "backup", "list")
        for words, method, path in NEEDED:
            argv = [word.format(backup=backup) for word in words]
            run = self.run_openstack_here(*argv, cloud=self.without(method, path))
            self.assertEqual(1, run.exit_code, str(run))
            sent = rf"{method} {path.replace('*', '[0-9a-f]{32}')} \(HTTP 401"
            self.assertRegex(run.stderr, sent)
            self.assertIn("a rule for this request may be missing", run.stderr)
            self.assertNotIn("may or may not", run.stderr)
        self.assertEqual(before, self.openstack_here("database", "backup", "list"))
        self._the_object_store_needs_rules_too(before)

    def _the_object_store_needs_rules_too(self, before):
        jobs = self.without("GET", "/v1/AUTH_*")
        run = self.run_openstack_here(*ROTATE, cloud=jobs)
        self.assertEqual(1, run.exit_code, str(run))
        self.assertIn("a rule for the object store may be missing", run.stderr)
        self.assertEqual(before, self.openstack_here("database", "backup", "list"))
        for method, path, reason in OF_THE_GUEST:
            run = self.run_openstack_here(*ROTATE, cloud=self.without(method, path))
            self.assertEqual(1, run.exit_code, str(run))
            self.assertRegex(run.stderr, f"is FAILED: .*{reason}: .* 401 Unauthorized")
            self.assertIn("lack one for the object store", run.stderr)
        self._a_failed_backup_leaves_its_object()

    def _a_failed_backup_leaves_its_object(self):
        """Delete the one whose DELETE was refused, by a user who may do everything."""
        listed = self.openstack_here(*BACKUP, "list", "-f", "json")
        failed = [row for row in json.loads(listed) if row["Status"] == "FAILED"]
        newest = max(failed, key=lambda row: row["Updated"])["ID"]
        self.openstack_here(*BACKUP, "delete", newest, "--wait", stderr=ANY)
        shown = self.openstack("object", "list", "database_backups", "-f", "json")
        self.assertIn(f"{newest}.xbstream", {row["Name"] for row in json.loads(shown)})

    def _the_unit_takes_a_backup(self, cloud):
        credentials = self.sandbox / "home" / uuid.uuid4().hex
        credentials.mkdir()
        entry = clouds.read(StateDir(self.sandbox).clouds)[cloud]
        clouds.add(credentials / "clouds.yaml", "prod", entry)
        done = subprocess.run(
            started(credentials), capture_output=True, text=True, check=False
        )
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        shown = json.loads(self.openstack_here(*BACKUP, "list", "-f", "json"))
        self.assertEqual(["COMPLETED"], [row["Status"] for row in shown])
        self.assertIn(shown[0]["Name"], done.stdout)

    def _policy(self, every, more=""):
        """Write a policy file with one rule; return its path."""
        path = self.sandbox / "home" / f"{uuid.uuid4().hex}.yaml"
        rule = f"every: {every}, chain_length: 1, keep_last: 1{more}"
        path.write_text(f"rules: [{{{rule}}}]")
        return str(path)

    def _the_next_one_is_due_in_a_day(self, backup, jobs):
        daily = self._policy("1d")
        argv = ("policy", "show", daily, "-f", "json")
        (row,) = json.loads(self.openstack_here(*BACKUP, *argv, cloud=jobs))
        self.assertEqual(("not due", backup), (row["State"], row["Last Backup"]))
        argv = ("rotate", "--policy", daily, "-f", "json")
        (row,) = json.loads(self.openstack_here(*BACKUP, *argv, cloud=jobs))
        self.assertEqual(("not due", backup), (row["Result"], row["Backup"]))
        argv = ("prune", "--policy", daily, "--dry-run", "-f", "json")
        (row,) = json.loads(self.openstack_here(*BACKUP, *argv, stderr=ANY, cloud=jobs))
        self.assertEqual((backup, "keep"), (row["Name"], row["Action"]))
        argv = ("check", "--policy", daily, "-f", "json")
        (row,) = json.loads(self.openstack_here(*BACKUP, *argv, cloud=jobs))
        self.assertEqual("ok", row["Result"])

    def _the_jobs_are_done(self, jobs):
        due = self._policy("1s")
        argv = (*BACKUP, "rotate", "--policy", due, "-f", "json")
        shown = self.openstack_here(*argv, stderr=ANY, cloud=jobs)
        (row,) = json.loads(shown)
        # That of the unit was deleted.
        self.assertEqual(("made", 1), (row["Result"], row["Deleted"]))
        self._the_next_one_is_due_in_a_day(row["Backup"], jobs)
        (row,) = json.loads(self.openstack_here(*CHECK, cloud=jobs))
        self.assertEqual("ok", row["Result"])
        backup = row["Backup"]
        yearly = self._policy("1d", ", verify_every: year")
        argv = (*BACKUP, "verify", "--policy", yearly, "-f", "json")
        rows = json.loads(self.openstack_here(*argv, stderr=ANY, cloud=jobs))
        (total,) = [row for row in rows if row["Step"] == "total"]
        self.assertEqual((backup, "restored"), (total["Backup ID"], total["Result"]))
        # No other request: the credential is really restricted.
        run = self.run_openstack_here("database", "flavor", "list", cloud=jobs)
        self.assertEqual(1, run.exit_code, str(run))
        self.assertRegex(run.stderr, re.compile("401|authentication", re.IGNORECASE))
        return backup
