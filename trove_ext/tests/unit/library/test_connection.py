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

"""Each job of the library, against a real client over a fake Trove."""

import contextlib
import io
from datetime import timedelta
from unittest import mock

import trove_ext
from trove_ext import EventKind
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import make_session
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.library.connected import LibraryTestCase
from trove_ext.tests.unit.workflows.verifications import Server


class ConnectionTestCase(LibraryTestCase):
    def setUp(self):
        super().setUp()
        self.trove = self.connect(progress=self.events.append)

    def names(self):
        return {backup.name for backup in self.fake.live_backups}


@shows(Promise.LIBRARY)
class TestBackups(ConnectionTestCase):
    def test_a_full_backup_is_waited_for(self):
        made = self.trove.create_backup("db1", "nightly", description="by hand")
        self.assertEqual("COMPLETED", made.status)
        self.assertIsNone(made.parent_id)
        self.assertEqual("by hand", self.fake.backups[made.id].description)

    def test_an_incremental_builds_on_the_newest_that_can_be_restored(self):
        self.clock.advance(60)
        broken = self.fake.add_backup("broken", self.db1)
        broken.state = BackupState.FAILED
        made = self.trove.create_backup(
            self.trove.find_instance("db1"), "i", incremental=True
        )
        self.assertEqual(self.incremental.id, made.parent_id)

    def test_an_incremental_builds_on_the_parent_that_is_given(self):
        made = self.trove.create_backup(
            "db1", "i", parent=self.trove.find_backup("full")
        )
        self.assertEqual(self.full.id, made.parent_id)

    def test_an_incremental_without_anything_to_build_on_is_refused(self):
        self.fake.add_instance("new")
        error = self.assertRaises(
            trove_ext.CheckError,
            self.trove.create_backup,
            "new",
            "i",
            incremental=True,
        )
        self.assertEqual(
            ("it has no backup to build on; take a full one",), error.problems
        )
        self.assertEqual([], self.changes())

    def test_a_parent_of_another_instance_is_refused(self):
        self.fake.add_instance("new")
        self.assertRaises(
            trove_ext.CheckError, self.trove.create_backup, "new", "i", parent="full"
        )
        self.assertEqual([], self.changes())

    def test_without_wait_it_returns_at_once(self):
        made = self.trove.create_backup("db1", "nightly", wait=False)
        self.assertIn(made.status, {"NEW", "BUILDING"})
        (done,) = self.trove.wait_for_backups(made)
        self.assertEqual("COMPLETED", done.status)

    def test_a_second_backup_at_the_same_time_is_busy(self):
        self.trove.create_backup("db1", "nightly", wait=False)
        self.assertRaises(
            trove_ext.BusyError, self.trove.create_backup, "db1", "another"
        )

    def test_a_timeout_carries_the_backup_and_what_was_sent(self):
        self.fake.timings.backup = 1000
        error = self.assertRaises(
            trove_ext.WaitTimeoutError,
            self.trove.create_backup,
            "db1",
            "nightly",
            timeout=5,
        )
        self.assertEqual("nightly", error.result.name)
        self.assertTrue(error.result.is_running)
        self.assertEqual(("creation of backup nightly",), error.sent)

    def test_each_call_has_a_time_of_its_own(self):
        self.fake.timings.backup = 20
        for name in ("a", "b", "c"):
            self.trove.create_backup("db1", name, timeout=60)
            self.clock.advance(100)

    def test_chains_are_read(self):
        (chain,) = self.trove.list_backup_chains()
        self.assertEqual((self.full.id, 2), (chain.root.id, chain.count))
        self.assertEqual([chain], self.trove.list_backup_chains("db1"))
        members = self.trove.show_backup_chain("inc")
        self.assertEqual(["full", "inc"], [each.backup.name for each in members])

    def test_backups_are_listed(self):
        self.fake.add_backup("other", self.fake.add_instance("db9"))
        self.assertEqual(3, len(self.trove.list_backups()))
        listed = self.trove.list_backups("db1")
        self.assertEqual({"full", "inc"}, {each.name for each in listed})


