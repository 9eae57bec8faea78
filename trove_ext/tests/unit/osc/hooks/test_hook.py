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

"""The stock commands with ``--wait``, and the guide's forms, over the fake cloud."""

import importlib.metadata
import json
import shlex
from unittest import mock

import testtools

from trove_ext.osc.hooks import hook
from trove_ext.osc.hooks.base import HookedCommand
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.unit import requires

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"


class HookTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = FakeClock()
        self.cloud = FakeCloud(self.clock)
        self.db1 = self.cloud.add_instance("db1", databases=("shop",))

    def run_line(self, line, **kwargs):
        return run_openstack(["database", *shlex.split(line)], self.cloud, **kwargs)

    def succeed(self, line, **kwargs):
        result = self.run_line(line, **kwargs)
        self.assertEqual(0, result.exit_code, result.stderr)
        return result

    def advised(self, result):
        """The commands that a message told the user to run."""
        return [
            line.strip().removeprefix("openstack database ")
            for line in result.stderr.splitlines()
            if line.strip().startswith("openstack database ")
        ]


def load_hooks():
    """Every hook that is registered, by the group of its command."""
    return {
        entry.group: entry.load()
        for entry in importlib.metadata.distribution("trove-ext").entry_points
        if entry.group.startswith("openstack.cli.")
    }


class TestCliffVersions(testtools.TestCase):
    def test_every_hook_has_an_epilog_which_cliff_4_9_0_joins_unchecked(self):
        hooks = load_hooks()
        self.assertEqual(14, len(hooks))
        for group, hook_class in hooks.items():
            name = group.removeprefix("openstack.cli.").replace("_", " ")
            epilog = hook_class(mock.MagicMock(cmd_name=name)).get_epilog()
            self.assertIsInstance(epilog, str, group)
            self.assertIn("trove-ext plugin", epilog, group)


class TestTable(testtools.TestCase):
    def test_each_command_of_the_table_has_an_entry_point_and_a_handler(self):
        names = {group.removeprefix("openstack.cli.") for group in load_hooks()}
        self.assertEqual({name.replace(" ", "_") for name in hook.COMMANDS}, names)
        for name in hook.COMMANDS:
            made = hook.Hook(mock.MagicMock(cmd_name=name))
            self.assertIsInstance(made._handler(), HookedCommand, name)


