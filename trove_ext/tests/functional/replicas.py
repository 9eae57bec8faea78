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


"""A replica set to test, its state by SQL, and a writer that runs all the time."""

import contextlib
import itertools
import json
import os
import re
import shlex
import threading
import time

import pymysql

from trove_ext.tests.functional import base

#: TROVE_EXT_LONG=1 runs tests that take minutes or restart the Trove of all tests.
LONG = bool(os.environ.get("TROVE_EXT_LONG"))
NETWORK = "908816f1-933c-4ff2-8595-f0f57c689e48"
ADMIN = "sandbox-admin"
#: What a command that works on a set may write to stderr.
STDERR = (
    base.PROGRESS
    + r"|: done\.$|is a replica of a replica|not probed|heard|NOT fenced|^ +openstack database |^(To|Or, to) .*, run:$|is the source now|in its place|^What to do|^  \d\. "
)
FINDING = re.compile(
    r"^  (?P<name>\S+) \((?P<id>[0-9a-f-]{36})\): (?P<role>.+?), (?P<state>[A-Z/_]+), "
    r"(?P<writes>likely read-only|likely writable|read-only or not: not known|"
    r"its database does not run), (?:older )?fault(?:, not of this)?: (?P<fault>.*)$",
    re.MULTILINE,
)
STEP = re.compile(r"^  \d+\. |^(To|Or, to) ")
COMMAND = re.compile(r"^(?: {2}| {7})openstack (?P<words>.*)$")


class Writer(threading.Thread):
    """Inserts rows all the time, into whichever member accepts them.

    :ivar acknowledged: each row that a member has acknowledged, and when
    """

    def __init__(self, addresses):
        super().__init__(daemon=True)
        self._addresses = addresses
        self._ended = threading.Event()
        self.acknowledged = {}

    def run(self):
        """Write until it is stopped; retry a row until a member accepts it."""
        members = itertools.cycle(self._addresses)
        rows = itertools.count(1)
        row, connection = next(rows), None
        while not self._ended.is_set():
            try:
                connection = connection or _connected(next(members))
                with connection.cursor() as cursor:
                    cursor.execute("INSERT IGNORE INTO myDB.writes VALUES (%s)", (row,))
            except pymysql.MySQLError:
                with contextlib.suppress(AttributeError, pymysql.MySQLError):
                    connection.close()
                connection = None
                continue
            self.acknowledged[row] = time.monotonic()
            row = next(rows)
            time.sleep(0.01)

    def stop(self):
        """End it; return the longest time without a row, in seconds."""
        self._ended.set()
        self.join()
        moments = sorted(self.acknowledged.values())
        return max((b - a for a, b in itertools.pairwise(moments)), default=0.0)


def _connected(address):
    return pymysql.connect(
        host=address,
        port=base.PORT,
        user="dbusr",
        password="dbpassword",
        autocommit=True,
        connect_timeout=2,
        read_timeout=10,
    )


