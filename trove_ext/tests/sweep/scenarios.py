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

"""Each workflow on a cloud that is ready for it, and when it is really done."""

import contextlib
import pathlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import psycopg

from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import Result, run_openstack
from trove_ext.tests.fake.sql import PostgresServer
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.fake.transport import server_of

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"


#: A rule for one instance: a backup each day, of which ten are kept.
POLICY = pathlib.Path(__file__).with_name("backups.yaml")
#: The same with one that is kept, and the first of each week verified.
VERIFIED = POLICY.with_name("verified.yaml")


@dataclass(frozen=True)
class Scenario:
    """A command line, and the state that its exit code 0 claims.

    :ivar prepare: creates what it needs
    :ivar done: whether the cloud is in the state that a success reports
    :ivar drops_backup: it deletes the backup that it makes, once it is done
    :ivar answer: the answer to its prompt, at a terminal
    :ivar answer_time: virtual seconds before it is given
    :ivar around: what the command needs beside the cloud, such as servers for SQL
    """

    name: str
    line: str
    done: Callable[[FakeCloud], bool]
    prepare: Callable[[FakeCloud], None] = lambda _cloud: None
    answer: str = ""
    answer_time: float = 0.0
    drops_backup: bool = False
    around: Callable[[FakeCloud], contextlib.AbstractContextManager[None]] = (
        lambda _cloud: contextlib.nullcontext()
    )

    def run(self, cloud: FakeCloud, *options: str, **kwargs: Any) -> Result:
        """Run it on a cloud that is ready for it."""
        if self.answer:
            kwargs.update(tty=True, stdin=self.answer, answer_time=self.answer_time)
        with self.around(cloud):
            return run_openstack(
                ["database", *self.line.split(), *options], cloud, **kwargs
            )


def base(cloud: FakeCloud) -> None:
    """Create a set of three, a chain of three, and a separate instance."""
    db1 = cloud.add_instance("db1", databases=("shop",))
    cloud.add_instance("rep1", replica_of=db1)
    cloud.add_instance("rep2", replica_of=db1)
    alone = cloud.add_instance("alone", databases=("shop",))
    full = cloud.add_backup("full", alone)
    cloud.clock.sleep(60)
    inc1 = cloud.add_backup("inc1", alone, parent=full)
    cloud.clock.sleep(60)
    cloud.add_backup("inc2", alone, parent=inc1)
    cloud.add_backup("other", db1)


def _source_off(cloud: FakeCloud) -> None:
    cloud.host_off(cloud.instance("db1"))
    cloud.clock.sleep(300)


def _postgresql_backed_up(cloud: FakeCloud) -> None:
    """Make the set one of PostgreSQL, with a backup of its source."""
    version = cloud.datastores["postgresql"].default_version_id
    for name in ("db1", "rep1", "rep2"):
        cloud.instance(name).version_id = version


def _postgresql(cloud: FakeCloud) -> None:
    """Make the set one of PostgreSQL, without a backup."""
    _postgresql_backed_up(cloud)
    cloud.backup("other").deleted = True


def _second_region(cloud: FakeCloud) -> None:
    """Add a region with a Trove of its own."""
    server_of(cloud).add_region("RegionTwo", FakeCloud(cloud.clock, seed=2))


def _registered(cloud: FakeCloud) -> bool:
    (other,) = server_of(cloud).other_clouds
    location = cloud.backup("full").location
    return [row.location for row in other.live_backups] == [location]


def _postgresql_alone(cloud: FakeCloud) -> None:
    """Make the separate instance one of PostgreSQL, and let a rotation be due."""
    version = cloud.datastores["postgresql"].default_version_id
    cloud.instance("alone").version_id = version
    cloud.clock.sleep(7200)


@contextlib.contextmanager
def _queries(cloud: FakeCloud) -> Iterator[None]:
    """Answer each query of a PostgreSQL with 300."""
    server = PostgresServer(cloud)
    with (
        mock.patch.object(psycopg, "connect", server.connect),
        mock.patch.object(socket, "create_connection", server.open),
    ):
        yield


def _postgresql_off(cloud: FakeCloud) -> None:
    _postgresql(cloud)
    _source_off(cloud)


def _takes_writes(cloud: FakeCloud, name: str) -> bool:
    """Whether no fence is up; its group may be left."""
    return cloud.takes_writes(cloud.instance(name))