class TestBackupCreate(HookTestCase):
    def test_the_form_of_the_guide_with_options_in_any_place(self):
        for line in (
            "backup create db1 b1",
            "backup create --incremental db1 b1",
            "backup create db1 --incremental b1",
            "backup create db1 b1 --incremental",
            "backup create --description text db1 b1 -f json",
            "backup create b1 --instance db1",
            "backup create --instance db1 b1",
            "backup create --instance db1 b1 --incremental",
            "backup create db1 --description text b1 --incremental",
        ):
            self.cloud = FakeCloud(FakeClock())
            db1 = self.cloud.add_instance("db1")
            result = self.succeed(line)
            (request,) = result.requests.changing
            self.assertEqual("b1", request.body["backup"]["name"], line)
            self.assertEqual(db1.id, request.body["backup"]["instance"], line)

    def test_a_name_with_a_dash_follows_two_dashes_as_without_the_plugin(self):
        for line, name in (
            ("backup create --instance db1 -- -nightly", "-nightly"),
            ("backup create --instance db1 --incremental -- --wait", "--wait"),
            ("backup create db1 -- -nightly", "-nightly"),
            ("backup create --description text -- db1 -nightly", "-nightly"),
        ):
            self.cloud = FakeCloud(FakeClock())
            db1 = self.cloud.add_instance("db1")
            (request,) = self.succeed(line).requests.changing
            self.assertEqual(name, request.body["backup"]["name"], line)
            self.assertEqual(db1.id, request.body["backup"]["instance"], line)

    def test_too_many_names_after_two_dashes_are_repeated_as_typed(self):
        result = self.run_line("backup create -- db1 -n more")
        self.assertEqual(2, result.exit_code)
        self.assertIn("unrecognized arguments: more", result.stderr)

    def test_an_instance_named_twice_is_an_error_of_usage(self):
        result = self.run_line("backup create db1 b1 --instance db2")
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], result.requests.changing)

    def test_json_after_waiting_is_json_alone_and_the_backup_as_it_is(self):
        result = self.succeed("backup create db1 b1 --wait -f json")
        self.assertEqual("COMPLETED", json.loads(result.stdout)["status"])
        self.assertIn("COMPLETED", result.stderr)

    def test_a_failed_backup_carries_the_reason_and_is_still_printed(self):
        self.cloud.fail_backup(message="disk full on the store")
        result = self.run_line("backup create db1 b1 --wait -f json")
        self.assertEqual(1, result.exit_code)
        self.assertEqual("FAILED", json.loads(result.stdout)["status"])
        self.assertIn("disk full on the store", result.stderr)

    def test_an_older_fault_is_not_taken_for_the_reason(self):
        self.cloud.blame(self.db1, "an old story")
        self.clock.sleep(100)
        self.cloud.fail_backup(message="a new one that is not stored")
        self.cloud.blame = lambda *_args: None
        result = self.run_line("backup create db1 b1 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("the last fault is another one: an old story", result.stderr)

    def test_a_time_out_prints_a_command_that_goes_on_waiting(self):
        result = self.run_line("backup create db1 b1 --wait --timeout 0.5 -f json")
        self.assertEqual(124, result.exit_code)
        self.assertEqual("b1", json.loads(result.stdout)["name"])
        (command,) = self.advised(result)
        self.assertIn("COMPLETED", self.succeed(command).stdout)

    def test_parent_is_found_by_name(self):
        parent = self.cloud.add_backup("full", self.db1)
        result = self.succeed("backup create db1 b1 --parent full --wait -f json")
        self.assertEqual(parent.id, json.loads(result.stdout)["parent_id"])

    def test_a_full_backup_in_place_of_an_incremental_is_a_warning(self):
        for wait in ("", " --wait"):
            self.cloud = FakeCloud(FakeClock())
            self.cloud.add_instance("db1")
            result = self.succeed("backup create db1 b1 --incremental" + wait)
            self.assertIn("FULL backup", result.stderr)

    def test_a_replication_snapshot_as_parent_is_a_warning(self):
        self.cloud.add_backup(f"Replication snapshot for {self.db1.id}", self.db1)
        result = self.succeed("backup create db1 b1 --incremental")
        self.assertIn("DELETED", result.stderr)

    def driver_of(self, name):
        (backup,) = [
            backup for backup in self.cloud.live_backups if backup.name == name
        ]
        return backup.storage_driver

    @requires.storage_drivers
    def test_a_backup_on_a_volume_snapshot_is_stored_as_one(self):
        self.cloud.add_backup("snap", self.db1, storage_driver="cinder")
        self.succeed("backup create db1 b1 --parent snap --wait")
        self.assertEqual("cinder", self.driver_of("b1"))

    @requires.storage_drivers
    def test_a_parent_of_another_storage_driver_is_refused_with_our_options(self):
        self.cloud.add_backup("full", self.db1)
        line = "backup create db1 b1 --parent full --storage-driver cinder --wait"
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertIn("stored in swift, not in cinder", result.stderr)
        self.assertEqual(1, len(self.cloud.live_backups))

    def test_a_parent_of_another_storage_driver_is_a_warning_else(self):
        parent = self.cloud.add_backup("snap", self.db1, storage_driver="cinder").id
        line = f"backup create b1 --instance {self.db1.id} --parent {parent}"
        result = self.succeed(line)
        self.assertIn("--storage-driver cinder", result.stderr)
        self.assertEqual("swift", self.driver_of("b1"))

    def test_a_volume_snapshot_that_trove_chose_as_the_parent_is_a_warning(self):
        self.cloud.add_backup("snap", self.db1, storage_driver="cinder")
        result = self.succeed("backup create db1 b1 --incremental")
        self.assertIn("a volume snapshot", result.stderr)

    def test_a_lost_answer_makes_one_backup_and_finds_it(self):
        lost = Fault(
            Kind.RESET_AFTER,
            1,
            only=lambda r: r.method == "POST" and r.path.endswith("/backups"),
            lasting=True,
        )
        result = self.succeed("backup create db1 b1 --wait -f json", faults=[lost])
        self.assertEqual("COMPLETED", json.loads(result.stdout)["status"])
        self.assertEqual(["b1"], [backup.name for backup in self.cloud.live_backups])


class TestTimeout(HookTestCase):
    def test_a_time_out_without_wait_is_an_error_of_usage_and_sends_nothing(self):
        self.cloud.add_backup("b1", self.db1)
        for line in (
            "backup create db1 b2 --timeout 5",
            "backup delete b1 --timeout 3600",
            "instance restart db1 --timeout 0",
            "backup restore b1 new --timeout 5",
            "backup chain delete b1 --yes --timeout 5",
        ):
            result = self.run_line(line)
            self.assertEqual(2, result.exit_code, line)
            self.assertIn("--wait", result.stderr.splitlines()[-1])
            self.assertEqual([], result.requests.changing)


class TestInstanceCreate(HookTestCase):
    def create(self, rest):
        return f"instance create new --flavor 10 --size 1 --nic {NIC} {rest}"

    def test_waits_until_it_serves(self):
        result = self.succeed(self.create("--wait -f json"))
        shown = json.loads(result.stdout)
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual("HEALTHY", shown["operating_status"])

    def test_a_create_that_fails_says_why_and_shows_it(self):
        self.cloud.fail_create(message="no host left")
        result = self.run_line(self.create("--wait -f json"))
        self.assertEqual(1, result.exit_code)
        self.assertEqual("ERROR", json.loads(result.stdout)["status"])
        self.assertIn("no host left", result.stderr)

    def test_what_the_guest_has_not_created_is_named_and_exits_1(self):
        line = self.create("--databases shop,crm --users app:secret123 --wait -f json")
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertEqual("ACTIVE", json.loads(result.stdout)["status"])
        self.assertIn("missing: database 'shop,crm', user 'app'", result.stderr)
        self.assertNotIn("secret123", result.stderr)

    def test_databases_and_users_that_are_there_are_no_error(self):
        line = "--databases shop crm --users app:secret123 web:secret456 --wait"
        self.assertNotIn("missing", self.succeed(self.create(line)).stderr)

    def test_a_name_that_the_guest_refuses_is_said_and_sent_all_the_same(self):
        result = self.succeed(self.create("--databases shop,crm"))
        self.assertIn("separated by spaces", result.stderr)
        (request,) = result.requests.changing
        sent = request.body["instance"]["databases"]
        self.assertEqual([{"name": "shop,crm"}], sent)

    def test_names_of_other_datastores_are_not_held_against_the_rules(self):
        line = self.create("--databases shop,crm --datastore postgresql")
        self.assertNotIn("separated by spaces", self.run_line(line).stderr)

    def test_all_replicas_of_one_request_are_waited_for(self):
        line = f"instance create r --replica-of db1 --replica-count 3 --nic {NIC}"
        result = self.succeed(line + " --wait -f json")
        replicas = self.cloud.replicas(self.db1)
        self.assertEqual(3, len(replicas))
        for replica in replicas:
            self.assertIn(
                f"{replica.name} ({replica.id}): ACTIVE/HEALTHY", result.stderr
            )

    def test_the_replica_form_of_the_guide_drops_what_agrees(self):
        line = (
            "instance create r --flavor 10 --size 5 --volume-type fast --datastore "
            f"mysql --datastore-version 5.7.29 --nic {NIC} --replica-of db1 -f json"
        )
        result = self.succeed(line)
        self.assertEqual("r", json.loads(result.stdout)["name"])
        self.assertIn("--volume-type fast (it can't be compared)", result.stderr)
        (request,) = result.requests.changing
        for key in ("flavorRef", "volume", "datastore"):
            self.assertNotIn(key, request.body["instance"])

    def test_what_does_not_agree_is_named_with_both_values_at_once(self):
        line = f"instance create r --flavor 20 --size 9 --nic {NIC} --replica-of db1"
        result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        for text in ("--flavor 20", "--size 9", ": 10", ": 5"):
            self.assertIn(text, result.stderr)
        self.assertEqual([], result.requests.changing)

    def test_a_password_with_colons_arrives_whole(self):
        line = self.create("--databases shop --credentials-file - -f json")
        result = self.succeed(line, stdin="bob:pa:ss:wo:rd\n")
        (request,) = result.requests.changing
        (user,) = request.body["instance"]["users"]
        self.assertEqual("pa:ss:wo:rd", user["password"])
        self.assertEqual("bob", user["name"])

    def test_a_nic_that_is_none_is_an_error_before_any_request(self):
        for nic in ("none", "foo", "net-id=x,foo"):
            for wait in ("", " --wait"):
                line = f"instance create new --flavor 10 --size 1 --nic {nic}{wait}"
                result = self.run_line(line)
                self.assertEqual(2, result.exit_code)
                self.assertIn("net-id=<uuid>", result.stderr)
                self.assertEqual([], result.requests.changing)

    def test_what_stock_refuses_before_it_sends_is_not_called_a_lost_answer(self):
        line = f"instance create new --flavor 10 --size 1 --nic {NIC} --wait"
        with mock.patch(
            "troveclient.v1.instances.Instances.create", side_effect=ValueError("odd")
        ):
            result = self.run_line(line)
        self.assertEqual(1, result.exit_code)
        self.assertIn("nothing was sent: odd", result.stderr)
        self.assertNotIn("took effect", result.stderr)

    def test_a_bad_user_is_an_error_before_any_request(self):
        result = self.run_line(self.create("--users bob eve:a:b"))
        self.assertEqual(2, result.exit_code)
        self.assertEqual([], result.requests.changing)
        self.assertIn("--users bob", result.stderr)


class TestActions(HookTestCase):
    def setUp(self):
        super().setUp()
        self.rep1 = self.cloud.add_instance("rep1", replica_of=self.db1)
        self.rep2 = self.cloud.add_instance("rep2", replica_of=self.db1)

    def test_promote_waits_for_the_roles_of_the_whole_set(self):
        self.succeed("instance promote rep1 --wait")
        self.assertIsNone(self.rep1.replica_of)
        self.assertEqual(self.rep1.id, self.db1.replica_of)
        self.assertEqual(self.rep1.id, self.rep2.replica_of)

    def test_a_failed_promote_says_the_state_of_every_member(self):
        self.cloud.fail_promote_candidate()
        result = self.run_line("instance promote rep1 --wait")
        self.assertEqual(1, result.exit_code)
        for instance in (self.db1, self.rep1, self.rep2):
            self.assertRegex(
                result.stderr, rf"{instance.name} \({instance.id}\).* ERROR"
            )

    def test_a_time_out_of_promote_names_commands_that_go_on(self):
        result = self.run_line("instance promote rep1 --wait --timeout 0.5")
        self.assertEqual(124, result.exit_code)
        # The first step waits; the others are for a promote that got stuck.
        commands = self.advised(result)[:2]
        for command in commands:
            self.assertTrue(command.startswith("instance wait "), command)
        for command in commands:
            self.succeed(command)
        self.assertIsNone(self.rep1.replica_of)

    def test_detach_waits_for_the_role_to_go(self):
        self.succeed("instance detach rep1 --wait")
        self.assertIsNone(self.rep1.replica_of)

    def test_eject_waits_for_the_survivors(self):
        self.cloud.host_off(self.db1)
        self.clock.sleep(300)
        self.succeed("instance eject db1 --wait")
        sources = {self.rep1.replica_of, self.rep2.replica_of}
        self.assertIn(None, sources)
        self.assertNotIn(self.db1.id, sources)

    def test_each_action_waits_for_its_own_idea_of_done(self):
        self.cloud.add_instance("alone")
        for line in (
            "instance restart alone --wait",
            "instance resize flavor alone db.medium --wait",
            "instance resize volume db1 9 --wait",
        ):
            self.succeed(line)
        self.assertEqual("11", self.cloud.instance("alone").flavor_id)
        for instance in (self.db1, self.rep1, self.rep2):
            self.assertEqual(9, instance.volume_size, instance.name)

    def test_a_refused_action_is_one_clear_line(self):
        result = self.run_line("instance promote db1 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        self.assertIn("is not a replica", result.stderr)

    def test_all_that_were_accepted_are_waited_for_though_one_was_refused(self):
        alone = self.cloud.add_instance("alone")
        result = self.run_line("instance delete db1 alone --wait")
        self.assertEqual(1, result.exit_code)
        self.assertTrue(alone.deleted)
        self.assertIn("Detach replicas", result.stderr)
        self.assertIn(f"database instance {alone.id} has been", result.stdout)
        self.assertIn("1 of 2", result.stderr)

    def test_unknown_instances_stop_no_others_and_are_all_named(self):
        alone, twin = self.cloud.add_instance("alone"), self.cloud.add_instance("twin")
        self.cloud.add_instance("twin")
        gone = "11111111-2222-4333-8444-555555555555"
        result = self.run_line(f"instance delete nobody alone twin {gone} --wait")
        self.assertEqual(1, result.exit_code)
        self.assertTrue(alone.deleted)
        self.assertFalse(twin.deleted)
        for text in ("nobody", twin.id, gone, "3 of 4 were not deleted"):
            self.assertIn(text, result.stderr)

    def test_unknown_backups_stop_no_others_and_are_all_named(self):
        self.cloud.add_backup("b1", self.db1)
        gone = "11111111-2222-4333-8444-555555555555"
        result = self.run_line(f"backup delete nobody b1 {gone} --wait")
        self.assertEqual(1, result.exit_code)
        self.assertEqual([], self.cloud.live_backups)
        for text in ("nobody", gone, "2 of 3 were not deleted"):
            self.assertIn(text, result.stderr)

    def test_if_all_are_unknown_nothing_is_sent(self):
        gone = "11111111-2222-4333-8444-555555555555"
        for noun in ("instance", "backup"):
            for names in ("nobody", "nobody nothing", gone):
                result = self.run_line(f"{noun} delete {names} --wait")
                self.assertEqual(1, result.exit_code)
                self.assertEqual([], result.requests.changing)

    def test_what_somebody_else_deletes_first_is_deleted(self):
        alone = self.cloud.add_instance("alone")

        def rival(request):
            if request.method == "DELETE":
                alone.deleted = True

        self.cloud.before_request.append(rival)
        self.succeed("instance delete alone --wait")

    def test_a_policy_that_forbids_is_not_a_failed_log_in(self):
        self.cloud.policy_forbid("instance:promote_to_replica_source")
        result = self.run_line("instance promote rep1 --wait")
        self.assertEqual(1, result.exit_code)
        self.assertIn("policy", result.stderr)

    def test_an_answer_lost_on_the_way_is_looked_up(self):
        lost = Fault(
            Kind.RESET_AFTER, 1, lasting=True, only=lambda r: r.path.endswith("/action")
        )
        self.succeed("instance promote rep1 --wait", faults=[lost])
        self.assertIsNone(self.rep1.replica_of)

    def test_a_request_that_never_arrived_is_not_reported_as_done(self):
        lost = Fault(
            Kind.RESET_BEFORE,
            1,
            lasting=True,
            only=lambda r: r.path.endswith("/action"),
        )
        result = self.run_line("instance promote rep1 --wait", faults=[lost])
        self.assertEqual(1, result.exit_code)
        self.assertIn("nothing has acted on it since", result.stderr)


class TestLogIn(HookTestCase):
    def test_a_silent_keystone_does_not_hang_a_command_that_waits(self):
        hang = Fault(Kind.HANG, 1, lasting=True)
        for line in ("instance restart db1 --wait", "instance wait db1"):
            result = self.run_line(line, faults=[hang])
            self.assertEqual(1, result.exit_code)
            self.assertLess(self.clock.monotonic(), 600)


class TestWaitCommands(HookTestCase):
    def test_several_are_polled_together_and_each_is_a_row(self):
        self.cloud.add_instance("db2")
        result = self.succeed("instance wait db1 db2 -f json")
        self.assertEqual(
            [("db1", "ACTIVE/HEALTHY"), ("db2", "ACTIVE/HEALTHY")],
            [(row["Name"], row["Status"]) for row in json.loads(result.stdout)],
        )

    def test_an_id_that_is_gone_has_been_deleted(self):
        gone = "11111111-2222-4333-8444-555555555555"
        self.succeed(f"instance wait {gone} --for deleted")
        self.succeed(f"backup wait {gone} --for deleted")

    def test_a_name_that_is_unknown_stays_an_error(self):
        result = self.run_line("instance wait nobody --for deleted")
        self.assertEqual(1, result.exit_code)

    def test_those_that_are_unknown_stop_no_others_and_are_all_named(self):
        result = self.run_line("instance wait nobody db1 nothing -f json")
        self.assertEqual(1, result.exit_code)
        self.assertEqual(["db1"], [row["Name"] for row in json.loads(result.stdout)])
        self.assertIn("nobody", result.stderr)
        self.assertIn("nothing", result.stderr)
        self.assertIn("2 of 3", result.stderr)

    def test_a_name_that_two_have_stops_no_others_and_is_named_with_the_unknown(self):
        twins = [self.cloud.add_instance("twin") for _ in range(2)]
        for line in ("instance wait twin nobody db1", "instance wait nobody db1 twin"):
            with self.subTest(line):
                result = self.run_line(f"{line} -f json")
                self.assertEqual(1, result.exit_code)
                rows = json.loads(result.stdout)
                self.assertEqual(["db1"], [row["Name"] for row in rows])
                for part in ("nobody", "2 of 3", *(twin.id for twin in twins)):
                    self.assertIn(part, result.stderr)

    def test_one_named_twice_is_a_row_once(self):
        result = self.succeed(f"instance wait db1 {self.db1.id} db1 -f json")
        self.assertEqual(1, len(json.loads(result.stdout)))

    def test_roles_can_be_waited_for(self):
        self.cloud.add_instance("rep", replica_of=self.db1)
        self.succeed("instance wait db1 --for source")
        self.succeed("instance wait rep --for replica-of=db1")
        result = self.run_line("instance wait rep --for detached --timeout 5")
        self.assertEqual(124, result.exit_code)

    def test_an_unknown_goal_is_an_error_of_usage(self):
        self.assertEqual(2, self.run_line("instance wait db1 --for joy").exit_code)
