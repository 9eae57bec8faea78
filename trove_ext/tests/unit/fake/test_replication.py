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

from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.unit.fake.base import FakeTestCase


class TestReplicaCreate(FakeTestCase):
    """The table "Replica create"."""

    def setUp(self):
        super().setUp()
        self.source = self.cloud.add_instance("src", databases=("shop",))

    def create(self, **kwargs):
        return self.client.instances.create("rep", replica_of=self.source.id, **kwargs)

    def snapshots(self):
        rows = self.client.backups.list(limit=100)
        return [b for b in rows if b.name.startswith("Replication snapshot for ")]

    def test_source_is_in_backup_and_a_snapshot_comes_and_goes(self):
        row = self.create()
        source = self.watch(lambda: self.states_of(self.source)[0], 30)
        self.assertEqual([("BACKUP", "HEALTHY"), ("ACTIVE", "HEALTHY")], source)
        (snapshot,) = self.snapshots()
        self.assertEqual("COMPLETED", snapshot.status)
        self.assertEqual(f"Replication snapshot for {row.id}", snapshot.name)
        self.assertEqual([("BUILD", "")], self.states_of(row))
        self.clock.sleep(40)
        self.assertEqual([("ACTIVE", "HEALTHY")], self.states_of(row))
        self.assertEqual([], self.snapshots())
        databases = self.client.databases.list(row.id)
        self.assertEqual(["shop"], [d.name for d in databases])
        replicas = self.client.instances.get(self.source.id).replicas
        self.assertEqual([row.id], [r["id"] for r in replicas])

    def test_snapshot_takes_an_incremental_made_meanwhile_with_it(self):
        self.create()
        self.clock.sleep(23)
        (snapshot,) = self.snapshots()
        mine = self.client.backups.create("mine", self.source.id, incremental=True)
        self.assertEqual(snapshot.id, mine.parent_id)
        self.clock.sleep(40)
        self.refused(404, self.client.backups.get, mine.id)

    def test_snapshot_is_incremental_where_there_is_a_backup(self):
        full = self.cloud.add_backup("full", self.source)
        self.create()
        self.assertEqual(full.id, self.snapshots()[0].parent_id)

    def test_what_older_guides_give_is_400(self):
        for kwargs, word in (
            ({"flavor_id": "10"}, "flavor"),
            ({"volume": {"size": 5}}, "volume"),
            ({"datastore": "mysql"}, "datastore"),
            ({"locality": "affinity"}, "locality"),
        ):
            with self.subTest(**kwargs):
                text = self.refused(400, self.create, **kwargs)
                self.assertEqual(f"Cannot specify {word} when creating replicas.", text)

    def test_users_and_databases_are_400(self):
        self.refused(400, self.create, databases=[{"name": "x"}])

    def test_address_in_the_nic_is_400(self):
        nic = {"net-id": self.source.network_id, "ip_address": "10.0.0.9"}
        self.refused(400, self.create, nics=[nic])

    def test_replica_of_a_replica_is_401_and_is_sent_twice(self):
        replica = self.cloud.add_instance("r", replica_of=self.source)
        text = self.refused(
            401, self.client.instances.create, "rr", replica_of=replica.id
        )
        self.assertEqual(f"Cannot create a replica of a replica {replica.id}", text)
        self.assertEqual(2, len(self.cloud.log.changing))

    def test_busy_source_is_422(self):
        self.client.instances.restart(self.source.id)
        self.refused(422, self.create)

    def test_count_is_one_to_three(self):
        for count in (4, -1):
            self.refused(400, self.create, replica_count=count)

    def test_several_get_numbers_and_only_the_last_is_in_the_response(self):
        row = self.create(replica_count=3)
        self.assertEqual("rep-3", row.name)
        names = {i.name for i in self.cloud.live_instances}
        self.assertEqual({"src", "rep-1", "rep-2", "rep-3"}, names)
        self.assertEqual(2, self.cloud.usage["instances"])

    def test_missing_backup_quota_is_found_late(self):
        self.cloud.quotas["backups"] = 0
        row = self.create()
        self.clock.sleep(10)
        self.assertEqual([("ERROR", "")], self.states_of(row))
        fault = self.client.instances.get(self.source.id).fault["message"]
        self.assertIn("Error creating replication snapshot", fault)
        self.clock.sleep(3600)
        self.assertEqual([("BACKUP", "HEALTHY")], self.states_of(self.source))

    def test_failed_snapshot_leaves_the_others_in_build(self):
        self.cloud.knobs.snapshot["src"] = "no Swift"
        self.create(replica_count=3)
        self.clock.sleep(3600)
        states = self.states_of(*[self.cloud.instance(f"rep-{n}") for n in (1, 2, 3)])
        self.assertEqual([("ERROR", ""), ("BUILD", ""), ("BUILD", "")], states)

    def test_inherits_the_configuration_but_no_access(self):
        group = self.cloud.add_configuration("big")
        self.source.configuration_id = group.id
        self.source.access = {"is_public": True}
        row = self.create()
        self.clock.sleep(80)
        row = self.client.instances.get(row.id)
        self.assertEqual(group.id, row.configuration["id"])
        self.assertEqual({"is_public": False}, row.access)


