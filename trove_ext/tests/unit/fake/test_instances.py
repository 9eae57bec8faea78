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

from trove_ext.tests.unit.fake.base import FakeTestCase

MISSING = "00000000-0000-4000-8000-000000000000"


class TestCreate(FakeTestCase):
    def create(self, name="db1", size=1, **kwargs):
        kwargs.setdefault("flavor_id", "10")
        return self.client.instances.create(name, volume={"size": size}, **kwargs)

    def test_builds_and_becomes_healthy(self):
        row = self.create(databases=[{"name": "shop"}])
        self.assertEqual("200", str(self.cloud.log[-1].status))
        self.assertFalse(hasattr(self.client.instances.get(row.id), "addresses"))
        states = self.watch(lambda: self.states_of(row)[0], 60)
        self.assertEqual([("BUILD", ""), ("ACTIVE", "HEALTHY")], states)
        row = self.client.instances.get(row.id)
        self.assertEqual("private", row.addresses[0]["type"])

    def test_failure_is_an_error_with_a_message(self):
        self.cloud.fail_create("db1", "No valid host was found.")
        row = self.create()
        self.clock.sleep(60)
        self.assertEqual([("ERROR", "")], self.states_of(row))
        fault = self.client.instances.get(row.id).fault["message"]
        self.assertEqual(
            f"Failed to create server for instance {row.id}\n"
            "No valid host was found. (HTTP 500)",
            fault,
        )

    def test_one_without_a_server_takes_no_action_and_keeps_its_fault(self):
        self.cloud.fail_create()
        row = self.create()
        self.clock.sleep(1)
        text = self.refused(422, self.client.instances.restart, row.id)
        self.assertEqual(f"Instance {row.id} is not ready.", text)
        fault = self.client.instances.get(row.id).fault["message"]
        self.assertIn("No valid host", fault)
        self.client.instances.delete(row.id)

    def test_hang_ends_in_error_after_thirty_minutes(self):
        self.cloud.hang_create()
        row = self.create()
        self.clock.sleep(1790)
        self.assertEqual([("BUILD", "")], self.states_of(row))
        self.clock.sleep(20)
        self.assertEqual([("ERROR", "")], self.states_of(row))
        fault = self.client.instances.get(row.id).fault
        self.assertEqual("Polling request timed out.", fault["message"])

    def test_refuses_what_trove_refuses(self):
        for code, kwargs in (
            (400, {"size": 0}),
            (400, {"name": "two\nlines"}),
            (400, {"name": "x" * 256}),
            (400, {"flavor_id": "99"}),
            (400, {"nics": [{"net-id": MISSING}, {"net-id": MISSING}]}),
            (400, {"users": [{"name": "bob"}]}),
            (404, {"datastore": "oracle"}),
            (400, {"datastore": "mysql", "datastore_version": "4.1"}),
            (400, {"replica_count": 2}),
            (413, {"size": 1000}),
            (404, {"restorePoint": {"backupRef": MISSING}}),
            (404, {"datastore": "mysql", "datastore_version": MISSING}),
            (500, {"configuration": MISSING}),
        ):
            with self.subTest(**kwargs):
                self.refused(code, self.create, **kwargs)
        self.assertEqual([], self.cloud.live_instances)

    def test_quota_is_413(self):
        self.cloud.quotas["instances"] = 0
        text = self.refused(413, self.create)
        self.assertEqual("Quota exceeded for resources: ['instances'].", text)


class TestDelete(FakeTestCase):
    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1")

    def test_goes_through_shutdown_to_404(self):
        self.client.instances.delete(self.db.id)
        self.assertEqual([("SHUTDOWN", "")], self.states_of(self.db))
        self.clock.sleep(20)
        text = self.refused(404, self.client.instances.get, self.db.id)
        self.assertEqual(f"Resource {self.db.id} cannot be found.", text)

    def test_source_with_replicas_is_403(self):
        self.cloud.add_instance("r", replica_of=self.db)
        text = self.refused(403, self.client.instances.delete, self.db.id)
        self.assertEqual("Detach replicas before deleting replica source.", text)

    def test_building_one_is_422(self):
        row = self.client.instances.create("n", flavor_id="10", volume={"size": 1})
        text = self.refused(422, self.client.instances.delete, row.id)
        self.assertIn("is not ready. (Status is BUILD).", text)

    def test_force_needs_an_admin_for_the_reset(self):
        row = self.client.instances.create("n", flavor_id="10", volume={"size": 1})
        self.refused(403, self.client.instances.force_delete, row.id)
        self.cloud.admin = True
        self.client.instances.force_delete(row.id)
        self.clock.sleep(20)
        self.refused(404, self.client.instances.get, row.id)

    def test_reset_fails_running_backups(self):
        backup = self.client.backups.create("b", self.db.id)
        self.cloud.host_off(self.db)
        self.clock.sleep(60)
        self.assertEqual("NEW", self.client.backups.get(backup.id).status)
        self.cloud.admin = True
        self.client.instances.reset_status(self.db.id)
        self.assertEqual("FAILED", self.client.backups.get(backup.id).status)


