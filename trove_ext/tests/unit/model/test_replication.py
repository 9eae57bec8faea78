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

import time
from dataclasses import replace

import hypothesis
import testtools
from hypothesis import strategies as st

from trove_ext.model.instance import Instance
from trove_ext.model.replication import promoted, replication_sets


def instance(name, *, of=None, replicas=(), status="ACTIVE", health="HEALTHY"):
    """An instance whose ID is its name in small letters."""
    return Instance(
        id=name.lower(),
        name=name,
        status=status,
        operating_status=health,
        replica_of=of,
        replicas=tuple(replicas),
    )


def healthy(source="S", names=("A", "B")):
    """A source and its replicas, as Trove lists them if they are idle."""
    return [
        instance(source, replicas=[name.lower() for name in names]),
        *(instance(name, of=source.lower()) for name in names),
    ]


def roles(found):
    """The members of a set by name: the source, and the replicas."""
    return found.source and found.source.name, [
        replica.name for replica in found.replicas
    ]


class TestReplicationSets(testtools.TestCase):
    def _only(self, instances):
        (found,) = replication_sets(instances)
        return found

    def test_a_source_and_its_replicas_by_name_are_a_set(self):
        found = self._only(healthy(names=("B", "A")))
        self.assertEqual(("S", ["A", "B"]), roles(found))
        self.assertEqual(["S", "A", "B"], [member.name for member in found.members])
        self.assertEqual((True, ()), (found.is_settled, found.oddities))

    def test_instances_that_stand_alone_are_in_none(self):
        self.assertEqual([], replication_sets([instance("X"), instance("Y")]))

    def test_sets_are_apart_and_in_order_of_their_sources(self):
        listed = [instance("X"), *healthy("T", ("C",)), *healthy("S", ("D",))]
        self.assertEqual(
            [("S", ["D"]), ("T", ["C"])], [roles(f) for f in replication_sets(listed)]
        )

    def test_a_member_that_is_busy_or_fails_unsettles_the_set(self):
        source, *replicas = healthy()
        for change in (
            {"status": "BACKUP"},
            {"status": "ERROR"},
            {"operating_status": ""},
            {"operating_status": "SHUTDOWN"},
        ):
            found = self._only([replace(source, **change), *replicas])
            self.assertFalse(found.is_settled, change)

    def test_a_replica_whose_source_is_gone_is_a_set_without_source(self):
        found = self._only([instance("A", of="lost")])
        self.assertEqual((None, ["A"]), roles(found))
        self.assertIn("replica of lost, which is not there", found.oddities[0])
        self.assertFalse(found.is_settled)

    def test_a_replica_that_two_sources_claim_is_reported_with_both(self):
        listed = [
            instance("S", replicas=["a", "b"]),
            instance("T", replicas=["a"]),
            instance("A", of="s"),
            instance("B", of="s"),
        ]
        found = self._only(listed)
        self.assertEqual("S", found.source.name)
        self.assertIn("A (a) is claimed by several sources: s, t", found.oddities)

    def test_a_replica_that_knows_no_source_is_reported(self):
        found = self._only(
            [instance("S", replicas=["a", "b"]), instance("A"), instance("B", of="s")]
        )
        self.assertEqual("S", found.source.name)
        self.assertIn("A (a) replicates from nobody", found.oddities[0])

    def test_a_source_that_does_not_list_its_replica_is_reported(self):
        listed = [instance("S", replicas=["a"]), instance("A", of="s")]
        found = self._only([*listed, instance("B", of="s")])
        self.assertEqual(
            ("B (b) replicates from S (s), which doesn't list it",), found.oddities
        )

    def test_a_replica_of_a_replica_is_reported(self):
        listed = [
            instance("S", replicas=["a"]),
            instance("A", of="s", replicas=["b"]),
            instance("B", of="a"),
        ]
        self.assertIn("B (b) is a replica of a replica", self._only(listed).oddities[0])

    def test_two_that_replicate_from_each_other_end_in_a_set_without_source(self):
        listed = [
            instance("A", of="b", replicas=["b"]),
            instance("B", of="a", replicas=["a"]),
        ]
        found = self._only(listed)
        self.assertEqual((None, ["A", "B"]), roles(found))
        self.assertFalse(found.is_settled)

    def test_a_set_half_way_through_a_promote_is_reported(self):
        # A is the source already, B follows it, the old source does not yet.
        listed = [
            instance("S", status="PROMOTE", health="", replicas=["c"]),
            instance("A", status="PROMOTE", health="", replicas=["b"]),
            instance("B", status="PROMOTE", health="", of="a"),
            instance("C", status="PROMOTE", health="", of="s"),
        ]
        sets = replication_sets(listed)
        self.assertEqual([("A", ["B"]), ("S", ["C"])], [roles(found) for found in sets])
        for found in sets:
            self.assertIn("roles of", found.oddities[0])
            self.assertFalse(found.is_settled)

    def test_a_source_that_can_not_be_determined_is_not_guessed(self):
        listed = [
            instance("S", replicas=["a", "b"]),
            instance("T", replicas=["a", "b"]),
            instance("A", of="s"),
            instance("B", of="t"),
        ]
        self.assertIsNone(self._only(listed).source)

    @hypothesis.given(st.permutations(healthy() + healthy("T", ("C", "D", "E"))))
    def test_the_order_of_the_list_does_not_matter(self, listed):
        expected = [("S", ["A", "B"]), ("T", ["C", "D", "E"])]
        self.assertEqual(expected, [roles(found) for found in replication_sets(listed)])

    @hypothesis.given(st.data())
    def test_whatever_trove_lists_each_linked_instance_is_in_one_set(self, data):
        names = [f"i{number}" for number in range(data.draw(st.integers(0, 8)))]
        some = st.sampled_from([*names, "lost"])
        listed = [
            instance(
                name,
                of=data.draw(st.none() | some),
                replicas=data.draw(st.lists(some, max_size=2, unique=True)),
                status=data.draw(st.sampled_from(["ACTIVE", "PROMOTE", "ERROR"])),
            )
            for name in names
        ]
        sets = replication_sets(listed)
        members = [member.id for found in sets for member in found.members]
        self.assertEqual(len(set(members)), len(members))
        linked = {
            instance.id
            for instance in listed
            if instance.replica_of or instance.replicas
        }
        self.assertLessEqual(linked, set(members))
        for found in sets:
            if found.is_settled:
                self.assertIsNone(found.source.replica_of)
                for replica in found.replicas:
                    self.assertEqual(found.source.id, replica.replica_of)

    def test_ten_thousand_instances_take_a_tenth_of_a_second(self):
        listed = []
        for number in range(2_500):
            names = [f"R{number}-{index}" for index in range(3)]
            listed += healthy(f"S{number}", names)
        started = time.process_time()
        sets = replication_sets(listed)
        # Processor time; a quadratic algorithm takes far longer.
        self.assertLess(time.process_time() - started, 2)
        self.assertEqual(2_500, len(sets))

    def test_a_set_may_have_any_size(self):
        listed = healthy(names=[f"R{number:05}" for number in range(10_000)])
        started = time.process_time()
        found = self._only(listed)
        self.assertLess(time.process_time() - started, 2)
        self.assertEqual(10_000, len(found.replicas))