class TestPostgres(ConnectionTestCase):
    """A backup that would restore without its rows is refused."""

    def setUp(self):
        super().setUp()
        self.pg = self.fake.add_instance("pg", datastore="postgresql")

    def refused(self, trove=None, instance="pg", **kwargs):
        trove = trove or self.trove
        error = self.assertRaises(
            trove_ext.CheckError, trove.create_backup, instance, "b", **kwargs
        )
        self.assertEqual([], self.changes())
        return "".join(error.problems)

    def test_an_incremental_builds_on_the_newest_backup_only(self):
        self.fake.add_backup("pg-full", self.pg)
        self.clock.sleep(60)
        newest = self.fake.add_backup("pg-newest", self.pg)
        self.assertIn("pg-newest", self.refused(parent="pg-full"))
        made = self.trove.create_backup("pg", "i", incremental=True)
        self.assertEqual(newest.id, made.parent_id)

    def test_an_incremental_on_a_failed_newest_backup_is_refused(self):
        self.fake.add_backup("pg-full", self.pg)
        self.clock.sleep(60)
        self.fake.add_backup("pg-newest", self.pg).state = BackupState.FAILED
        self.refused(incremental=True)

    def test_a_replica_is_not_backed_up(self):
        self.fake.add_instance("pg2", datastore="postgresql", replica_of=self.pg)
        self.assertIn("takes no writes", self.refused(instance="pg2"))

    def test_the_plan_of_a_promote_has_its_risks(self):
        self.fake.add_instance("pg2", datastore="postgresql", replica_of=self.pg)
        self.assertIn("LOST", "".join(self.trove.plan_promote_replica("pg2").risks))
        self.add_replicas()
        self.assertEqual((), self.trove.plan_promote_replica("db2").risks)

    def test_the_engine_can_be_given(self):
        self.fake.add_backup("newest", self.db1)
        trove = self.connect(engine="postgresql")
        self.assertIn("newest", self.refused(trove, "db1", parent="inc"))
        self.assertRaises(ValueError, self.connect, engine="oracle")

    def test_a_rotation_takes_incrementals_only_if_asked_to(self):
        self.fake.add_backup("pg-full", self.pg)
        self.clock.sleep(7200)
        (row,) = self.trove.rotate_backups("pg")
        self.assertIsNone(row.backup.parent_id)
        self.clock.sleep(7200)
        (row,) = self.trove.rotate_backups("pg", incremental=True)
        self.assertIsNotNone(row.backup.parent_id)


@shows(Promise.LIBRARY)
class TestDelete(ConnectionTestCase):
    def test_the_plan_lists_the_dependents_and_changes_nothing(self):
        plan = self.trove.plan_delete_backups("full")
        self.assertEqual(["inc"], [each.name for each in plan.dependents])
        self.assertEqual([], self.changes())
        rows = self.trove.delete_backups(plan)
        self.assertTrue(all(row.gone for row in rows))
        self.assertEqual(set(), self.names())

    def test_a_backup_that_was_added_since_the_plan_stops_it(self):
        plan = self.trove.plan_delete_backups("full")
        self.fake.add_backup("late", self.db1, parent=self.full)
        self.assertRaises(trove_ext.CheckError, self.trove.delete_backups, plan)
        self.assertEqual({"full", "inc", "late"}, self.names())

    def test_a_running_dependent_stops_the_plan(self):
        self.trove.create_backup("db1", "late", parent="full", wait=False)
        self.assertRaises(trove_ext.CheckError, self.trove.plan_delete_backups, "full")

    def test_without_wait_the_rows_are_accepted(self):
        plan = self.trove.plan_delete_backups("inc")
        (row,) = self.trove.delete_backups(plan, wait=False)
        self.assertEqual("accepted", row.result)
        self.assertEqual((), self.trove.wait_for_backups("inc", until="deleted"))