class TestList(FakeTestCase):
    """The section "Listing instances"."""

    def setUp(self):
        super().setUp()
        self.all = [self.cloud.add_instance(f"db{n}") for n in range(45)]

    def test_has_at_most_twenty_a_page_whatever_the_limit(self):
        page = self.client.instances.list(limit=1000)
        self.assertEqual(20, len(page))

    def test_marker_is_the_last_id_and_pages_do_not_overlap(self):
        seen, marker = [], None
        while True:
            page = self.client.instances.list(marker=marker)
            seen += [row.id for row in page]
            marker = page.next
            if not marker:
                break
            self.assertEqual(max(row.id for row in page), marker)
        self.assertEqual(sorted(i.id for i in self.all), sorted(seen))
        self.assertEqual(3, len(self.cloud.log.to_trove("GET")))

    def test_detailed_rows_have_the_fault(self):
        self.cloud.blame(self.all[0], "broken")
        rows = []
        marker = None
        for _ in range(3):
            page = self.client.instances.list(detailed=True, marker=marker)
            rows, marker = rows + list(page), page.next
        faults = [r.fault["message"] for r in rows if hasattr(r, "fault")]
        self.assertEqual(["broken"], faults)


class TestActions(FakeTestCase):
    """The tables "done" and "Ready"."""

    def setUp(self):
        super().setUp()
        self.db = self.cloud.add_instance("db1")

    def seen(self, seconds=120):
        return self.watch(lambda: self.states_of(self.db)[0], seconds)

    def test_restart(self):
        self.client.instances.restart(self.db.id)
        self.assertEqual([("REBOOT", ""), ("ACTIVE", "HEALTHY")], self.seen())

    def test_restart_starts_a_dead_database(self):
        self.cloud.kill_database(self.db)
        self.assertEqual([("ACTIVE", "SHUTDOWN")], self.states_of(self.db))
        self.client.instances.restart(self.db.id)
        self.assertEqual(("ACTIVE", "HEALTHY"), self.seen()[-1])

    def test_reboot_and_rebuild_are_the_admin_s(self):
        text = self.refused(401, self.client.mgmt_instances.reboot, self.db.id)
        self.assertEqual("User does not have admin privileges.", text)
        self.cloud.admin = True
        self.client.mgmt_instances.reboot(self.db.id)
        self.assertEqual(("REBOOT", ""), self.seen()[0])
        self.client.mgmt_instances.rebuild(self.db.id, MISSING)
        self.assertEqual([("BUILD", ""), ("ACTIVE", "HEALTHY")], self.seen())

    def test_resize_of_the_flavor_shows_the_new_one_at_the_end(self):
        self.client.instances.resize_instance(self.db.id, "11")
        row = self.client.instances.get(self.db.id)
        self.assertEqual(("RESIZE", "10"), (row.status, row.flavor["id"]))
        self.clock.sleep(60)
        row = self.client.instances.get(self.db.id)
        self.assertEqual(("ACTIVE", "11"), (row.status, row.flavor["id"]))

    def test_same_or_unknown_flavor_is_400(self):
        resize = self.client.instances.resize_instance
        self.refused(400, resize, self.db.id, "10")
        self.refused(400, resize, self.db.id, "99")

    def test_failed_resize_is_active_again_with_the_old_flavor(self):
        self.cloud.knobs.resize["*"] = "No valid host"
        self.client.instances.resize_instance(self.db.id, "11")
        self.assertEqual(("ACTIVE", "HEALTHY"), self.seen()[-1])
        row = self.client.instances.get(self.db.id)
        self.assertEqual(
            ("10", "No valid host"), (row.flavor["id"], row.fault["message"])
        )

    def test_resize_of_a_source_s_volume_also_resizes_its_replicas(self):
        replica = self.cloud.add_instance("r", replica_of=self.db)
        self.client.instances.resize_volume(self.db.id, 9)
        states = self.states_of(self.db, replica)
        self.assertEqual([("RESIZE", ""), ("RESIZE", "")], states)
        self.clock.sleep(60)
        for row in (self.db, replica):
            self.assertEqual(9, self.client.instances.get(row.id).volume["size"])

    def test_smaller_volume_is_400(self):
        self.refused(400, self.client.instances.resize_volume, self.db.id, 5)

    def test_upgrade_shows_the_new_version_before_it_is_done(self):
        self.client.instances.upgrade(self.db.id, "5.7.40")
        row = self.client.instances.get(self.db.id)
        self.assertEqual(("UPGRADE", "5.7.40"), (row.status, row.datastore["version"]))
        self.assertEqual(("ACTIVE", "HEALTHY"), self.seen()[-1])

    def test_failed_upgrade_keeps_the_new_version_and_has_no_fault(self):
        self.cloud.knobs.upgrade["*"] = "pull failed"
        self.client.instances.upgrade(self.db.id, "5.7.40")
        self.clock.sleep(120)
        row = self.client.instances.get(self.db.id)
        self.assertEqual(("ERROR", "5.7.40"), (row.status, row.datastore["version"]))
        self.assertFalse(hasattr(row, "fault"))

    def test_access_is_changed_by_a_hidden_task(self):
        self.client.instances.update(self.db.id, is_public=True)
        self.assertEqual([("ACTIVE", ""), ("ACTIVE", "HEALTHY")], self.seen())

    def test_empty_update_detaches_the_configuration(self):
        group = self.cloud.add_configuration("big", max_connections=500)
        self.client.instances.update(self.db.id, configuration=group.id)
        row = self.client.instances.get(self.db.id)
        self.assertEqual(group.id, row.configuration["id"])
        self.client.instances.update(self.db.id)
        self.assertFalse(
            hasattr(self.client.instances.get(self.db.id), "configuration")
        )

    def test_action_on_a_busy_instance_is_422_and_overwrites_the_fault(self):
        self.cloud.blame(self.db, "the real reason")
        self.client.instances.restart(self.db.id)
        text = self.refused(422, self.client.instances.restart, self.db.id)
        self.assertIn("(task status was REBOOTING)", text)
        fault = self.client.instances.get(self.db.id).fault["message"]
        self.assertNotIn("the real reason", fault)

    def test_dead_host_is_error_after_the_expiry_and_slow_to_show(self):
        self.cloud.host_off(self.db)
        self.assertEqual([("ACTIVE", "HEALTHY")], self.states_of(self.db))
        self.clock.sleep(90)
        before = self.clock.monotonic()
        self.assertEqual([("ACTIVE", "ERROR")], self.states_of(self.db))
        self.assertGreater(self.clock.monotonic() - before, 5)

    def test_plain_user_sees_no_server_and_no_trace(self):
        self.cloud.blame(self.db, "broken")
        row = self.client.instances.get(self.db.id)
        self.assertIsNone(row.fault["details"])
        self.assertFalse(hasattr(row, "server_id"))


class TestCatalog(FakeTestCase):
    def test_plain_user_reads_the_own_quota(self):
        self.cloud.add_instance("db1")
        rows = {q.resource: q for q in self.client.quota.show(self.cloud.project_id)}
        self.assertEqual((1, 50), (rows["instances"].in_use, rows["instances"].limit))
        self.refused(403, self.client.quota.show, "other")

    def test_flavor_without_a_number_has_its_id_as_text_only(self):
        rows = {f.name: f for f in self.client.flavors.list()}
        self.assertEqual(10, rows["db.small"].id)
        self.assertIsNone(rows["db.large"]._info["id"])
        self.assertTrue(rows["db.large"].str_id)

    def test_datastores_versions_configurations_and_limits(self):
        names = {d.name for d in self.client.datastores.list()}
        self.assertEqual({"mysql", "mariadb", "postgresql"}, names)
        rows = self.client.datastore_versions.list("mysql")
        self.assertEqual(["5.7.29", "5.7.40"], [v.name for v in rows])
        group = self.cloud.add_configuration("big", max_connections=500)
        values = self.client.configurations.get(group.id).values
        self.assertEqual({"max_connections": 500}, values)
        self.assertEqual(50, self.client.limits.list()[0].max_backups)