class ReplicaTestCase(base.FunctionalTestCase):
    """Tests on one set: db1, and replicas that its first test creates."""

    count = 2
    made = False

    def setUp(self):
        super().setUp()
        self.faults = []
        if not type(self).made:
            self.make_source("db1")
            self.make_replicas("db1", self.count)
            type(self).made = True

    def fault(self, point, instance_id, *words):
        """Set a fault on one instance; it is cleared at the end at the latest."""
        self.faults.append(f"{point}@{instance_id}")
        self.addCleanup(self.clear_faults)
        self.trove_sandbox("fault", "set", point, "--instance", instance_id, *words)

    def clear_faults(self):
        """Clear the faults of this test, and of no other."""
        while self.faults:
            self.trove_sandbox("fault", "clear", self.faults.pop())

    def make_source(self, name, *options):
        self.openstack_here(
            *("database", "instance", "create", name, "--flavor", "db.small"),
            *("--size", "1", "--datastore", "mysql", "--datastore-version", "5.7.29"),
            *("--databases", "myDB", "--users", "dbusr:dbpassword"),
            *("--nic", f"net-id={NETWORK}", "--wait", *options),
            stderr=STDERR,
        )
        self.enable_root(name)
        self.sql(name, "CREATE TABLE myDB.writes (n INT PRIMARY KEY)")

    def make_replicas(self, source, count, name="r"):
        self.openstack_here(
            *("database", "replica", "create", source, name),
            *("--count", str(count), "--probe"),
            stderr=STDERR,
        )

    def members(self, member="db1"):
        """The set as ``replica show`` reports it, by name."""
        shown = self.shown("replica", "show", member)
        return {row["Name"]: row for row in shown}

    def shown(self, *words, **kwargs):
        return json.loads(
            self.openstack_here("database", *words, "-f", "json", **kwargs)
        )

    def source(self):
        """The name of the member that is the source, and those of the others."""
        members = self.members(self.any_member())
        source = next(
            n for n, row in members.items() if row["Role"] == "replica source"
        )
        return source, sorted(set(members) - {source})

    def any_member(self):
        # It warns about what a promote has left behind.
        return self.shown("replica", "list", stderr=STDERR)[0]["ID"]

    def read_only(self, address):
        return bool(self.root_sql(address, "SELECT @@read_only AS r")[0]["r"])

    def replicates_from(self, address):
        """The address of the source that SQL reports, None if no replication runs."""
        rows = self.root_sql(address, "SHOW SLAVE STATUS")
        if not rows or rows[0]["Slave_SQL_Running"] != "Yes":
            return None
        return rows[0]["Master_Host"]

    def check_set_by_sql(self, name):
        """One source that takes writes, all others read-only and replicating from it."""
        members = self.members(name).values()
        source = next(
            member for member in members if member["Role"] == "replica source"
        )
        home = source["Addresses"][0]
        self.assertFalse(self.read_only(home))
        self.assertIsNone(self.replicates_from(home))
        for member in members:
            if member is not source:
                address = member["Addresses"][0]
                self.assertTrue(self.read_only(address), member)
                self.assertEqual(home, self.replicates_from(address), member)

    def check_findings(self, stderr, addresses):
        """Compare each member that a message describes with SQL, if it is reachable."""
        found = {match["name"]: match.groupdict() for match in FINDING.finditer(stderr)}
        self.assertEqual(set(addresses), set(found), stderr)
        for name, address in addresses.items():
            writes = found[name]["writes"]
            if writes.startswith("likely"):
                self.assertEqual(
                    writes == "likely read-only", self.read_only(address), stderr
                )
            there = writes.startswith("likely")
            if there and found[name]["role"].startswith("replica of "):
                source = addresses[found[name]["role"].removeprefix("replica of ")]
                rows = self.root_sql(address, "SHOW SLAVE STATUS")
                self.assertEqual(source, rows[0]["Master_Host"], stderr)
        return found

    def follow(self, stderr):
        """Run the steps of a message in their order; those for an admin as an admin."""
        cloud, waiting, looking, done = None, False, False, []
        for line in stderr.splitlines():
            if line.startswith("     Or "):
                waiting = True
            if STEP.match(line):
                cloud = ADMIN if "only an admin" in line else None
                # An alternative is for what the first one does not solve.
                waiting = "eep waiting" in line or line.startswith("Or, to ")
                looking = "See whether" in line or "needed if" in line
            command = COMMAND.match(line)
            if command is None or waiting or line.endswith("--for settled"):
                continue
            words = shlex.split(command["words"])
            # It prompts at a terminal, and there is none.
            words += ["--yes"] if {"failover", "replace"} & {*words} else []
            run = self.run_patiently(words, cloud)
            done.append(shlex.join(words))
            if not looking:
                self.assertEqual(0, run.exit_code, run)
        return done

    def addresses(self):
        """The address of each member, by name."""
        members = self.members(self.any_member())
        return {name: row["Addresses"][0] for name, row in members.items()}

    def broken_promote(self, target, *, noun="replica", code=1, repairs=()):
        """Run a promote that fails; check that its report is true and its advice works.

        :param noun: "instance" for the stock command, which refuses nothing itself
        :param repairs: arguments for trove-sandbox before the advice is followed
        """
        addresses = self.addresses()
        run = self.run_openstack_here("database", noun, "promote", target, "--wait")
        self.assertEqual(code, run.exit_code, run)
        return self.recover(run, addresses, repairs=repairs)

    def recover(self, run, addresses, *, repairs=()):
        """Compare the report with SQL, follow the advice, check the set."""
        found = self.check_findings(run.stderr, addresses)
        self.clear_faults()
        if repairs:
            self.trove_sandbox(*repairs)
        self.follow(run.stderr)
        self.check_set_by_sql(self.any_member())
        return found, run

    def run_patiently(self, words, cloud):
        """Run it, and retry until the guest has sent a heartbeat after a reset."""
        deadline = time.monotonic() + 30
        while True:
            run = self.run_openstack_here(*words, cloud=cloud)
            if run.exit_code == 0 or "not currently available" not in run.stderr:
                return run
            if time.monotonic() > deadline:
                return run
            time.sleep(2)