@shows(Promise.LIBRARY)
class TestRetention(ConnectionTestCase):
    def test_the_plan_says_why_and_is_carried_out(self):
        self.clock.advance(86400)
        last = self.trove.create_backup("db1", "last")
        plan = self.trove.plan_prune_backups(
            "db1", policy=trove_ext.Policy(keep_last=1)
        )
        self.assertEqual({"full", "inc"}, {each.name for each in plan.deletions})
        self.assertEqual({last.id}, {row.backup.id for row in plan.rows if row.keep})
        rows = self.trove.prune_backups(plan)
        self.assertEqual({"kept", "deleted"}, {row.result for row in rows})
        self.assertEqual({"last"}, self.names())

    def test_all_instances_have_to_be_asked_for(self):
        policy = trove_ext.Policy(keep_last=1)
        self.assertRaises(ValueError, self.trove.plan_prune_backups, policy=policy)
        self.trove.plan_prune_backups(policy=policy, all_instances=True)

    def test_a_policy_that_keeps_nothing_is_refused(self):
        self.assertRaises(
            ValueError, self.trove.plan_prune_backups, "db1", policy=trove_ext.Policy()
        )

    def test_a_rotation_backs_up_and_prunes(self):
        self.clock.advance(86400)
        (row,) = self.trove.rotate_backups(
            "db1", policy=trove_ext.Policy(keep_last=1), full_every=timedelta(hours=1)
        )
        self.assertEqual("COMPLETED", row.backup.status)
        self.assertEqual({row.backup.name}, self.names())

    def test_a_rotation_verifies_the_first_backup_of_a_period(self):
        self.clock.advance(86400)
        found = []
        for _ in range(2):
            (row,) = self.trove.rotate_backups(
                "db1", min_age=timedelta(0), verify_each="year"
            )
            found.append("verified: restored" in row.note)
            self.clock.advance(60)
        self.assertEqual([True, False], found)
        self.assertEqual([self.db1], self.fake.live_instances)

    def test_a_rotation_fails_if_its_backup_has_other_data(self):
        self.clock.advance(86400)
        questions = [trove_ext.Question("SELECT count(*) FROM shop.t", "301")]
        with mock.patch("pymysql.connect", Server(self.fake).connect):
            error = self.assertRaises(
                trove_ext.PartialFailureError,
                *(self.trove.rotate_backups, "db1"),
                verify_each="day",
                questions=questions,
            )
        self.assertIn("expected 301, found 300", str(error))
        self.assertEqual([self.db1], self.fake.live_instances)

    def test_what_a_rotation_verifies_is_checked_first(self):
        for wrong in ({"verify_each": "night"}, {"query_database": "shop"}):
            self.assertRaises(ValueError, self.trove.rotate_backups, "db1", **wrong)
        ask = {"verify_each": "day", "questions": (trove_ext.Question("SELECT", "2"),)}
        with mock.patch.dict("sys.modules", {"pymysql": None}):
            self.assertRaises(
                trove_ext.CheckError, self.trove.rotate_backups, "db1", **ask
            )
        self.assertEqual([], self.changes())

    def test_a_rotation_that_fails_carries_every_row(self):
        error = self.assertRaises(
            trove_ext.PartialFailureError, self.trove.rotate_backups, "db1", "none"
        )
        self.assertEqual([True, False], [row.error is None for row in error.result])

    def test_a_check_is_a_verdict_and_no_error(self):
        self.clock.advance(86400)
        good, bad = self.trove.check_backups("db1", "none", max_age=timedelta(days=2))
        self.assertIsNone(good.problem)
        self.assertIsNotNone(bad.problem)

    def test_an_age_may_be_a_warning(self):
        self.clock.advance(86400)
        limits = {"max_age": timedelta(days=2), "warning": timedelta(hours=1)}
        (verdict,) = self.trove.check_backups("db1", **limits)
        self.assertIn("1h is the limit", verdict.problem)

    def test_all_instances_are_checked_and_rotated_without_their_names(self):
        self.fake.add_instance("rep", replica_of=self.db1)
        self.fake.add_instance("test-1")
        every = trove_ext.Selection(exclude=("test-*",))
        (row,) = self.trove.rotate_backups(selection=every, prefer_replica=True)
        self.assertEqual("rep", row.found.name)
        (verdict,) = self.trove.check_backups(
            selection=every, max_age=timedelta(hours=1)
        )
        self.assertEqual(("db1", None), (verdict.name, verdict.problem))

    def test_instances_and_a_selection_exclude_each_other(self):
        every = trove_ext.Selection()
        for names, given in (((), None), (("db1",), every)):
            self.assertRaises(
                ValueError, self.trove.rotate_backups, *names, selection=given
            )
            self.assertRaises(
                ValueError,
                self.trove.check_backups,
                *names,
                selection=given,
                max_age=timedelta(1),
            )


