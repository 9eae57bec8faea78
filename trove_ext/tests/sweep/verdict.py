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

"""What a run reported, compared with the state of the server."""

import enum
import re
from dataclasses import dataclass

from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import Result
from trove_ext.tests.fake.log import Request
from trove_ext.tests.fake.state import Backup, Instance
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.sweep.scenarios import Scenario

#: On the server a build fails after an hour at the latest.
SETTLE = 7200.0
#: What Trove creates and deletes by itself.
SNAPSHOT = "Replication snapshot for"
#: A command that a message names.
COMMAND = re.compile(r"openstack( --os-region-name \S+)? database ")
#: The exit codes of a command that is not interrupted.
EXITS = frozenset({0, 1, 75, 124})


class Verdict(enum.Enum):
    """Why a run is wrong."""

    DOUBLED = "doubled"
    LOST = "lost"
    FALSE = "false"


@dataclass(frozen=True)
class Truth:
    """All rows, by kind and ID, and which of them are deleted."""

    there: frozenset[str]
    deleted: frozenset[str]

    @classmethod
    def of(cls, cloud: FakeCloud) -> "Truth":
        every: list[Instance | Backup] = []
        for each in (cloud, *server_of(cloud).other_clouds):
            every += [*each.instances.values(), *each.backups.values()]
        rows = [row for row in every if not row.name.startswith(SNAPSHOT)]
        return cls(
            frozenset(row.id for row in rows),
            frozenset(row.id for row in rows if row.deleted),
        )


@dataclass(frozen=True)
class Expected:
    """What a run without a fault did; no other run may do more.

    :ivar before: the rows before it
    :ivar made: how many rows it created
    :ivar deleted: which of the rows before it deleted
    :ivar requests: how many requests it sent
    """

    before: frozenset[str]
    made: int
    deleted: frozenset[str]
    requests: int


def evaluate(
    scenario: Scenario,
    cloud: FakeCloud,
    result: Result,
    expected: Expected,
    exits: frozenset[int] = EXITS,
) -> list[tuple[Verdict, str]]:
    """Return all problems of a run; the cloud is in the state that the run left.

    :param exits: the exit codes that it may end with
    """
    wrong = [*_claims(scenario, cloud, result, exits)]
    cloud.clock.advance(SETTLE)
    truth = Truth.of(cloud)
    made = len(truth.there - expected.before)
    if made > expected.made:
        wrong.append((Verdict.DOUBLED, f"made {made}, not {expected.made}"))
    lost = (truth.deleted & expected.before) - expected.deleted
    if lost:
        names = [backup.name for backup in cloud.backups.values() if backup.id in lost]
        wrong.append((Verdict.LOST, f"deleted {names or lost}"))
    new = truth.there - expected.before
    dropped = truth.deleted & new & set(cloud.backups)
    if dropped and not (scenario.drops_backup and scenario.done(cloud)):
        wrong.append((Verdict.LOST, "deleted a backup that it has made"))
    # A verification that left no instance has nothing to show.
    nothing_left = bool(new) and new <= truth.deleted
    if not nothing_left and _names_no_command(result):
        text = "it names no command that shows the result of its requests"
        wrong.append((Verdict.FALSE, text))
    return wrong


def _names_no_command(result: Result) -> bool:
    return bool(
        result.exit_code and _accepted(result) and not COMMAND.search(result.stderr)
    )


def _accepted(result: Result) -> list[Request]:
    """Return the changes that the server accepted, whatever the client received."""
    return [
        request
        for request in result.requests.changing
        if request.answered in range(200, 300)
    ]


def _claims(
    scenario: Scenario, cloud: FakeCloud, result: Result, exits: frozenset[int]
) -> list[tuple[Verdict, str]]:
    text = result.stdout + result.stderr
    wrong = []
    if result.exit_code == 0 and not scenario.done(cloud):
        wrong.append("it reported success, but the job is not done")
    if result.exit_code not in exits:
        wrong.append(f"exit code {result.exit_code}")
    if result.exit_code and result.requests.to_trove() and not result.stderr.strip():
        wrong.append("it failed without a message")
    if "Traceback" in text:
        wrong.append("a traceback")
    if result.exit_code and _accepted(result) and "othing was changed" in text:
        wrong.append("it said that nothing was changed")
    left = [
        instance.name
        for instance in cloud.live_instances
        if instance.name.startswith("trove-ext-verify") and instance.name not in text
    ]
    if left:
        wrong.append(f"{left} is orphaned and not named")
    return [(Verdict.FALSE, text) for text in wrong]
