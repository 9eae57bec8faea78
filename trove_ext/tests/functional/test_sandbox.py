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

"""The sandbox itself: started, killed, started again, and two at once."""

import contextlib
import errno
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
from concurrent import futures

import pymysql
import testtools

from trove_ext.tests.functional import base, running
from trove_ext.tests.promises import Promise, shows

GUIDE_NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"


def _sandbox(directory, *argv):
    return subprocess.run(
        [str(running.PROGRAMS / "trove-sandbox"), "--dir", str(directory), *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _processes_of(directory):
    """Processes that name a path of this sandbox, without zombies."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(directory) in command:
            found[int(entry.name)] = command.replace("\0", " ")
    return found


def _listening():
    """Addresses with a listener, by the inode of the socket."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {
        f[9]: socket.inet_ntoa(bytes.fromhex(f[1].split(":")[0])[::-1])
        for f in fields
        if f[3] == "0A"
    }


def _sockets_of(pid):
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[8:-1]


@shows(Promise.SANDBOX)
class OwnSandboxTest(testtools.TestCase):
    """Each test has a sandbox of its own, because it kills its services."""

    def setUp(self):
        super().setUp()
        holder = tempfile.TemporaryDirectory(prefix="trove-ext-")
        self.addCleanup(holder.cleanup)
        self.directory = pathlib.Path(holder.name) / "sb"

    def up(self, directory=None):
        directory = directory or self.directory
        self.addCleanup(_sandbox, directory, "down")
        done = _sandbox(directory, "up")
        self.assertEqual(0, done.returncode, done.stderr)
        return done

    def openstack(self, directory, *argv):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        done = subprocess.run(
            [str(running.PROGRAMS / "openstack"), *argv],
            env={**kept, **running.settings(directory), "OS_CLOUD": "sandbox"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def create(self, directory, name):
        self.openstack(
            directory, "database", "instance", "create", name, "--flavor", "db.small",
            "--size", "1", "--datastore", "mysql", "--datastore-version", "5.7.29",
            "--nic", GUIDE_NIC, "--wait",
        )  # fmt: skip

    def status(self, directory=None):
        done = _sandbox(directory or self.directory, "status", "-f", "json")
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def test_a_sandbox_recovers_from_kills(self):
        first = self.up()
        self.assertEqual(2, len(first.stdout.splitlines()))
        self.create(self.directory, "db1")
        self._is_private_and_on_loopback()
        again = self.up()
        self.assertEqual(first.stdout, again.stdout)
        self.assertIn("is already running", again.stderr)
        self._recovers_from_killed_services()
        self._recovers_from_a_killed_sandbox()
        self._leaves_no_process()

    def _is_private_and_on_loopback(self):
        listening = _listening()
        for pid in _processes_of(self.directory):
            for inode in _sockets_of(pid):
                if inode in listening:
                    self.assertTrue(listening[inode].startswith("127."), listening)
        for path in self.directory.rglob("*"):
            if path.parent == self.directory and path.exists():
                self.assertEqual(0, path.stat().st_mode & 0o077, path)

    def _recovers_from_killed_services(self):
        before = self.status()
        for service in before["services"]:
            os.kill(service["pid"], signal.SIGKILL)
        self.up()
        after = self.status()
        # The database of the instance was not touched, and continues.
        self.assertEqual(before["instances"][0]["pid"], after["instances"][0]["pid"])
        self.openstack(self.directory, "database", "instance", "wait", "db1")

    def _recovers_from_a_killed_sandbox(self):
        for pid in _processes_of(self.directory):
            os.kill(pid, signal.SIGKILL)
        self.up()
        self.openstack(self.directory, "database", "instance", "wait", "db1")
        self.assertIsNotNone(self.status()["instances"][0]["pid"])

    def _leaves_no_process(self):
        self.assertEqual(0, _sandbox(self.directory, "down").returncode)
        self.assertEqual({}, _processes_of(self.directory))
        self.assertIn("was not running", _sandbox(self.directory, "down").stderr)

    def test_two_sandboxes_are_independent(self):
        other = self.directory.with_name("other")
        with futures.ThreadPoolExecutor() as pool:
            for done in [pool.submit(self.up, d) for d in (self.directory, other)]:
                done.result()
        self.create(self.directory, "db1")
        self.create(other, "db1")
        one, two = self.status(), self.status(other)
        self.assertNotEqual(one["addresses"], two["addresses"])
        self.assertNotEqual(one["instances"][0]["id"], two["instances"][0]["id"])
        self.assertEqual(0, _sandbox(self.directory, "reset").returncode)
        self.assertFalse(self.directory.exists())
        self.openstack(other, "database", "instance", "wait", "db1")

    def test_a_port_in_use_is_named(self):
        self.up()
        _sandbox(self.directory, "down")
        settings = json.loads((self.directory / "settings.json").read_text())
        address = ("127.0.0.1", settings["trove_port"])
        with socket.create_server(address):
            done = _sandbox(self.directory, "up")
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertIn(str(address[1]), done.stderr)
        self.assertEqual({}, _processes_of(self.directory))


@shows(Promise.SANDBOX)
class PublicAddressTest(base.FunctionalTestCase):
    def test_an_instance_is_reached_at_its_public_address_until_it_is_deleted(self):
        argv = ("database", "instance")
        self.openstack(
            *(*argv, "create", "db", "--flavor", "db.small", "--size", "1"),
            *("--datastore", "mariadb", "--is-public", "--databases", "shop"),
            *("--users", "app:secret", "--nic", GUIDE_NIC, "--wait"),
            stderr=base.PROGRESS,
        )
        shown = self.openstack_json(*argv, "show", "db")
        (public,) = [x["address"] for x in shown["addresses"] if x["type"] == "public"]
        account = {"user": "app", "password": "secret"}
        with (
            contextlib.closing(pymysql.connect(host=public, **account)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT USER()")
            # Not 127.0.0.1, from which Trove's own account connects.
            self.assertEqual((f"app@{public}",), cursor.fetchone())
        self.openstack(*argv, "delete", "db", "--wait", stderr=".*")
        refused = self.assertRaises(OSError, socket.create_connection, (public, 3306))
        self.assertEqual(errno.ECONNREFUSED, refused.errno)


@shows(Promise.SANDBOX)
class SharedSandboxTest(base.FunctionalTestCase):
    """Tests that need no sandbox of their own."""

    def _project(self, cloud):
        argv = ("token", "issue", "-f", "value", "-c", "project_id")
        return self.openstack(*argv, cloud=cloud).strip()

    def test_parallel_first_requests_of_a_new_project_all_succeed(self):
        cloud = self.new_project()
        argv = ("database", "quota", "show")
        project = self._project(cloud)
        with futures.ThreadPoolExecutor() as pool:
            runs = [
                pool.submit(self.run_openstack, *argv, project, cloud=cloud)
                for _ in range(4)
            ]
        self.assertEqual([0] * 4, [run.result().exit_code for run in runs])

    def test_an_action_is_forbidden_in_one_project_alone(self):
        self.addCleanup(self.trove_sandbox, "policy", "clear")
        self.trove_sandbox("policy", "forbid", "backup:index", "--cloud", self.cloud)
        argv = ("database", "backup", "list")
        self.openstack(*argv, expect=1, stderr="403")
        self.openstack(*argv, cloud=self.new_project())

    def test_seeded_rows_are_listed_page_by_page_and_healthy(self):
        cloud = self.new_project()
        self.trove_sandbox(
            "seed", "--cloud", cloud, "--instances", "45", "--backups", "100"
        )
        rows = self.openstack_json("database", "instance", "list", cloud=cloud)
        # One page, as Trove and the stock client have it.
        self.assertEqual(20, len(rows))
        self.assertEqual({"HEALTHY"}, {row["Operating Status"] for row in rows})
        one = self._without_replicas(rows, cloud)
        self.assertEqual("ACTIVE", one["status"])
        self.openstack(
            "database", "instance", "delete", one["id"], cloud=cloud,
            stderr=".*", timeout=60,
        )  # fmt: skip

    def _without_replicas(self, rows, cloud):
        """Choose one that Trove deletes: it refuses the source of a set."""
        argv = ("database", "instance", "show")
        shown = (self.openstack_json(*argv, row["ID"], cloud=cloud) for row in rows)
        return next(row for row in shown if not row.get("replicas"))

    def test_a_slow_api_is_slow_for_one_project_alone(self):
        self.addCleanup(self.trove_sandbox, "fault", "clear", "slow-api")
        self.trove_sandbox(
            "fault", "set", "slow-api", "--cloud", self.cloud, "--sleep", "6"
        )
        began = time.monotonic()
        self.openstack("database", "flavor", "list")
        self.assertGreater(time.monotonic() - began, 6)