class TestReplication(FakeTestCase):
    """What proves replication, and what does not."""

    def setUp(self):
        super().setUp()
        self.source = self.cloud.add_instance("src")
        self.replica = self.cloud.add_instance("rep", replica_of=self.source)

    def probe(self):
        self.client.databases.create(self.source.id, [{"name": "probe"}])
        self.clock.sleep(1)
        return [d.name for d in self.client.databases.list(self.replica.id)]

    def test_database_made_on_the_source_shows_on_the_replica(self):
        self.assertEqual(["probe"], self.probe())
        self.client.databases.delete(self.source.id, "probe")
        self.clock.sleep(1)
        self.assertEqual([], list(self.client.databases.list(self.replica.id)))

    def test_stopped_replication_shows_in_no_status(self):
        self.cloud.stop_replication(self.replica)
        self.assertEqual([("ACTIVE", "HEALTHY")], self.states_of(self.replica))
        self.assertEqual([], self.probe())

    def test_detach(self):
        self.client.instances.update(self.replica.id, detach_replica_source=True)
        states = self.watch(lambda: self.states_of(self.replica)[0], 20)
        self.assertEqual([("DETACH", ""), ("ACTIVE", "HEALTHY")], states)
        self.assertIsNone(self.source_of(self.replica))

    def test_failed_detach_also_returns_to_active(self):
        self.cloud.knobs.detach["rep"] = "cannot stop"
        self.client.instances.update(self.replica.id, detach_replica_source=True)
        self.clock.sleep(20)
        self.assertEqual([("ACTIVE", "HEALTHY")], self.states_of(self.replica))
        self.assertEqual(self.source.id, self.source_of(self.replica))

    def test_detach_of_no_replica_is_400(self):
        update = self.client.instances.update
        self.refused(400, update, self.source.id, detach_replica_source=True)