def _rebuilt(cloud: FakeCloud) -> bool:
    """Whether rep1 takes writes, and new replicas have replaced the other members."""
    old = [instance.name for instance in cloud.instances.values() if instance.deleted]
    return (
        sorted(old) == ["db1", "rep2"]
        and _replicates(cloud, "rep1", "db1", "rep2")
        and _takes_writes(cloud, "rep1")
    )


def _has_fresh_backup(cloud: FakeCloud) -> bool:
    """Whether a full backup was taken for a new replica, and is complete."""
    states = [
        state for name, state in _backups(cloud).items() if "-for-replica-" in name
    ]
    return states == [BackupState.COMPLETED]


def _second_chain(cloud: FakeCloud) -> None:
    cloud.clock.sleep(60)
    cloud.add_backup("second", cloud.instance("alone"))


def _machine_is_off(cloud: FakeCloud, skew: timedelta) -> None:
    """Make the clock of the machine that runs the command differ from the cloud's."""
    cloud.clock.sleep(7200)
    cloud.local_skew = skew


def _dated_ahead(cloud: FakeCloud) -> None:
    """Add a backup that was stored while a clock was ahead."""
    cloud.clock.sleep(7200)
    created = cloud.clock.now() + timedelta(days=30)
    cloud.add_backup("ahead", cloud.instance("alone"), created=created)


def _namesakes(cloud: FakeCloud) -> None:
    """Add a backup and an instance that already have the name of the new one."""
    cloud.add_backup("new", cloud.instance("alone"))
    cloud.add_instance("new")


OLD_BACKUPS = {"full", "inc1", "inc2", "other"}


def _namesakes_of_instances(cloud: FakeCloud) -> None:
    """Add an instance that already has the name of the new one."""
    cloud.add_instance("new")


def _running(cloud: FakeCloud) -> None:
    """Start a backup that completes later."""
    made = cloud.add_backup("run", cloud.instance("alone"), state=BackupState.BUILDING)

    def complete() -> None:
        made.state = BackupState.COMPLETED

    cloud.clock.after(30, complete)


def _going(cloud: FakeCloud) -> None:
    """Start the delete of an instance, which ends later."""
    alone = cloud.instance("alone")

    def go() -> None:
        alone.deleted = True

    cloud.clock.after(30, go)


def _two_backups(cloud: FakeCloud) -> bool:
    """Whether there is a new backup beside the older one of its name."""
    states = [backup.state for backup in cloud.live_backups if backup.name == "new"]
    return states == [BackupState.COMPLETED] * 2


def _two_instances(cloud: FakeCloud) -> bool:
    """Whether there is a new, healthy instance beside the older one of its name."""
    new = [instance for instance in cloud.live_instances if instance.name == "new"]
    states = [
        (cloud.status(instance), cloud.operating_status(instance)) for instance in new
    ]
    return states == [("ACTIVE", "HEALTHY")] * 2


def _names(cloud: FakeCloud) -> list[str]:
    return [instance.name for instance in cloud.live_instances]


def _backups(cloud: FakeCloud) -> dict[str, BackupState]:
    return {backup.name: backup.state for backup in cloud.live_backups}


def _settled(cloud: FakeCloud, name: str) -> bool:
    if name not in _names(cloud):
        return False
    one = cloud.instance(name)
    return (cloud.status(one), cloud.operating_status(one)) == ("ACTIVE", "HEALTHY")


def _accepted(cloud: FakeCloud, action: str) -> bool:
    """Whether Trove has accepted an action: some have no other visible effect."""
    return any(
        request.answered == 202 and action in (request.body or {})
        for request in cloud.log.changing
    )


def _restarted(cloud: FakeCloud, count: int) -> bool:
    """Whether this many instances were restarted."""
    restarts = {
        request.path
        for request in cloud.log.changing
        if request.answered == 202 and "restart" in (request.body or {})
    }
    return len(restarts) == count


def _replicates(cloud: FakeCloud, source: str, *replicas: str) -> bool:
    head = cloud.instance(source)
    return head.replica_of is None and all(
        cloud.instance(replica).replica_of == head.id and _settled(cloud, replica)
        for replica in replicas
    )


def _one_source(cloud: FakeCloud) -> bool:
    """Whether one of the two replicas took over, and the other follows it."""
    return any(
        _replicates(cloud, new, follower)
        for new, follower in (("rep1", "rep2"), ("rep2", "rep1"))
    )


