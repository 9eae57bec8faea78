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

"""``database backup check`` as a command, as a plugin, and as a source of metrics."""

import json
import pathlib
import signal
import stat
from datetime import timedelta
from unittest import mock

import fixtures
import testtools
from prometheus_client.parser import text_string_to_metric_families

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.plugin_output import parse
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.osc.v1.base import ChainTestCase

ODD = "a \"b\" \\ c|d='e'"


class CheckTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = FakeClock(limit=400 * 86400.0)
        self.cloud = FakeCloud(self.clock)
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = self.folder / "backups.prom"

    def instance(self, name, *hours):
        """Add an instance with a chain, by the ages of its backups."""
        instance, parent = self.cloud.add_instance(name), None
        for age in hours:
            created = self.clock.now() - timedelta(hours=age)
            parent = self.cloud.add_backup(
                f"{name}-{age}", instance, created=created, parent=parent
            )
        return instance

    def run_check(self, *words, **kwargs):
        argv = ["database", "backup", "check", *words]
        return run_openstack(argv, self.cloud, self.clock, **kwargs)

    def plugin(self, *words, code, **kwargs):
        """Run it as a plugin; nothing but its output is on stdout."""
        result = self.run_check(*words, "--nagios", **kwargs)
        self.assertEqual(code, result.exit_code, result.stdout + result.stderr)
        return parse(result.stdout)

    def metrics(self):
        """The samples of the file by metric: pairs of labels and value."""
        text = self.file.read_text(encoding="utf-8")
        families = text_string_to_metric_families(text)
        return {
            family.name: [(sample.labels, sample.value) for sample in family.samples]
            for family in families
        }


class TestCheck(ChainTestCase):
    def test_the_exit_code_of_check_depends_on_its_result(self):
        self.assertEqual(0, self.run_line("backup check db1 --max-age 26h").exit_code)
        result = self.run_line("backup check db1 nobody --max-age 5h -f json")
        self.assertEqual(1, result.exit_code)
        rows = json.loads(result.stdout)
        self.assertEqual(["failed", "failed"], [row["Result"] for row in rows])
        self.assertEqual(36000, rows[0]["Age"])

    def test_check_fails_if_the_cloud_does_not_respond(self):
        dead = Fault(Kind.REFUSED, only=lambda r: r.service == "trove", lasting=True)
        result = self.run_line("backup check db1", faults=[dead])
        self.assertEqual((1, ""), (result.exit_code, result.stdout))


class TestCommand(CheckTestCase):
    def test_a_warning_is_a_result_of_its_own_and_no_failure(self):
        self.instance("shop", 20)
        result = self.run_check(
            "shop", "--warning", "10h", "-f", "value", "-c", "Result"
        )
        self.assertEqual((0, "warning\n"), (result.exit_code, result.stdout))
        self.assertIn(
            "WARNING: shop: the newest restorable backup is 20h", result.stderr
        )

    def test_critical_is_another_name_of_max_age(self):
        self.instance("shop", 20)
        for option in ("--critical", "--max-age"):
            self.assertEqual(1, self.run_check("shop", option, "10h").exit_code)
            self.assertEqual(0, self.run_check("shop", option, "30h").exit_code)

    def test_a_warning_that_could_never_be_seen_is_refused(self):
        result = self.run_check("shop", "--warning", "26h")
        self.assertEqual(2, result.exit_code)
        self.assertIn("shorter than --critical", result.stderr)
        self.assertEqual([], list(result.requests))

    def test_a_failed_log_in_is_a_failure(self):
        result = self.run_check("shop", env={"OS_PASSWORD": "wrong"})
        self.assertEqual((1, ""), (result.exit_code, result.stdout))
        self.assertIn("Keystone refuses the log-in", result.stderr)

    def test_usage_is_checked_before_the_log_in(self):
        result = self.run_check("shop", "--max-age", "soon")
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], list(result.requests))