class TestPromote(FakeTestCase):
    """The table "Promote, eject, detach", and the failures."""

    def setUp(self):
        super().setUp()
        self.source = self.cloud.add_instance("src")
        self.one = self.cloud.add_instance("one", replica_of=self.source)
        self.two = self.cloud.add_instance("two", replica_of=self.source)
        self.all = (self.source, self.one, self.two)

    def promote(self):
        self.client.instances.promote_to_replica_source(self.one.id)

    def roles(self):
        return tuple(self.source_of(i) for i in self.all)

    def test_all_are_in_promote_while_roles_change_one_by_one(self):
        self.promote()
        self.assertEqual([("PROMOTE", "")] * 3, self.states_of(*self.all))
        old, new = self.source.id, self.one.id
        self.assertEqual(
            [
                (None, old, old),
                (None, None, old),
                (None, None, None),
                (None, None, new),
                (new, None, new),
            ],
            self.watch(self.roles, 60, 0.1),
        )
        self.assertEqual([("ACTIVE", "HEALTHY")] * 3, self.states_of(*self.all))

    def test_of_no_replica_is_400_and_of_a_busy_one_422(self):
        promote = self.client.instances.promote_to_replica_source
        text = self.refused(400, promote, self.source.id)
        self.assertEqual(f"Instance {self.source.id} is not a replica.", text)
        self.client.instances.restart(self.one.id)
        self.refused(422, promote, self.one.id)

    def test_candidate_that_can_not_catch_up_puts_all_in_error(self):
        self.cloud.fail_promote_candidate()
        self.promote()
        self.clock.sleep(300)
        self.assertEqual([("ERROR", "")] * 3, self.states_of(*self.all))
        faults = [hasattr(self.client.instances.get(i.id), "fault") for i in self.all]
        self.assertEqual([False, True, False], faults)
        self.assertTrue(self.source.read_only)

    def test_reset_shows_healthy_but_the_source_stays_read_only(self):
        self.cloud.fail_promote_candidate()
        self.promote()
        self.clock.sleep(300)
        self.cloud.admin = True
        self.client.instances.reset_status(self.source.id)
        self.clock.sleep(5)
        self.assertEqual([("ACTIVE", "HEALTHY")], self.states_of(self.source))
        self.assertTrue(self.source.read_only)

    def test_stopped_replication_can_not_catch_up(self):
        self.cloud.stop_replication(self.one)
        self.promote()
        self.clock.sleep(300)
        self.assertEqual([("ERROR", "")] * 3, self.states_of(*self.all))

    def test_sibling_that_can_not_attach_is_in_error_without_a_fault(self):
        self.cloud.fail_promote_sibling("two")
        self.promote()
        states = self.watch(lambda: self.states_of(self.two)[0], 60, 0.3)
        # Trove clears the task before it stores the failure.
        self.assertEqual(
            [("PROMOTE", ""), ("ACTIVE", "HEALTHY"), ("ERROR", "")], states
        )
        self.assertIsNone(self.source_of(self.two))
        self.assertFalse(hasattr(self.client.instances.get(self.two.id), "fault"))
        fault = self.client.instances.get(self.one.id).fault["message"]
        self.assertIn("may not have been switched", fault)

    def test_dead_source_puts_all_in_error_and_eject_then_works(self):
        self.cloud.host_off(self.source)
        self.promote()
        self.clock.sleep(100)
        rows = self.states_of(*self.all)
        self.assertEqual([("ERROR", "")] * 3, rows)
        self.client.instances.eject_replica_source(self.source.id)
        self.clock.sleep(60)
        rows = self.states_of(*self.all)
        self.assertEqual([("ACTIVE", "ERROR")] + [("ACTIVE", "HEALTHY")] * 2, rows)

    def test_restart_of_trove_leaves_it_in_promote(self):
        self.promote()
        self.clock.sleep(6)
        self.cloud.restart_trove()
        self.clock.sleep(3600)
        self.assertEqual([("PROMOTE", "")] * 3, self.states_of(*self.all))

    def test_action_in_error_is_422(self):
        self.cloud.fail_promote_candidate()
        self.promote()
        self.clock.sleep(300)
        self.refused(422, self.client.instances.restart, self.two.id)

    def test_policy_may_forbid_it(self):
        self.cloud.policy_forbid("instance:promote_to_replica_source")
        self.refused(403, self.promote)

    def test_eject_of_a_living_source_is_400_even_with_a_dead_database(self):
        self.cloud.kill_database(self.source)
        self.clock.sleep(1000)
        eject = self.client.instances.eject_replica_source
        text = self.refused(400, eject, self.source.id)
        self.assertIn("cannot be ejected as it has a current heartbeat", text)

    def test_eject_of_no_source_is_400(self):
        self.refused(400, self.client.instances.eject_replica_source, self.one.id)

    def test_eject_picks_a_source_and_leaves_the_old_one_without_a_role(self):
        self.cloud.stop_replication(self.one)
        self.cloud.host_off(self.source)
        self.clock.sleep(100)
        self.client.instances.eject_replica_source(self.source.id)
        self.assertEqual([("EJECT", "")] * 3, self.states_of(*self.all))
        self.clock.sleep(60)
        self.assertEqual((None, self.two.id, None), self.roles())
        self.assertEqual([("ACTIVE", "ERROR")], self.states_of(self.source))

    def test_promote_while_a_sibling_s_backup_runs_is_accepted(self):
        self.client.backups.create("b", self.two.id)
        self.promote()
        self.assertEqual(BackupState.NEW, self.cloud.backup("b").state)
