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

import configparser
import signal
import sys
import tempfile
from pathlib import Path
from unittest import mock

import testtools

from trove_ext.sandbox import (
    database,
    inventory,
    labels,
    policies,
    report,
    state,
    supervise,
    trove_config,
)
from trove_ext.sandbox.standins.store import Store
from trove_ext.sandbox.state import SandboxError, StateDir


class FilesTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.where = StateDir(Path(directory.name) / "sandbox")
        self.where.make()
        self.settings = state.choose("10.11", 600, 77)


class TestPolicies(FilesTestCase):
    def test_nothing_is_forbidden_at_first(self):
        self.assertEqual({}, policies.read(self.where.policy))

    def test_what_is_forbidden_is_for_admins(self):
        policies.forbid(self.where.policy, "promote")
        expected = {"instance:promote_to_replica_source": "role:admin"}
        self.assertEqual(expected, policies.read(self.where.policy))

    def test_one_project_can_be_meant(self):
        policies.forbid(self.where.policy, "backup-delete", "p1")
        rule = policies.read(self.where.policy)["backup:delete"]
        self.assertEqual("role:admin or not project_id:p1", rule)

    def test_several_add_up_and_clear_takes_all(self):
        policies.forbid(self.where.policy, "promote")
        policies.forbid(self.where.policy, "eject")
        self.assertEqual(2, len(policies.read(self.where.policy)))
        policies.clear(self.where.policy)
        self.assertEqual({}, policies.read(self.where.policy))

    def test_a_rule_of_troves_can_be_named_itself(self):
        self.assertEqual("configuration:create", policies.rule("configuration:create"))

    def test_every_rule_is_one_that_trove_asks_for(self):
        self.assertEqual(set(), set(policies.RULES.values()) - policies.known_rules())

    def test_an_unknown_action_is_refused(self):
        for action in ("dance", "instance:dance"):
            self.assertRaises(SandboxError, policies.rule, action)


class TestTroveConfig(FilesTestCase):
    def _read(self):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(trove_config.config(self.where, self.settings))
        return parser

    def test_it_listens_on_loopback_at_the_chosen_port(self):
        found = self._read()["DEFAULT"]
        self.assertEqual("127.0.0.1", found["bind_host"])
        self.assertEqual(str(self.settings.trove_port), found["bind_port"])

    def test_the_rate_is_the_one_that_was_asked_for(self):
        found = self._read()["DEFAULT"]
        for method in ("get", "post", "put", "delete", "mgmt_post"):
            self.assertEqual("77", found[f"http_{method}_rate"])

    def test_every_stand_in_can_be_named(self):
        found = self._read()["DEFAULT"]
        for service in ("nova", "cinder", "neutron", "glance", "swift", "guest"):
            module, _, _ = found[f"remote_{service}_client"].rpartition(".")
            name = module.removeprefix("trove_ext.sandbox.standins.")
            path = Path(state.__file__).parent / "standins" / f"{name}.py"
            self.assertTrue(path.is_file(), path)

    def test_page_sizes_stay_as_they_are(self):
        self.assertNotIn("page_size", trove_config.config(self.where, self.settings))


class TestLabels(testtools.TestCase):
    def test_the_guides_labels_are_there(self):
        self.assertEqual("e3feb785-af2e-41f7-899b-6bbc4e0b526e", labels.FLAVORS[0].id)
        self.assertEqual("b1.standard", labels.VOLUME_TYPES[0].name)
        guide = "908816f1-933c-4ff2-8595-f0f57c689e48"
        self.assertEqual(guide, labels.GUIDE_NETWORK.id)
        versions = {(v.datastore, v.name) for v in labels.datastore_versions("10.11")}
        self.assertIn(("mysql", "5.7.29"), versions)

    def test_mariadb_has_a_version_to_upgrade_to(self):
        names = [
            v.name
            for v in labels.datastore_versions("10.11")
            if v.datastore == "mariadb"
        ]
        self.assertEqual(["10.11", "10.12"], names)

    def test_postgresql_has_an_upgrade_and_one_that_trove_refuses(self):
        found = [
            (v.name, v.default, v.manager)
            for v in labels.datastore_versions("10.11", "15")
            if v.datastore == "postgresql"
        ]
        manager = "postgresql"
        versions = [("15", True), ("15.99", False), ("16", False)]
        self.assertEqual([(*version, manager) for version in versions], found)

    def test_without_postgresql_it_is_not_offered(self):
        names = {v.datastore for v in labels.datastore_versions("10.11", None)}
        self.assertEqual({"mariadb", "mysql"}, names)

    def test_the_engine_is_read_from_what_mariadbd_says(self):
        text = "mariadbd  Ver 11.4.2-MariaDB-deb12 for debian-linux-gnu on x86_64\n"
        programs = "trove_ext.sandbox.database.programs"
        with mock.patch(f"{programs}.find"), mock.patch(f"{programs}.run") as run:
            run.return_value = text
            self.assertEqual("11.4", database.engine_version())


