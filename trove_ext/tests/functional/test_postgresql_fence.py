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

"""A promote with a fence, a rebuild and a failover on real PostgreSQL servers.

What Trove does without them is shown by ``test_postgresql_facts.py``.
"""

import itertools
import json
import sys
import threading
import time
import unittest

from trove_ext.tests.functional import postgresql, replicas
from trove_ext.tests.promises import Ground, Promise, shows

long_only = unittest.skipUnless(replicas.LONG, "takes long")
PROMOTES = 10
#: Texts after which a command is killed, and whether the fence is up for certain then.
KILLS = (
    ("the probe has arrived", False),
    ("will be stopped", False),
    ("Writes are stopped", True),
    ("PROMOTE (0 s)", True),
    ("ACTIVE/HEALTHY (", False),
    ("Writes are possible", False),
)
CHECKSUM = "SELECT count(*), md5(string_agg(w || ' ' || n, ',' ORDER BY w, n)) FROM w"


class Writer(threading.Thread):
    """Writes rows into whichever member takes them, until it is stopped.

    :ivar acknowledged: each row, and when a member acknowledged it
    """

    def __init__(self, number, addresses):
        super().__init__(daemon=True)
        self._number = number
        self._addresses = itertools.cycle(addresses)
        self._ended = threading.Event()
        self.acknowledged = {}

    def run(self):
        rows = itertools.count(1)
        row = next(rows)
        while not self._ended.is_set():
            try:
                connection = postgresql.psycopg2.connect(
                    host=next(self._addresses),
                    port=5432,
                    user=postgresql.ROOT,
                    password=postgresql.PASSWORD,
                    dbname=postgresql.DATABASE,
                    connect_timeout=2,
                )
                connection.autocommit = True
                cursor = connection.cursor()
                while not self._ended.is_set():
                    key = (self._number, row)
                    cursor.execute(
                        "INSERT INTO w VALUES (%s, %s) ON CONFLICT DO NOTHING", key
                    )
                    self.acknowledged[key] = time.monotonic()
                    row = next(rows)
                    time.sleep(0.002)
            except postgresql.psycopg2.Error:
                time.sleep(0.02)

    def stop(self):
        self._ended.set()
        self.join()