@shows(Promise.FRESH)
class TestNagios(CheckTestCase):
    def test_ok_is_0_with_age_and_chain_of_each(self):
        self.instance("shop", 3, 2, 1)
        self.instance("blog", 5)
        words = ("shop", "blog", "--warning", "26h", "--critical", "50h")
        found = self.plugin(*words, code=0)
        self.assertEqual(("BACKUP", "OK"), (found.service, found.state))
        self.assertEqual("2 of 2 with a good backup", found.summary)
        age = found.items["shop_age"]
        self.assertAlmostEqual(3600, float(age["value"]), delta=10)
        self.assertEqual(
            ("s", "93600", "180000", "0"),
            (age["unit"], age["warning"], age["critical"], age["least"]),
        )
        self.assertEqual("3", found.items["shop_chain"]["value"])
        self.assertEqual("0", found.items["bad"]["value"])
        self.assertEqual(2, len(found.details))
        self.assertRegex(
            found.details[0], r"^shop OK - shop-1 .*, 1h.* old, chain of 3"
        )

    def test_warning_is_1(self):
        self.instance("shop", 30)
        words = ("shop", "--warning", "26h", "--critical", "50h")
        found = self.plugin(*words, code=1)
        self.assertEqual("WARNING", found.state)
        self.assertIn("shop (1d6h old, limit 1d2h)", found.summary)
        self.assertEqual("0", found.items["bad"]["value"])

    def test_critical_is_2_and_names_the_worst_first(self):
        self.instance("young", 1)
        self.instance("older", 30)
        self.instance("oldest", 60)
        words = ("young", "older", "oldest", "--warning", "26h", "--critical", "50h")
        found = self.plugin(*words, code=2)
        self.assertEqual("CRITICAL", found.state)
        self.assertRegex(found.summary, "^1 of 3 without a good backup: oldest .*older")
        self.assertEqual("1", found.items["bad"]["value"])
        states = [line.split()[1] for line in found.details]
        self.assertEqual(["OK", "WARNING", "CRITICAL"], states)

    def test_an_instance_that_is_gone_or_has_no_backup_is_critical(self):
        self.instance("new")
        found = self.plugin("new", "nosuch", code=2)
        self.assertEqual("2", found.items["bad"]["value"])
        self.assertEqual({"bad"}, set(found.items))

    def test_an_ambiguous_name_is_unknown(self):
        self.instance("shop", 1)
        self.instance("shop", 1)
        self.assertEqual("UNKNOWN", self.plugin("shop", code=3).state)

    def test_a_critical_finding_outweighs_an_unknown_one(self):
        for _ in range(2):
            self.instance("shop", 1)
        self.instance("old", 90)
        found = self.plugin("shop", "old", code=2)
        self.assertIn("2 of 2 without a good backup: old", found.summary)

    def test_instances_of_one_name_have_labels_of_their_own(self):
        first, second = self.instance("shop", 1), self.instance("shop", 2)
        found = self.plugin(first.id, second.id, code=0)
        expected = {f"shop-{shop.id[:8]}_age" for shop in (first, second)}
        self.assertLess(expected, set(found.items))

    def test_names_with_signs_of_the_format_break_nothing(self):
        self.instance(ODD, 1)
        found = self.plugin(ODD, code=0)
        self.assertEqual(3, len(found.items))
        self.assertEqual(1, len(found.details))

    def test_a_failed_log_in_is_unknown(self):
        found = self.plugin("shop", code=3, env={"OS_PASSWORD": "wrong"})
        self.assertIn("Keystone refuses the log-in", found.summary)

    def test_incomplete_settings_are_unknown(self):
        for name in ("OS_AUTH_URL", "OS_USERNAME"):
            self.assertEqual(
                "UNKNOWN", self.plugin("x", code=3, env={name: None}).state
            )

    def test_a_cloud_without_trove_is_unknown(self):
        server_of(self.cloud).keystone.database_url = None
        self.assertIn("does this cloud offer Trove", self.plugin("x", code=3).summary)

    def test_a_service_that_is_down_is_unknown(self):
        self.instance("shop", 1)
        for service in ("keystone", "trove"):
            for kind in (Kind.REFUSED, Kind.HTTP_500, Kind.HANG, Kind.HTML):
                fault = Fault(kind, lasting=True, only=_sent_to(service))
                found = self.plugin("shop", code=3, faults=[fault])
                self.assertEqual("UNKNOWN", found.state, f"{service}: {kind}")

    def test_a_signal_is_unknown(self):
        self.instance("shop", 1)

        def interrupt(_request):
            signal.raise_signal(signal.SIGTERM)

        self.cloud.before_request.append(interrupt)
        self.assertEqual("interrupted by SIGTERM", self.plugin("shop", code=3).summary)

    def test_a_mistake_of_our_own_is_unknown_and_said_to_be(self):
        mistake = mock.patch(
            "trove_ext.workflows.backup.check.find_with_backups",
            side_effect=KeyError(1),
        )
        with mistake:
            found = self.plugin("shop", code=3)
        self.assertIn("Internal error of trove-ext", found.summary)

    def test_a_senseless_limit_is_unknown(self):
        self.assertIn(
            "shorter than", self.plugin("x", "--warning", "99h", code=3).summary
        )

    def test_progress_is_not_shown(self):
        self.instance("shop", 1)
        fault = Fault(Kind.HTTP_503, at=4)
        result = self.run_check("shop", "--nagios", faults=[fault])
        self.assertEqual((0, ""), (result.exit_code, result.stderr))