def _old_rotation(cloud: FakeCloud) -> None:
    """Add old backups of a rotation: of two members of the set, and of a gone one."""
    gone = cloud.add_instance("gone")
    for days, name in ((9, "rep1"), (8, "rep2"), (7, "db1"), (6, "gone")):
        created = cloud.clock.now() - timedelta(days=days)
        owner = cloud.instance(name)
        cloud.add_backup(f"{name}-full-20250101T00000{days}Z", owner, created=created)
    gone.deleted = True
    cloud.clock.sleep(7200)


def _own_rotation(cloud: FakeCloud) -> None:
    """Add two backups of a rotation, the last of which is the first of its week."""
    for days in (16, 8):
        created = cloud.clock.now() - timedelta(days=days)
        name = f"alone-full-202501{days:02}T000000Z"
        cloud.add_backup(name, cloud.instance("alone"), created=created)


def _due_again(cloud: FakeCloud) -> None:
    _own_rotation(cloud)
    cloud.clock.sleep(7200)


def _no_temporary(cloud: FakeCloud) -> bool:
    return sorted(_names(cloud)) == ["alone", "db1", "rep1", "rep2"]


def _rotated_all(cloud: FakeCloud, *members: str) -> bool:
    """Whether the set has one new backup, of one of these, and no old ones."""
    made = [b for b in cloud.live_backups if "-2026" in b.name]
    owners = sorted(cloud.instances[b.instance_id or ""].name for b in made)
    kept = {"full", "inc1", "inc2", "other", "gone-full-20250101T000006Z"}
    return (
        owners in [sorted(["alone", member]) for member in members]
        and {b.state for b in made} == {BackupState.COMPLETED}
        and {b.name for b in cloud.live_backups} - {b.name for b in made} == kept
    )


def _rotated(cloud: FakeCloud) -> bool:
    alone = cloud.instance("alone").id
    new = [
        backup
        for backup in cloud.live_backups
        if backup.instance_id == alone
        and backup.name not in {"full", "inc1", "inc2", "ahead"}
    ]
    return len(new) == 1 and new[0].state is BackupState.COMPLETED


def _backed_up(cloud: FakeCloud) -> bool:
    """Whether the backup before a delete or a resize is there, and complete."""
    states = [state for name, state in _backups(cloud).items() if "-before-" in name]
    return states == [BackupState.COMPLETED]