@shows(Promise.LIBRARY)
class TestRestore(ConnectionTestCase):
    def test_the_plan_is_checked_and_then_carried_out(self):
        plan = self.trove.plan_restore_backup("inc", "db1-copy")
        self.assertEqual(["full", "inc"], [each.name for each in plan.path])
        self.assertEqual([], self.changes())
        made = self.trove.restore_backup(plan)
        self.assertEqual(("db1-copy", "ACTIVE/HEALTHY"), (made.name, made.state))

    def test_options_replace_the_settings_of_the_old_instance(self):
        options = trove_ext.RestoreOptions(size=9)
        plan = self.trove.plan_restore_backup("inc", "db1-copy", options)
        self.assertEqual(9, plan.settings.size)

    def test_a_broken_chain_is_refused_with_the_reasons(self):
        self.full.state = BackupState.FAILED
        error = self.assertRaises(
            trove_ext.CheckError, self.trove.plan_restore_backup, "inc", "db1-copy"
        )
        self.assertEqual(1, len(error.problems))

    def test_the_newest_backup_before_a_time_is_found(self):
        self.clock.advance(60)
        now = self.clock.now()
        later = self.fake.add_backup("later", self.db1, created=now)
        find = self.trove.newest_backup
        self.assertEqual(later.id, find("db1").id)
        self.assertEqual(later.id, find(self.db1.id, full=True).id)
        before = now - timedelta(hours=1)
        self.assertRaises(trove_ext.CheckError, find, "db1", before=before)
        self.assertRaises(ValueError, find, "db1", before=before.replace(tzinfo=None))

    def test_a_restore_that_fails_carries_the_instance(self):
        self.fake.fail_restore()
        plan = self.trove.plan_restore_backup("inc", "db1-copy")
        error = self.assertRaises(
            trove_ext.ResourceFailedError, self.trove.restore_backup, plan
        )
        self.assertEqual("db1-copy", error.result.name)
        self.assertEqual("ERROR", error.result.status)

    def test_a_verification_deletes_its_instance(self):
        verification = self.trove.verify_backup("inc", databases=["shop"])
        self.assertEqual("databases checked", verification.steps[-1].result)
        self.assertEqual({"db1"}, {each.name for each in self.fake.live_instances})

    def test_a_backup_is_registered_in_another_region_once(self):
        two = FakeCloud(self.clock, seed=2)
        server_of(self.fake).add_region("RegionTwo", two)
        trove = self.connect()
        made = [trove.register_backup("full", "RegionTwo") for _ in range(2)]
        (row,) = two.live_backups
        self.assertEqual([row.id] * 2, [each.id for each in made])
        self.assertEqual(1, len(self.changes()))

    def test_a_backup_that_can_not_be_registered_is_refused(self):
        error = self.assertRaises(
            trove_ext.CheckError, self.trove.register_backup, "inc", "RegionThree"
        )
        self.assertEqual(2, len(error.problems))
        self.assertEqual([], self.changes())

    def test_a_verification_that_fails_carries_its_steps(self):
        error = self.assertRaises(
            trove_ext.ResourceFailedError,
            self.trove.verify_backup,
            "inc",
            databases=["other"],
        )
        self.assertEqual("FAILED", error.result.steps[-1].result)
        self.assertEqual({"db1"}, {each.name for each in self.fake.live_instances})


