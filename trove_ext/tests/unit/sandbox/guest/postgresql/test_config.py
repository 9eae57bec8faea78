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

"""What stands in a PostgreSQL's files."""

import subprocess
import tempfile
from pathlib import Path

import testtools

from trove_ext.sandbox.guest import engine
from trove_ext.sandbox.guest.postgresql import config

LAYOUT = config.Layout(Path("/state/instances/an-id"))
FAULTS = Path("/state/faults")


class AccessRulesOfTlsTest(testtools.TestCase):
    def rules(self, mode):
        text = config.access_rules(mode, replication=True)
        return [line.split() for line in text.splitlines()]

    def test_without_tls_a_password_is_enough(self):
        for mode in (None, "basic"):
            self.assertIn(["host", "all", "all", "all", "md5"], self.rules(mode))

    def test_an_enforced_mode_refuses_connections_in_clear(self):
        rules = self.rules("enforced")
        self.assertIn(["hostssl", "all", "all", "all", "md5"], rules)
        self.assertNotIn("host", [rule[0] for rule in rules])

    def test_mtls_requires_a_certificate_except_of_replicas(self):
        rules = self.rules("mtls")
        method = ["cert", "clientcert=verify-full"]
        self.assertIn(["hostssl", "all", "all", "all", *method], rules)
        self.assertEqual("md5", rules[-1][-1])
        self.assertEqual("replication", rules[-1][1])


class SettingsTest(testtools.TestCase):
    def settings(self, memory_mb=1024):
        return config.settings(LAYOUT, "127.77.80.10", memory_mb, FAULTS)

    def test_a_server_listens_on_its_own_address_alone(self):
        self.assertEqual("127.77.80.10", self.settings()["listen_addresses"])

    def test_archiving_never_overwrites_as_troves_never_does(self):
        archive = "/state/instances/an-id/data/wal_archive/%f"
        trove = (
            f"test ! -f {archive} && cp %p {archive}.tmp && mv {archive}.tmp {archive}"
        )
        self.assertTrue(self.settings()["archive_command"].endswith(f" && {trove}"))

    def test_the_archiver_fails_where_its_fault_is_set(self):
        command = self.settings()["archive_command"]
        for name in ("archive", "archive@an-id"):
            self.assertIn(f"test ! -e /state/faults/{name} && ", command)

    def test_a_segment_is_fetched_late_if_its_fault_is_set(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            layout = config.Layout(place / "an-id")
            layout.archive.mkdir(parents=True)
            for name in ("0001", "0001.00000028.backup", "0002", "0003"):
                (layout.archive / name).write_text("WAL")
            command = config.restore_command(layout, place)
            self.assertEqual((0, []), self.fetch(place, command, "0003"))
            (place / "recovery").write_text("sleep 3.5\n")
            self.assertEqual((0, ["1"] * 3), self.fetch(place, command, "0003"))
            for first in ("0001", "0002"):
                self.assertEqual((0, []), self.fetch(place, command, first))
            self.assertEqual((1, []), self.fetch(place, command, "0004"))
            (place / "recovery@an-id").write_text("sleep 2\n")
            self.assertEqual((0, ["1"] * 5), self.fetch(place, command, "0003"))

    def fetch(self, place, command, segment):
        """Run it with a sleep that returns at once; return its code and its sleeps."""
        target, slept = place / "segment", place / "slept"
        for path in (target, slept):
            path.unlink(missing_ok=True)
        (place / "sleep").write_text(f'#!/bin/sh\necho "$1" >> {slept}\n')
        (place / "sleep").chmod(0o700)
        done = subprocess.run(
            ["sh", "-c", command.replace("%f", segment).replace("%p", str(target))],
            env={"PATH": f"{place}:/usr/bin:/bin"},
            capture_output=True,
            check=False,
        )
        self.assertEqual(done.returncode == 0, target.exists())
        return done.returncode, slept.read_text().split() if slept.exists() else []

    def test_a_groups_archive_command_names_this_volume_and_keeps_the_fault(self):
        group = "cp %p /var/lib/postgresql/data/wal_archive/%f"
        command = config.archive_command(LAYOUT, FAULTS, group)
        self.assertIn("test ! -e /state/faults/archive && ", command)
        self.assertTrue(
            command.endswith("cp %p /state/instances/an-id/data/wal_archive/%f")
        )

    def test_a_larger_flavor_gives_larger_buffers_within_bounds(self):
        sizes = [config.shared_buffers_mb(mb) for mb in (256, 1024, 2048, 4096, 65536)]
        self.assertEqual([16, 16, 32, 64, 64], sizes)

    def test_a_socket_fits_into_a_socket_address_under_any_directory(self):
        deep = config.Layout(Path("/" + "x" * 200))
        found = config.settings(deep, "127.77.80.10", 1024, FAULTS)
        self.assertEqual("../../run", found["unix_socket_directories"])

    def test_overrides_are_read_last(self):
        text = config.render(LAYOUT, "127.77.80.10", 1024, FAULTS)
        last = text.splitlines()[-1]
        self.assertEqual(f"include_dir = '{LAYOUT.overrides}'", last)

    def test_the_agents_override_wins_over_a_users(self):
        files = [LAYOUT.override(name) for name in (engine.USER, config.SYSTEM)]
        self.assertEqual(sorted(files), files)


class AccessRulesTest(testtools.TestCase):
    def rules(self, *, replication=False):
        text = config.access_rules(replication=replication)
        return [line.split() for line in text.splitlines()]

    def test_nobody_is_trusted_who_comes_over_the_network(self):
        methods = {
            rule[-1] for rule in self.rules(replication=True) if rule[0] == "host"
        }
        self.assertEqual({"reject", "md5"}, methods)

    def test_the_superuser_is_refused_before_everybody_is_let_in(self):
        hosts = [rule for rule in self.rules() if rule[0] == "host"]
        self.assertEqual(["host", "all", "postgres", "all", "reject"], hosts[0])

    def test_only_a_source_lets_replicas_in(self):
        replica = ["host", "replication", "replicator", "all", "md5"]
        self.assertNotIn(replica, self.rules())
        self.assertIn(replica, self.rules(replication=True))