CREATE = f"--flavor 10 --size 5 --nic {NIC} --wait"
SCENARIOS = (
    Scenario(
        "backup create",
        "backup create alone new --wait",
        _two_backups,
        _namesakes,
    ),
    Scenario(
        "backup create incremental",
        "backup create alone new --incremental --parent inc2 --wait",
        lambda c: _backups(c).get("new") is BackupState.COMPLETED,
    ),
    Scenario(
        "backup delete",
        "backup delete inc1 --yes --wait",
        lambda c: set(_backups(c)) == {"full", "other"},
    ),
    Scenario(
        "backup chain delete",
        "backup chain delete inc1 --yes --wait",
        lambda c: set(_backups(c)) == {"full", "other"},
    ),
    Scenario(
        "backup chain delete of two",
        "backup chain delete inc1 other --yes --wait",
        lambda c: set(_backups(c)) == {"full"},
    ),
    Scenario(
        "backup register",
        "backup register full --to-region RegionTwo",
        _registered,
        _second_region,
    ),
    Scenario(
        "backup prune",
        "backup prune db1 alone --keep-last 1 --yes",
        lambda c: set(_backups(c)) == {"full", "inc1", "inc2", "other"},
    ),
    Scenario(
        "backup prune chains",
        "backup prune alone --keep-last 1 --yes",
        lambda c: "second" in _backups(c) and "full" not in _backups(c),
        _second_chain,
    ),
    Scenario(
        "backup rotate",
        "backup rotate alone --keep-last 10",
        _rotated,
        lambda c: c.clock.sleep(7200),
    ),
    Scenario(
        "backup rotate, the machine 2 h behind",
        "backup rotate alone --min-age 0 --keep-last 10",
        _rotated,
        lambda c: _machine_is_off(c, timedelta(hours=-2)),
    ),
    Scenario(
        "backup rotate, the machine 20 s behind",
        "backup rotate alone --min-age 0 --keep-last 10",
        _rotated,
        lambda c: _machine_is_off(c, timedelta(seconds=-20)),
    ),
    Scenario(
        "backup rotate, a backup dated 30 days ahead",
        "backup rotate alone --chain-length 1 --min-age 0 --keep-last 1",
        lambda c: _rotated(c) and set(_backups(c)) > {"ahead", "other"},
        _dated_ahead,
    ),
    Scenario(
        "backup rotate all",
        "backup rotate --all --chain-length 1 --keep-last 1",
        lambda c: _rotated_all(c, "db1"),
        _old_rotation,
    ),
    Scenario(
        "backup rotate all, replicas preferred",
        "backup rotate --all --prefer replica --chain-length 1 --keep-last 1",
        # A probe that fails proves nothing: then it is another member.
        lambda c: _rotated_all(c, "rep2", "rep1", "db1"),
        _old_rotation,
    ),
    Scenario(
        "backup check all",
        "backup check --all",
        lambda _c: True,
    ),
    Scenario(
        "backup rotate by a policy file",
        f"backup rotate --policy {POLICY}",
        _rotated,
        lambda c: c.clock.sleep(7200),
    ),
    Scenario(
        "backup rotate by a policy file that verifies",
        f"backup rotate --policy {VERIFIED} --nic {NIC}",
        lambda c: _rotated(c) and _no_temporary(c),
        _due_again,
    ),
    Scenario(
        "backup check by a policy file",
        f"backup check --policy {POLICY}",
        lambda _c: True,
    ),
    Scenario(
        "backup prune by a policy file",
        f"backup prune --policy {VERIFIED} --yes",
        lambda c: sum("-full-" in name for name in _backups(c)) == 1,
        _own_rotation,
    ),
    Scenario(
        "backup verify by a policy file",
        f"backup verify --policy {VERIFIED} --nic {NIC}",
        _no_temporary,
        _own_rotation,
    ),
    Scenario(
        "backup rotate with a verification",
        "backup rotate alone --keep-last 10 --verify-each year --query-database shop "
        f"--query SELECT(300) --expect 300 --nic {NIC}",
        lambda c: _rotated(c) and _no_temporary(c),
        _postgresql_alone,
        around=_queries,
    ),
    Scenario(
        "backup restore",
        f"backup restore inc2 new --nic {NIC} --wait",
        _two_instances,
        _namesakes,
    ),
    Scenario(
        "backup restore by instance",
        f"backup restore new --instance alone --nic {NIC} --wait",
        _two_instances,
        _namesakes,
    ),
    Scenario(
        "instance clone",
        f"instance clone alone new --nic {NIC}",
        lambda c: _two_instances(c) and set(_backups(c)) == OLD_BACKUPS,
        _namesakes_of_instances,
        drops_backup=True,
    ),
    Scenario(
        "backup restore into another version with accounts",
        f"backup restore inc2 new --nic {NIC} --datastore-version 5.7.40 "
        "--databases extra --users app:secret --wait",
        _two_instances,
        _namesakes,
    ),
    Scenario(
        "backup verify",
        f"backup verify inc2 --nic {NIC} --expect-database shop",
        _no_temporary,
    ),
    Scenario(
        "backup verify an upgrade",
        f"backup verify inc2 --nic {NIC} --upgrade-to 5.7.40",
        lambda c: sorted(_names(c)) == ["alone", "db1", "rep1", "rep2"],
    ),
    Scenario(
        "backup verify two",
        f"backup verify inc2 other --nic {NIC} --timeout 135",
        _no_temporary,
    ),
    Scenario(
        "backup verify all",
        f"backup verify --all --nic {NIC}",
        _no_temporary,
    ),
    Scenario(
        "instance create",
        f"instance create new {CREATE}",
        _two_instances,
        _namesakes,
    ),
    Scenario(
        "backup wait",
        "backup wait run",
        lambda c: _backups(c).get("run") is BackupState.COMPLETED,
        _running,
    ),
    Scenario(
        "instance wait",
        "instance wait alone --for deleted",
        lambda c: "alone" not in _names(c),
        _going,
    ),
    Scenario(
        "instance create replicas",
        f"instance create new --replica-of db1 --replica-count 2 --nic {NIC} --wait",
        lambda c: _replicates(c, "db1", "new-1", "new-2"),
    ),
    Scenario(
        "instance delete",
        "instance delete alone --wait",
        lambda c: "alone" not in _names(c),
    ),
    Scenario(
        "instance delete after a backup",
        "instance delete alone --backup-first --wait",
        lambda c: "alone" not in _names(c) and _backed_up(c),
    ),
    Scenario(
        "instance resize volume after a backup",
        "instance resize volume alone 9 --backup-first --wait",
        lambda c: c.instance("alone").volume_size == 9 and _backed_up(c),
    ),
    Scenario(
        "instance promote",
        "instance promote rep1 --wait",
        lambda c: _replicates(c, "rep1", "db1", "rep2"),
    ),
    Scenario("instance eject", "instance eject db1 --wait", _one_source, _source_off),
    Scenario(
        "instance detach",
        "instance detach rep1 --wait",
        lambda c: c.instance("rep1").replica_of is None and _settled(c, "rep1"),
    ),
    Scenario(
        "instance restart",
        "instance restart alone --wait",
        lambda c: _accepted(c, "restart") and _settled(c, "alone"),
    ),
    Scenario(
        "instance resize flavor",
        "instance resize flavor alone 11 --wait",
        lambda c: c.instance("alone").flavor_id == "11" and _settled(c, "alone"),
    ),
    Scenario(
        "instance resize volume",
        "instance resize volume db1 9 --wait",
        lambda c: all(c.instance(x).volume_size == 9 for x in ("db1", "rep1", "rep2")),
    ),
    Scenario(
        "replica create",
        f"replica create db1 new --count 2 --nic {NIC} --wait",
        lambda c: _replicates(c, "db1", "new-1", "new-2"),
    ),
    Scenario(
        "replica create on a fresh backup",
        f"replica create db1 new --nic {NIC} --wait",
        lambda c: _replicates(c, "db1", "new") and _has_fresh_backup(c),
        _postgresql_backed_up,
    ),
    Scenario(
        "replica create without a fresh backup",
        f"replica create db1 new --no-fresh-backup --nic {NIC} --wait",
        lambda c: _replicates(c, "db1", "new") and not _has_fresh_backup(c),
        _postgresql_backed_up,
    ),
    Scenario(
        "replica replace",
        "replica replace rep1 --name new",
        lambda c: "rep1" not in _names(c) and _replicates(c, "db1", "new", "rep2"),
    ),
    Scenario(
        "replica restart",
        "replica restart db1 --skip rep2",
        lambda c: _restarted(c, 2) and _replicates(c, "db1", "rep1", "rep2"),
    ),
    Scenario(
        "replica restart with a switchover",
        "replica restart db1 --switchover",
        lambda c: _restarted(c, 3) and _replicates(c, "rep1", "db1", "rep2"),
    ),
    Scenario(
        "replica promote",
        "replica promote rep1 --wait",
        lambda c: _replicates(c, "rep1", "db1", "rep2"),
    ),
    Scenario(
        "replica promote with a fence",
        "replica promote rep1 --fence --wait",
        lambda c: _replicates(c, "rep1", "db1", "rep2") and _takes_writes(c, "rep1"),
        _postgresql,
    ),
    Scenario(
        "replica promote with a fence and a rebuild",
        "replica promote rep1 --fence --pause 1 --rebuild --yes --wait",
        _rebuilt,
        _postgresql,
    ),
    Scenario(
        "replica promote with its loss accepted",
        "replica promote rep1 --accept-loss --wait",
        lambda c: _replicates(c, "rep1", "db1", "rep2"),
        _postgresql,
    ),
    Scenario(
        "replica failover by a detach",
        "replica failover db1 --to rep1 --yes --wait",
        lambda c: c.instance("rep1").replica_of is None and _settled(c, "rep1"),
        _postgresql_off,
    ),
    Scenario(
        "replica failover",
        "replica failover db1 --yes --wait",
        _one_source,
        _source_off,
    ),
    Scenario(
        "replica failover to a replica",
        "replica failover db1 --to rep2 --yes --wait",
        lambda c: _replicates(c, "rep2", "rep1"),
        _source_off,
    ),
    Scenario(
        "replica failover at a prompt",
        "replica failover db1 --wait --timeout 200",
        _one_source,
        _source_off,
        answer="y\n",
        answer_time=192.0,
    ),
    Scenario(
        "replica detach",
        "replica detach rep1 --wait",
        lambda c: c.instance("rep1").replica_of is None and _settled(c, "rep1"),
    ),
    Scenario(
        "replica detach of two",
        "replica detach rep1 rep2 --wait",
        lambda c: all(
            c.instance(name).replica_of is None and _settled(c, name)
            for name in ("rep1", "rep2")
        ),
    ),
)