class TestPrometheus(CheckTestCase):
    def write(self, *names, **kwargs):
        return self.run_check(*names, "--prometheus", str(self.file), **kwargs)

    def test_times_are_timestamps_and_labels_those_of_openstack_exporter(self):
        shop = self.instance("shop", 3, 2, 1)
        self.cloud.quotas["backups"] = 50
        self.assertEqual(0, self.write("shop").exit_code)
        found = self.metrics()
        labels = {
            "id": shop.id,
            "name": "shop",
            "datastore_type": "mysql",
            "region": server_of(self.cloud).keystone.region,
            "tenant_id": self.cloud.project_id,
        }
        newest = max(backup.created for backup in self.cloud.live_backups).timestamp()
        project = {name: labels[name] for name in ("region", "tenant_id")}
        self.assertEqual(
            {
                "trove_backup_newest_restorable_timestamp_seconds": [(labels, newest)],
                "trove_backup_chain_length": [(labels, 3)],
                "trove_backup_good": [(labels, 1)],
                "trove_backup_running": [(labels, 0)],
                "trove_backup_quota_used": [(project, 3)],
                "trove_backup_quota_limit": [(project, 50)],
            },
            {k: v for k, v in found.items() if "check" not in k},
        )
        ((_, at),) = found["trove_backup_check_timestamp_seconds"]
        self.assertAlmostEqual(self.clock.now().timestamp(), at, delta=60)
        self.assertEqual(0o644, stat.S_IMODE(self.file.stat().st_mode))

    def test_an_instance_without_a_backup_has_a_zero_and_no_time(self):
        self.instance("new")
        self.assertEqual(1, self.write("new").exit_code)
        found = self.metrics()
        self.assertEqual([0.0], [value for _, value in found["trove_backup_good"]])
        self.assertNotIn("trove_backup_newest_restorable_timestamp_seconds", found)
        self.assertNotIn("trove_backup_chain_length", found)

    def test_a_running_backup_is_counted(self):
        shop = self.instance("shop", 2)
        self.cloud.add_backup("now", shop, state=BackupState.BUILDING)
        self.write("shop")
        ((_, running),) = self.metrics()["trove_backup_running"]
        self.assertEqual(1.0, running)

    def test_no_limit_of_the_quota_is_no_metric(self):
        self.instance("shop", 2)
        self.cloud.quotas["backups"] = -1
        self.write("shop")
        self.assertIn("trove_backup_quota_used", self.metrics())
        self.assertNotIn("trove_backup_quota_limit", self.metrics())

    def test_odd_names_are_read_back_as_they_are(self):
        self.instance(ODD, 2)
        self.write(ODD)
        ((labels, _),) = self.metrics()["trove_backup_good"]
        self.assertEqual(ODD, labels["name"])

    def test_a_check_that_fails_keeps_the_old_file(self):
        self.instance("shop", 1)
        self.instance("twice", 1)
        self.instance("twice", 1)
        self.file.write_text("old 1\n", encoding="utf-8")
        down = Fault(Kind.HTTP_500, lasting=True, only=_sent_to("trove"))
        for names, kwargs in (
            (["shop"], {"faults": [down]}),
            (["shop"], {"env": {"OS_PASSWORD": "wrong"}}),
            (["shop", "twice"], {}),
        ):
            for plugin in ([], ["--nagios"]):
                self.assertNotEqual(0, self.write(*names, *plugin, **kwargs).exit_code)
                self.assertEqual("old 1\n", self.file.read_text(encoding="utf-8"))
                self.assertEqual([self.file], list(self.folder.iterdir()))

    def test_a_file_that_the_collector_would_not_read_is_never_replaced(self):
        self.instance("shop", 1)
        other = self.folder / "passwd"
        other.write_text("root:x:0:0", encoding="utf-8")
        result = self.run_check("shop", "--prometheus", str(other))
        self.assertEqual((2, []), (result.exit_code, result.requests.to_trove()))
        self.assertIn("does not end in .prom", result.stderr)
        self.assertEqual("root:x:0:0", other.read_text(encoding="utf-8"))

    def test_a_file_that_cannot_be_written_is_a_failure(self):
        self.instance("shop", 1)
        path = str(self.folder / "missing" / "backups.prom")
        result = self.run_check("shop", "--prometheus", path)
        self.assertEqual(1, result.exit_code)
        self.assertIn(f"Can't write {path}", result.stderr)
        found = self.plugin("shop", "--prometheus", path, code=3)
        self.assertIn("Can't write", found.summary)