class TestStore(FilesTestCase):
    def setUp(self):
        super().setUp()
        self.store = Store(self.where.inventory)
        self.addCleanup(self.store.close)

    def test_a_row_is_found_by_id_name_and_owner(self):
        row = {"id": "1", "name": "n"}
        self.store.put("port", row, "me")
        self.assertEqual(row, self.store.get("port", "1"))
        self.assertEqual([row], self.store.by_name("port", "n"))
        self.assertEqual([row], self.store.by_owner("port", "me"))
        self.assertIsNone(self.store.get("server", "1"))

    def test_what_was_put_survives_a_restart(self):
        self.store.put("port", {"id": "1"})
        again = Store(self.where.inventory)
        self.addCleanup(again.close)
        self.assertEqual([{"id": "1"}], again.all("port"))

    def test_a_row_is_replaced_and_deleted_by_its_id(self):
        self.store.put("port", {"id": "1", "x": 1})
        self.store.put("port", {"id": "1", "x": 2})
        self.assertEqual([{"id": "1", "x": 2}], self.store.all("port"))
        self.store.delete("port", "1")
        self.assertEqual([], self.store.all("port"))

    def test_an_instance_is_found_by_name_or_id(self):
        row = {"id": "s1", "name": "db", "instance_id": "i1"}
        self.store.put("server", row, "i1")
        for key in ("db", "i1"):
            self.assertEqual(row, inventory.find(self.where, key))
        self.assertIsNone(inventory.find(self.where, "other"))

    def test_two_of_one_name_are_told_apart_by_ids(self):
        for number in ("1", "2"):
            row = {"id": f"s{number}", "name": "db", "instance_id": f"i{number}"}
            self.store.put("server", row, f"i{number}")
        error = self.assertRaises(SandboxError, inventory.find, self.where, "db")
        self.assertIn("i1, i2", str(error))


class TestProcesses(FilesTestCase):
    def _sleeper(self):
        # Its command line names the state directory, as the sandbox's own do.
        code = f"import time; time.sleep(60)  # {self.where.root}/"
        made = supervise.start(self.where, "sleeper", [sys.executable, "-c", code])
        self.addCleanup(supervise.end, [made], 1)
        return made

    def test_a_started_process_is_found_again(self):
        made = self._sleeper()
        self.assertEqual(made, supervise.find(self.where, "sleeper"))

    def test_an_ended_process_is_gone(self):
        made = self._sleeper()
        supervise.end([made], 5)
        self.assertIsNone(supervise.find(self.where, "sleeper"))

    def test_another_process_of_the_same_number_is_not_taken_for_it(self):
        made = self._sleeper()
        older = supervise.Process(made.name, made.pid, made.started - 1)
        self.assertFalse(supervise.is_alive(older))

    def test_a_process_that_ends_early_is_an_error_with_its_words(self):
        code = "import sys; sys.exit('no such disk')"
        made = supervise.start(self.where, "early", [sys.executable, "-c", code])
        error = self.assertRaises(
            SandboxError, supervise.wait, made, lambda: False, 20, self.where
        )
        self.assertIn("no such disk", str(error))

    def test_one_that_never_answers_is_an_error(self):
        made = self._sleeper()
        error = self.assertRaises(
            SandboxError, supervise.wait, made, lambda: False, 0.2, self.where
        )
        self.assertIn("didn't answer", str(error))

    def test_only_programs_of_the_sandbox_are_taken_for_its_own(self):
        self._sleeper()
        self.assertEqual([], supervise.programs_of(self.where))

    def test_a_database_whose_pid_file_is_lost_is_found(self):
        command = ["/usr/sbin/mariadbd", f"--defaults-file={self.where.root}/my.cnf"]
        with mock.patch.object(supervise, "_PROC", self._proc(command)):
            found = supervise.programs_of(self.where)
        self.assertEqual(["mariadbd"], [process.name for process in found])

    def test_a_postgresql_is_ended_by_the_signal_that_does_not_wait_for_clients(self):
        server = supervise.Process("postgres", 7, 1)
        other = supervise.Process("mariadbd", 8, 1)
        with (
            mock.patch.object(
                supervise, "is_alive", side_effect=[True, True, False, False]
            ),
            mock.patch("os.kill") as kill,
        ):
            supervise.end([server, other], 1)
        self.assertEqual(
            [mock.call(7, signal.SIGINT), mock.call(8, signal.SIGTERM)],
            kill.call_args_list,
        )

    def test_a_postgresql_whose_pid_file_is_lost_is_found(self):
        config = f"config_file={self.where.root}/instances/x/postgresql.conf"
        command = ["/usr/lib/postgresql/15/bin/postgres", "-c", config]
        with mock.patch.object(supervise, "_PROC", self._proc(command)):
            found = supervise.programs_of(self.where)
        self.assertEqual(["postgres"], [process.name for process in found])

    def _proc(self, command):
        proc = self.where.root / "proc"
        entry = proc / "4242"
        entry.mkdir(parents=True)
        (entry / "cmdline").write_text("\0".join(command) + "\0")
        (entry / "stat").write_text("4242 (maria) db) S " + "7 " * 30)
        return proc


class TestReport(testtools.TestCase):
    def test_each_engine_has_its_port(self):
        found = {"engine": "MariaDB 10.11", "postgresql": "15"}
        text = report._engines(found)
        self.assertIn("MariaDB 10.11 on port 3306", text)
        self.assertIn("PostgreSQL 15 on port 5432", text)
        self.assertIn("no PostgreSQL", report._engines(found | {"postgresql": None}))

    def test_columns_are_as_wide_as_what_they_hold(self):
        text = report.table([("A", "B"), ("long", None), ("x", 1)])
        self.assertEqual("A     B\nlong  -\nx     1", text)


class TestLogs(FilesTestCase):
    def test_the_last_lines_are_shown(self):
        path = self.where.root / "log"
        path.write_text("1\n2\n3\n")
        self.assertEqual("2\n3\n", report.last_lines(path, 2))

    def test_a_log_that_is_not_there_is_said(self):
        missing = self.where.root / "none"
        self.assertRaises(SandboxError, report.last_lines, missing, 2)

    def test_an_unknown_source_names_the_known_ones(self):
        error = self.assertRaises(SandboxError, report.log_file, self.where, "x")
        self.assertIn("keystone", str(error))
