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

"""The command lines that are run with each release, with their exit codes.

One session from the guide's first command to a failover: each step depends on those
before it, so the order matters. A line without a program is a subcommand of
``openstack database``.
"""

from dataclasses import dataclass

from trove_ext.tests.promises import Promise

#: As in the guide; the labels are those of trove_ext/sandbox/labels.py.
_FLAVOR = "--flavor e3feb785-af2e-41f7-899b-6bbc4e0b526e"
_DATASTORE = "--datastore mysql --datastore-version 5.7.29"
_NIC = "--nic net-id=908816f1-933c-4ff2-8595-f0f57c689e48"
_PLACE = f"--volume-type b1.standard {_NIC}"


@dataclass(frozen=True)
class Step:
    """One command line."""

    line: str
    shows: str = ""
    """A regular expression that its output contains: standard output and error."""
    code: int = 0
    """The exit code."""
    cloud: str = "sandbox"


@dataclass(frozen=True)
class Topic:
    """Steps that the table of the documents counts together."""

    title: str
    promises: tuple[Promise, ...]
    steps: tuple[Step, ...]


GUIDE = Topic(
    "Guide: backups",
    (Promise.GUIDE, Promise.WAIT),
    (
        Step(
            f"instance create db1 {_FLAVOR} --size 5 {_DATASTORE} --databases myDB"
            f" --users dbusr:dbpassword {_PLACE} --wait",
            "ACTIVE",
        ),
        Step("backup create db1 full-1 --wait", "COMPLETED"),
        Step("backup list", "full-1"),
        Step("backup create db1 inc-1 --incremental --wait", "COMPLETED"),
        Step(
            "backup create db1 inc-2 --incremental --parent inc-1 --wait", "COMPLETED"
        ),
        Step("backup show inc-2", "COMPLETED"),
        Step(
            f"instance create db2 {_FLAVOR} --size 5 {_DATASTORE} --databases myDB"
            f" --users dbusr:dbpassword {_PLACE} --backup inc-2 --wait",
            "ACTIVE",
        ),
        Step("instance delete db2 --wait"),
    ),
)
CHAINS = Topic(
    "Chains, restore, verify",
    (Promise.CHAINS, Promise.FRESH, Promise.RESTORE, Promise.VERIFY),
    (
        Step("backup chain list", "full-1"),
        Step("backup chain show inc-1", "inc-2"),
        Step("backup check db1 --max-age 26h", "db1"),
        Step("backup check db1 --max-age 26h --nagios", "OK"),
        Step("backup verify inc-2 --expect-database myDB", "databases checked"),
        Step(
            "backup verify full-1 --expect-database other", "other is missing", code=1
        ),
        Step("backup restore inc-2 db3 --wait", "ACTIVE"),
        Step("backup restore no-such-backup db4", "no-such-backup", code=1),
        Step("backup restore inc-2 db4 --size 2000", code=1),
        Step("instance show db3", "ACTIVE"),
        Step("instance delete db3 --wait"),
        Step("instance clone db1 db4", "deleted"),
        Step("instance delete db4 --wait"),
        Step("backup wait full-1 inc-2", "COMPLETED"),
    ),
)
ROTATION = Topic(
    "Rotation and retention",
    (Promise.ROTATE, Promise.RETENTION, Promise.DELETE),
    (
        Step("backup rotate db1 --full-every 7d --keep-last 2", "COMPLETED"),
        Step("backup rotate db1 --full-every 7d --keep-last 2", "COMPLETED"),
        Step("backup prune db1 --keep-last 1 --dry-run"),
        Step("backup prune db1 --keep-last 1 --yes"),
        Step("trove-sandbox fault set backup --text broken --once"),
        Step("backup create db1 bad --wait", "broken", code=1),
        Step("backup delete bad --wait"),
        Step("backup create db1 full-2 --wait", "COMPLETED"),
        Step("backup register full-2 --to-region Two", "has no Trove in", code=1),
        Step("backup create db1 inc-3 --incremental --wait", "COMPLETED"),
        Step("backup chain delete full-2 --yes --wait", "inc-3"),
        Step("backup show full-2", code=1),
    ),
)
REPLICAS = Topic(
    "Guide: replicas",
    (Promise.GUIDE, Promise.REPLICA, Promise.PROMOTE),
    (
        Step("root enable db1 --root_password rootpassword"),
        Step(
            f"instance create r1 {_FLAVOR} --size 5 {_DATASTORE} {_PLACE}"
            " --replica-of db1 --wait",
            "dropped",
        ),
        Step(f"replica create db1 r2 {_NIC} --wait", "r2"),
        Step("replica list", "r1"),
        Step("replica show r2 --probe", "r1"),
        Step("instance status r2", "replica"),
        Step(f"replica create r1 r3 {_NIC}", "replica", code=1),
        Step("instance delete db1 --wait", code=1),
        Step("replica promote r1 --probe --wait", "r1"),
        Step("instance promote db1 --wait"),
        Step("replica promote db1", code=1),
        Step("instance eject db1 --wait", code=1),
        Step("replica replace r2", "DELETED"),
        Step("replica restart db1", "restarted"),
        Step("replica detach r2 --wait", "r2"),
        Step("instance wait r2 --for detached"),
        Step("instance delete r2 --wait"),
    ),
)
ACTIONS = Topic(
    "Stock commands with --wait",
    (Promise.WAIT, Promise.DETACH),
    (
        Step("instance restart db1 --wait"),
        Step("instance resize volume db1 6 --wait"),
        Step("instance resize flavor r1 db.medium --wait"),
        Step(
            """configuration create tuned '{"max_connections": 111}'"""
            f" {_DATASTORE}",
            "max_connections",
        ),
        Step("configuration attach r1 tuned"),
        Step("instance wait r1"),
        Step("instance show r1", r"\| configuration +\|"),
        Step(f"replica create db1 r5 --configuration tuned {_NIC} --wait", "r5"),
        Step("replica detach r5 --wait", "r5"),
        Step("instance show r5", r"\| configuration +\|"),
        Step("configuration detach r5"),
        Step("instance wait r5"),
        Step("instance upgrade r5 5.7.29 --wait"),
        Step("instance delete r5 --wait"),
        # Trove answers 401, as to a log-in that failed.
        Step("instance reboot r1 --wait", "not have admin privileges", code=1),
        Step("instance wait r1 db1"),
        Step("instance wait r1 --for detached --timeout 2", code=124),
    ),
)
FAILOVER = Topic(
    "Failover",
    (Promise.FAILOVER,),
    (
        Step(f"replica create db1 r4 {_NIC} --wait", "r4"),
        Step("trove-sandbox fault host-off db1"),
        # Until Trove takes it for dead: agent_heartbeat_expiry in trove_config.py.
        Step("sleep 20"),
        Step("replica promote r1", code=1),
        Step("replica failover db1 --to r4 --yes --wait", "r4"),
        Step("replica list"),
        Step("trove-sandbox fault host-on db1"),
        Step("instance wait db1 --for settled"),
    ),
)
TOPICS = (GUIDE, CHAINS, ROTATION, REPLICAS, ACTIONS, FAILOVER)


def number_of_steps() -> int:
    """Return how many command lines there are."""
    return sum(len(topic.steps) for topic in TOPICS)