@shows(Promise.FRESH)
class TestAll(CheckTestCase):
    def project(self):
        """Thirty instances, twelve in sets, with backups of every age and state."""
        self.begun = self.clock.now()
        for number in range(4):
            source = self.instance(f"set{number}", 40)
            for letter in "ab":
                self.cloud.add_instance(f"set{number}{letter}", replica_of=source)
            self.back_up(f"set{number}a", number + 1)
        for number in range(10):
            self.instance(f"alone{number}", number + 3, number + 2)
        for name, state in (
            ("running", BackupState.BUILDING),
            ("new", BackupState.NEW),
            ("saving", BackupState.SAVING),
            ("stuck", BackupState.DELETE_FAILED),
        ):
            self.cloud.add_backup(f"{name}-now", self.instance(name, 8), state=state)
        self.instance("nothing")
        broken = self.instance("broken", 5)
        (parent,) = self.backups_of(broken)
        child = self.cloud.add_backup("child", broken, parent=parent)
        child.created = self.clock.now() - timedelta(hours=1)
        parent.state = BackupState.FAILED
        self.cloud.add_backup(
            "failed", self.instance("failed"), state=BackupState.FAILED
        )
        self.instance("old", 90)

    def back_up(self, name, hours):
        created = self.clock.now() - timedelta(hours=hours)
        instance = self.cloud.instance(name)
        return self.cloud.add_backup(f"{name}-new", instance, created=created)

    def backups_of(self, instance):
        return [
            backup
            for backup in self.cloud.live_backups
            if backup.instance_id == instance.id
        ]

    def test_a_whole_project_is_evaluated_each_set_as_one(self):
        self.project()
        self.assertEqual(30, len(self.cloud.live_instances))
        found = self.plugin("--all", "--critical", "26h", code=2)
        self.assertEqual(22, len(found.details))
        states = {line.split()[0]: line.split()[1] for line in found.details}
        bad = {name for name, state in states.items() if state != "OK"}
        self.assertEqual({"nothing", "broken", "failed", "old"}, bad)
        self.assertEqual("4", found.items["bad"]["value"])
        (line,) = [line for line in found.details if line.startswith("set0 ")]
        self.assertIn("set0a-new", line)
        self.assertIn(" of set0a, ", line)

    def test_the_metrics_of_a_whole_project_are_those_of_the_plugin(self):
        self.project()
        words = ("--all", "--critical", "26h", "--prometheus", str(self.file))
        for bad in ("4", "5"):
            found = self.plugin(*words, code=2)
            self.assertEqual(bad, found.items["bad"]["value"])
            states = {line.split()[0]: line.split()[1] for line in found.details}
            metrics = {
                name: {labels.get("name"): value for labels, value in samples}
                for name, samples in self.metrics().items()
            }
            good = {name: float(state == "OK") for name, state in states.items()}
            self.assertEqual(good, metrics["trove_backup_good"])
            running = metrics["trove_backup_running"]
            busy = {name for name, value in running.items() if value}
            self.assertEqual({"running", "new", "saving"}, busy)
            self.check_times(metrics)
            # An instance without a backup turns the check, and has no time.
            self.cloud.add_instance("fresh")

    def check_times(self, metrics):
        """Compare the times with those of the newest good backup of each set."""
        ages = {f"set{number}": number + 1 for number in range(4)}
        ages |= {f"alone{number}": number + 2 for number in range(10)}
        ages |= dict.fromkeys(("running", "new", "saving", "stuck"), 8) | {"old": 90}
        times = metrics["trove_backup_newest_restorable_timestamp_seconds"]
        self.assertEqual(set(ages), set(times))
        now = self.begun.timestamp()
        for name, hours in ages.items():
            self.assertAlmostEqual(now - hours * 3600, times[name], delta=1, msg=name)

    def test_a_new_instance_without_a_backup_turns_the_check(self):
        self.instance("shop", 2)
        self.assertEqual("OK", self.plugin("--all", code=0).state)
        self.cloud.add_instance("new")
        found = self.plugin("--all", code=2)
        self.assertIn("new (there is no restorable backup)", found.summary)

    def test_the_row_of_a_set_says_which_member_the_backup_is_of(self):
        shop = self.instance("shop", 30)
        self.cloud.add_instance("shop-r", replica_of=shop)
        self.back_up("shop-r", 2)
        result = self.run_check("--all", "-f", "json")
        (row,) = json.loads(result.stdout)
        self.assertEqual(("shop", "ok"), (row["Instance"], row["Result"]))
        self.assertEqual(("shop-r", 7200), (row["Member"], row["Age"]))

    def test_each_member_is_evaluated_by_itself_if_asked_to(self):
        shop = self.instance("shop", 30)
        self.cloud.add_instance("shop-r", replica_of=shop)
        self.back_up("shop-r", 2)
        found = self.plugin("--all", "--each-member", code=2)
        self.assertEqual(["shop CRITICAL", "shop-r OK"], _states(found))

    def test_exclude_and_datastore_narrow_it_down(self):
        for name in ("shop", "blog"):
            self.instance(name, 2)
        self.instance("test-1")
        self.cloud.add_instance("pg", datastore="mariadb")
        found = self.plugin("--all", "--exclude", "test-*", "--exclude", "b*", code=2)
        self.assertEqual(["pg CRITICAL", "shop OK"], _states(found))
        words = ("--all", "--datastore", "mysql", "--exclude", "test-*")
        self.assertEqual(["blog OK", "shop OK"], _states(self.plugin(*words, code=0)))

    def test_members_of_clusters_are_left_out_and_named(self):
        self.instance("shop", 2)
        self.cloud.add_instance("node").cluster_id = "c1"
        found = self.plugin("--all", code=0)
        self.assertRegex(found.details[1], "^node .* is left out: .* cluster c1")
        self.assertIn("node", self.run_check("--all").stderr)

    def test_a_project_without_an_instance_to_check_is_no_success(self):
        self.assertIn("no instance to check", self.plugin("--all", code=3).summary)
        self.cloud.add_instance("node").cluster_id = "c1"
        self.assertIn("no instance to check", self.plugin("--all", code=3).summary)
        self.instance("shop", 1)
        words = ("--all", "--datastore", "nosuch")
        self.assertEqual("UNKNOWN", self.plugin(*words, code=3).state)
        self.assertEqual(1, self.run_check(*words).exit_code)

    def test_names_and_all_exclude_each_other(self):
        for words in (
            ["shop", "--all"],
            [],
            ["shop", "--exclude", "x"],
            ["shop", "--datastore", "mysql"],
            ["shop", "--each-member"],
        ):
            result = self.run_check(*words)
            self.assertEqual(2, result.exit_code, words)
            self.assertEqual([], list(result.requests))

    def test_it_costs_a_request_for_20_instances_and_one_for_the_backups(self):
        for number in range(21):
            self.instance(f"db{number}", 2)
        result = self.run_check("--all")
        self.assertEqual(3, len(result.requests.to_trove()))

    def test_the_metrics_name_the_source_of_a_set(self):
        shop = self.instance("shop", 30)
        self.cloud.add_instance("shop-r", replica_of=shop)
        newest = self.back_up("shop-r", 2)
        self.run_check("--all", "--prometheus", str(self.file))
        ((labels, value),) = self.metrics()[
            "trove_backup_newest_restorable_timestamp_seconds"
        ]
        self.assertEqual((shop.id, "shop"), (labels["id"], labels["name"]))
        self.assertEqual(newest.created.timestamp(), value)


def _states(found):
    return [" ".join(line.split()[:2]) for line in found.details]


def _sent_to(service):
    return lambda request: request.service == service