@shows(Promise.LIBRARY)
class TestReplicas(ConnectionTestCase):
    def test_replicas_are_planned_and_created(self):
        plan = self.trove.plan_create_replicas("db1", "r", count=2)
        self.assertEqual([], self.changes())
        made = self.trove.create_replicas(plan)
        self.assertEqual(["r-1", "r-2"], [each.name for each in made])
        self.assertEqual({self.db1.id}, {each.replica_of for each in made})
        (found,) = self.trove.list_replica_sets()
        again = self.trove.find_replica_set("r-1")
        for each in (found, again):
            self.assertEqual(["db1", "r-1", "r-2"], [m.name for m in each.members])

    def test_without_wait_they_are_waited_for_later(self):
        plan = self.trove.plan_create_replicas("db1", "r")
        made = self.trove.create_replicas(plan, wait=False)
        self.assertEqual("BUILD", made[0].status)
        (done,) = self.trove.wait_for_instances(*made, replica_of="db1")
        self.assertEqual("ACTIVE/HEALTHY", done.state)

    def test_a_promote_returns_the_new_source(self):
        self.add_replicas()
        plan = self.trove.plan_promote_replica("db2", probe=True)
        switch = self.trove.promote_replica(plan)
        self.assertEqual(self.db2.id, switch.source.id)
        self.assertEqual(self.db1.id, switch.before.source.id)
        self.assertEqual((), self.trove.wait_for_instances())
        self.trove.wait_for_instances("db2", until="source")

    def test_a_promote_that_fails_carries_the_members(self):
        self.add_replicas()
        plan = self.trove.plan_promote_replica("db2")
        self.fake.timings.promote = 10_000
        error = self.assertRaises(
            trove_ext.WaitTimeoutError, self.trove.promote_replica, plan, timeout=5
        )
        self.assertEqual({"PROMOTE"}, {each.status for each in error.result.members})
        self.assertIsNone(error.result.source)

    def test_a_promote_without_wait_has_no_new_source_yet(self):
        self.add_replicas()
        plan = self.trove.plan_promote_replica("db2")
        self.assertIsNone(self.trove.promote_replica(plan, wait=False).source)
        self.trove.wait_for_instances("db1", replica_of="db2")

    def test_what_is_no_replica_is_not_promoted(self):
        error = self.assertRaises(
            trove_ext.CheckError, self.trove.plan_promote_replica, "db1"
        )
        self.assertEqual(("it is not a replica",), error.problems)
        self.assertRaises(trove_ext.NotFoundError, self.trove.find_replica_set, "db1")

    def test_a_source_that_lives_is_not_failed_over(self):
        self.add_replicas()
        self.assertRaises(trove_ext.CheckError, self.trove.plan_fail_over, "db1")

    def test_a_dead_source_is_replaced(self):
        self.add_replicas()
        self.fake.host_off(self.db1)
        self.clock.sleep(100)
        switch = self.trove.fail_over(self.trove.plan_fail_over("db1"))
        self.assertEqual(self.db2.id, switch.source.id)
        warnings = [each for each in self.events if each.kind is EventKind.WARNING]
        self.assertIn("NOT fenced", "".join(map(str, warnings)))

    def test_a_replica_is_detached(self):
        self.add_replicas()
        detached = self.trove.detach_replica("db2")
        self.assertIsNone(detached.replica_of)