class TestPromoted(testtools.TestCase):
    def setUp(self):
        super().setUp()
        (self.before,) = replication_sets(healthy(names=("A", "B", "C")))

    def test_the_target_leads_and_all_others_follow_it(self):
        after = promoted(self.before, "b")
        self.assertEqual(
            ("B", {"S", "A", "C"}),
            (after.source.name, {replica.name for replica in after.replicas}),
        )
        self.assertEqual(
            (None, {"s", "a", "c"}),
            (after.source.replica_of, set(after.source.replicas)),
        )
        for replica in after.replicas:
            self.assertEqual(("b", ()), (replica.replica_of, replica.replicas))

    def test_the_result_is_a_set_without_inconsistencies(self):
        (read_again,) = replication_sets(promoted(self.before, "b").members)
        self.assertEqual((True, "B"), (read_again.is_settled, read_again.source.name))

    def test_promoting_back_gives_the_original_set(self):
        back = promoted(promoted(self.before, "a"), "s")
        self.assertEqual(roles(self.before)[0], back.source.name)
        self.assertEqual(set(self.before.replicas), set(back.replicas))

    def test_refuses_what_is_no_replica_of_the_set(self):
        for stranger in ("s", "x"):
            error = self.assertRaises(ValueError, promoted, self.before, stranger)
            self.assertIn(stranger, str(error))