@shows(Promise.ENGINE, Promise.PROMOTE, on=Ground.POSTGRESQL)
class FencedPromoteTest(postgresql.PostgresTestCase):
    """Nothing that any member has acknowledged is missing on any member."""

    def make_set(self, *names):
        source = self.make_source()
        self.sql(source, "CREATE TABLE w (w int, n int, PRIMARY KEY (w, n))")
        return [source, *self.make_replicas(source, *names)]

    def start_writers(self, members, count):
        addresses = [self.address_of(member) for member in members]
        writers = [Writer(number, addresses) for number in range(count)]
        for writer in writers:
            writer.start()
            self.addCleanup(writer.stop)
        time.sleep(1)
        return writers

    def fence(self, target, *options):
        promote = ("database", "replica", "promote", target, "--fence", *options)
        # On a busy machine one takes minutes.
        run = self.run_openstack(*promote, timeout=1800)
        self.assertEqual(0, run.exit_code, run)
        return run

    def check_rows(self, members, writers):
        """Compare every member with what was acknowledged."""
        for writer in writers:
            writer.stop()
        acknowledged = {key for writer in writers for key in writer.acknowledged}
        sums = {}
        for member in members:
            found = lambda m=member: set(self.sql(m, "SELECT w, n FROM w"))  # noqa: E731
            self.eventually(set(), lambda f=found: acknowledged - f())
            sums[member] = self.sql(member, CHECKSUM)
        self.assertEqual(1, len({tuple(each) for each in sums.values()}), sums)
        return acknowledged

    def test_nothing_is_lost(self):
        members = self.make_set("replica")
        writers = self.start_writers(members, 1)
        self.fence(members[1], "--pause", "1")
        self.assertEqual([], self.client.configurations.list())
        self.check_rows(members, writers)

    def promote_often(self, members, first, second):
        """Promote ten times between two members, under three writers."""
        writers = self.start_writers(members, 3)
        targets = itertools.cycle((second, first))
        for _ in range(PROMOTES):
            began = time.monotonic()
            self.fence(next(targets))
            ended = time.monotonic()
            time.sleep(1)
            print(
                f"promote in {ended - began:.1f} s; no row for "
                f"{self.longest_pause(writers, began):.1f} s",
                file=sys.stderr,
            )
        rows = self.check_rows(members, writers)
        print(
            f"{PROMOTES} promotes, {len(rows)} rows acknowledged, 0 missing",
            file=sys.stderr,
        )

    @staticmethod
    def longest_pause(writers, since):
        moments = sorted(
            moment
            for writer in writers
            for moment in list(writer.acknowledged.values())
            if moment >= since
        )
        return max(b - a for a, b in itertools.pairwise(moments))

    @long_only
    def test_ten_promotes_of_a_set_without_a_backup(self):
        source, first, second = self.make_set("first", "second")
        self.promote_often([source, first, second], source, first)

    @long_only
    def test_ten_promotes_of_a_set_with_a_first_replica_on_an_older_backup(self):
        source = self.make_source()
        self.sql(source, "CREATE TABLE w (w int, n int, PRIMARY KEY (w, n))")
        self.backup(source, "older")
        create = ("database", "replica", "create", source)
        names = ("first", "second")
        for name in names:
            self.openstack(*create, name, "--wait", stderr=".*")
        shown = self.openstack_json("database", "replica", "show", source, stderr=".*")
        ids = {row["Name"].strip("└├─ "): row["ID"] for row in shown}
        self.made += [ids[name] for name in names]
        first, second = (ids[name] for name in names)
        promote = ("database", "replica", "promote", first, "--fence", "--dry-run")
        suspect = self.run_openstack(*promote)
        self.assertIn("lacks their password", suspect.stderr)
        self.promote_often([source, first, second], source, second)

    @long_only
    def test_a_killed_command_leaves_a_fence_that_the_next_one_lifts(self):
        members = self.make_set("replica")
        source, replica = members
        for text, is_up in KILLS:
            target, other = replica, source
            if not getattr(self.shown(target), "replica_of", None):
                target, other = other, target
            self.kill_after(text, target)
            run = self.run_openstack("database", "replica", "show", other)
            self.assertEqual(0, run.exit_code, run)
            lifted = "It is lifted now" in run.stderr
            print(f"\nkilled after {text!r}; lifted: {lifted}", end="", file=sys.stderr)
            if is_up:
                self.assertTrue(lifted, run)
            self.wait_healthy(*members)
            for member in members:
                self.assertFalse(hasattr(self.shown(member), "configuration"))
                shown = self.value(member, "SHOW default_transaction_read_only")
                self.assertEqual("off", shown)

    def kill_after(self, text, target):
        """Promote with a fence; kill the command once it has written a text."""
        process = self.start_openstack(
            *("database", "replica", "promote", target, "--fence")
        )
        seen = next((line for line in process.stderr if text in line), None)
        self.assertIsNotNone(seen, f"{text!r} was not written")
        process.kill()
        process.communicate()

    @long_only
    def test_the_group_of_the_set_itself_is_used(self):
        members = self.make_set("replica")
        group = self.client.configurations.create(
            "own",
            json.dumps({"work_mem": "8MB"}),
            datastore="postgresql",
            datastore_version=postgresql.VERSION,
        )
        self.client.instances.update(members[0], configuration=group.id)
        self.wait_healthy(*members)
        writers = self.start_writers(members, 1)
        self.fence(members[1])
        self.check_rows(members, writers)
        values = self.client.configurations.get(group.id).values
        self.assertEqual({"work_mem": "8MB"}, values)
        for member in members:
            shown = self.value(member, "SHOW default_transaction_read_only")
            self.assertEqual("off", shown)

    @long_only
    def test_a_rebuild_replaces_every_other_member(self):
        source, first, second = self.make_set("first", "second")
        writers = self.start_writers([first], 1)
        run = self.fence(first, "--rebuild", "--yes", "-f", "json")
        shown = json.loads(run.stdout)
        ids = {row["ID"] for row in shown}
        self.made += sorted(ids)
        self.assertEqual(3, len(ids))
        self.assertEqual(set(), ids & {source, second})
        self.check_rows(ids, writers)


@shows(Promise.ENGINE, Promise.FAILOVER, on=Ground.POSTGRESQL)
class FailoverTest(postgresql.PostgresTestCase):
    """The replica that is named replaces a dead source."""

    @long_only
    def test_a_dead_source_is_replaced_and_nobody_is_in_error(self):
        source = self.make_source()
        self.add(source, 1)
        first, second = self.make_replicas(source, "first", "second")
        self.eventually([1], lambda: self.rows(first))
        self.trove_sandbox("fault", "host-off", source)
        self.eventually("ERROR", lambda: self.shown(source).operating_status)
        failover = ("database", "replica", "failover", source, "--to", first)
        run = self.run_openstack(*failover, "--yes", "--wait")
        self.assertEqual(0, run.exit_code, run)
        self.add(first, 2)
        self.assertEqual([1, 2], self.rows(first))
        for member in (first, second):
            self.assertEqual("ACTIVE", self.shown(member).status)
        self.assertIn(f"replica replace {second} --source {first}", run.stderr)

    @long_only
    def test_the_way_back_of_a_set_that_was_ejected(self):
        source = self.make_source()
        first, _second = self.make_replicas(source, "first", "second")
        self.trove_sandbox("fault", "host-off", source)
        self.eventually("ERROR", lambda: self.shown(source).operating_status)
        eject = ("database", "instance", "eject", source, "--wait")
        run = self.run_openstack(*eject)
        self.assertEqual(1, run.exit_code, run)
        lines = [line.strip() for line in run.stderr.splitlines()]
        resets = [line for line in lines if " reset status " in line]
        self.assertEqual(2, len(resets), run)
        for line in resets:
            words = line.split()[1:]
            self.openstack(*words, cloud="sandbox-admin", stderr=".*")
        self.wait_healthy(first)
        (failover,) = (line for line in lines if f"--to {first}" in line)
        words = (*failover.split()[1:], "--yes")
        again = self.run_openstack(*words)
        self.assertEqual(0, again.exit_code, again)
        self.add(first, 1)