class TestProgress(ConnectionTestCase):
    def test_each_state_is_reported_once(self):
        made = self.trove.create_backup("db1", "nightly")
        states = [each for each in self.events if each.kind is EventKind.STATE]
        self.assertEqual(
            {f"Backup nightly ({made.id})"}, {each.subject for each in states}
        )
        texts = [each.text for each in states]
        self.assertEqual("COMPLETED", texts[-1])
        self.assertEqual(len(texts), len(set(texts)))
        self.assertEqual(f"Backup nightly ({made.id}): COMPLETED", str(states[-1]))

    def test_nothing_is_printed(self):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            trove = self.connect()
            trove.create_backup("db1", "nightly")
            trove.restore_backup(trove.plan_restore_backup("nightly", "copy"))
        self.assertEqual(("", ""), (out.getvalue(), err.getvalue()))

    def test_the_clock_need_not_be_given(self):
        trove = trove_ext.connect(session=make_session(self.fake))
        self.assertEqual(self.db1.id, trove.find_instance("db1").id)


class TestErrors(ConnectionTestCase):
    def test_what_a_failed_read_had_sent_is_nothing(self):
        error = self.assertRaises(
            trove_ext.NotFoundError, self.trove.find_backup, "none"
        )
        self.assertEqual((None, ()), (error.result, error.sent))

    def test_what_an_earlier_call_had_sent_is_not_named(self):
        self.trove.create_backup("db1", "nightly")
        error = self.assertRaises(
            trove_ext.NotFoundError, self.trove.create_backup, "none", "nightly"
        )
        self.assertEqual((), error.sent)

    def test_a_lost_answer_is_named_as_sent(self):
        lost = Fault(
            Kind.RESET_BEFORE,
            lasting=True,
            only=lambda sent: sent.method == "POST" and sent.path.endswith("/backups"),
        )
        trove = self.connect([lost])
        error = self.assertRaises(
            trove_ext.LostAnswerError, trove.create_backup, "db1", "nightly"
        )
        self.assertEqual(("creation of backup nightly",), error.sent)


class TestFollowUps(ConnectionTestCase):
    def errors(self):
        """Errors of many jobs, each with something to do next or nothing."""
        trove = self.trove
        self.add_replicas()
        self.fake.kill_database(self.db2)
        self.clock.sleep(5)
        yield from (
            self.assertRaises(trove_ext.TroveExtError, job, *args)
            for job, *args in (
                (trove.find_backup, "none"),
                (trove.plan_restore_backup, "none", "copy"),
                (trove.plan_promote_replica, "db2"),
                (trove.plan_promote_replica, "db1"),
                (trove.plan_fail_over, "db1"),
                (trove.plan_create_replicas, "db2", "r"),
                (trove.detach_replica, "db2"),
                (trove.create_backup, "db2", "b"),
            )
        )
        self.fake.timings.backup = 10_000
        made = trove.create_backup("db1", "slow", wait=False)
        yield self.assertRaises(trove_ext.CheckError, trove.plan_delete_backups, "slow")
        yield self.assertRaises(trove_ext.BusyError, trove.create_backup, "db1", "b")
        self.clock.sleep(90_000)
        yield self.assertRaises(
            trove_ext.PartialFailureError, trove.rotate_backups, "db1", "none"
        )
        self.fake.quotas["backups"] = 0
        yield self.assertRaises(
            trove_ext.TroveExtError, trove.create_backup, "db1", "b"
        )
        yield self.assertRaises(
            trove_ext.WaitTimeoutError,
            lambda: trove.wait_for_backups(made, timeout=5, until="deleted"),
        )

    def test_an_error_has_no_words_of_a_shell(self):
        for error in self.errors():
            self.assertNotRegex(str(error), r"openstack |(^|\s)--[a-z]", error)

    def test_what_to_do_next_is_data(self):
        actions = [
            action
            for error in self.errors()
            for follow_up in error.follow_ups
            for action in follow_up.actions
        ]
        verbs = {action.verb for action in actions}
        self.assertIn(trove_ext.Verb.WAIT_FOR_BACKUP, verbs)
        restart = trove_ext.Action(
            trove_ext.Verb.RESTART_INSTANCE, (self.db2.id,), wait=True
        )
        self.assertIn(restart, actions)
