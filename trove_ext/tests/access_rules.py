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

"""The requests that each command makes necessary, as access rules of Keystone.

``python -m trove_ext.tests.access_rules`` writes the table of the documents and the
example; a unit test compares both with what the commands send to the fake cloud. Each
command is run with names, with IDs, and with a change that is refused, after which it
may read or clean up.
"""

import csv
import io
import json
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trove_ext.osc.base.examples import EXAMPLES
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.harness import Result, run_openstack
from trove_ext.tests.fake.log import RequestLog
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.sweep.scenarios import NIC, POLICY, SCENARIOS, VERIFIED, base

ROOT = pathlib.Path(__file__).parents[2]
TABLE = ROOT / "doc/source/operations/access-rules.csv"
EXAMPLE = ROOT / "doc/examples/access-rules.json"
HEAD = ("Command", "Method and path")
#: Options with which a scheduled job creates a database or an instance too, or upgrades
#: its own, by what shows them in a line.
MORE_NEEDED = {
    "--prefer replica": "--prefer replica",
    "--upgrade-to": "--upgrade-to",
    "--verify-each": "--verify-each",
    f"rotate --policy {VERIFIED}": "--policy (verify_every)",
}
#: The commands of scheduled jobs, which the example allows.
JOBS = ("backup check", "backup prune", "backup rotate", "backup verify")
#: What Trove and its guest send to Swift with the token of whoever asks for a backup,
#: a restore or a delete (``T:backup/models.py``, ``T:taskmanager/models.py``, and
#: ``save`` and ``load`` of ``backup/storage/swift.py``, which is in no package).
STORE_ACCOUNT = "/v1/AUTH_*"
STORE_CONTAINER = f"{STORE_ACCOUNT}/database_backups"
STORE = (
    ("GET", STORE_ACCOUNT),
    ("PUT", STORE_CONTAINER),
    *((method, f"{STORE_CONTAINER}/*") for method in ("DELETE", "GET", "HEAD", "PUT")),
)
#: The commands that the table has: those of this project.
COMMANDS = sorted((words.removeprefix("database ") for words in EXAMPLES), key=len)


@dataclass(frozen=True, order=True)
class Rule:
    """One access rule, with ``*`` for a part of the path that differs.

    keystonemiddleware compares it with the whole path of a request
    (``_path_matches`` in ``keystonemiddleware/auth_token/__init__.py``).
    """

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Line:
    """A command line of a test; ``TMP`` in it is a folder.

    :ivar prepare: makes the cloud that it needs
    """

    line: str
    prepare: Callable[[FakeCloud], None] = lambda _cloud: None

    @property
    def command(self) -> str | None:
        """The command, with an option that needs more; None if it is a stock one."""
        found = [each for each in COMMANDS if self.line.startswith(f"{each} ")]
        more = [each for part, each in MORE_NEEDED.items() if part in self.line]
        return " ".join([found[-1], *more]) if found else None


def _full_quota(cloud: FakeCloud) -> None:
    """Fill the quota of backups, with one that the rotation may delete."""
    cloud.clock.sleep(7200)
    alone = cloud.instance("alone")
    cloud.add_backup("alone-full-20260101T000000Z", alone, state=BackupState.FAILED)
    cloud.quotas["backups"] = cloud.usage["backups"]


def _group(cloud: FakeCloud) -> None:
    """Give the instance of the backups a configuration group."""
    group = cloud.add_configuration("tuned")
    for name in ("alone", "db1"):
        cloud.instance(name).configuration_id = group.id


def _later(cloud: FakeCloud) -> None:
    cloud.clock.sleep(7200)


#: Beside the scenarios of the sweep, which are commands that change something.
MORE = (
    Line("backup check alone db1"),
    Line("backup check alone --prometheus TMP/check.prom"),
    Line("backup check --all --nagios"),
    Line("backup chain list "),
    Line("backup chain list --instance alone"),
    Line("backup chain show inc2"),
    Line(f"backup check --policy {POLICY}"),
    Line(f"backup policy show {POLICY}"),
    Line(f"backup prune --policy {POLICY} --yes"),
    Line("backup rotate --all --keep-last 1 --chain-length 1", _later),
    Line("backup rotate --all --prefer replica", _later),
    Line("backup rotate alone db1 --verify-each week --keep-last 1", _later),
    Line("backup prune --all --keep-last 1 --yes"),
    Line("backup rotate alone db1 --full-every 1h --keep-last 1", _later),
    Line("backup rotate alone", _full_quota),
    Line("backup restore inc2 new --wait", _group),
    Line("backup restore inc2 new --flavor 10 --size 9 --like db1", _group),
    Line(f"backup verify inc2 other --nic {NIC}", _group),
    Line("backup verify --clean-up"),
    Line("instance status db1"),
    Line("replica list "),
    Line("replica list --source db1"),
    Line("replica show db1"),
    Line("replica show rep1 --probe"),
    Line("replica create db1 new --probe --wait", _group),
    Line("replica create db1 new", _full_quota),
    Line("replica promote rep1 --probe --wait"),
)


def lines() -> list[Line]:
    """Return the command lines whose requests make the table."""
    swept = [Line(each.line, each.prepare) for each in SCENARIOS]
    return [each for each in (*swept, *MORE) if each.command is not None]


def collect() -> dict[str, set[Rule]]:
    """Run every command line; return the rules that each command needs."""
    rules: dict[str, set[Rule]] = {}
    for line in lines():
        found = rules.setdefault(str(line.command), set())
        for cloud, result in _runs(line):
            found |= _rules(cloud, result.requests)
    return rules


def _runs(line: Line) -> Iterator[tuple[FakeCloud, Result]]:
    """Run it with names, with IDs, and with its first change refused."""
    cloud, result = _run(line)
    yield cloud, result
    yield _run(line, by_id=True)
    for change in result.requests.changing[:1]:
        yield _run(line, Fault(Kind.BUSY, change.number))


def _run(line: Line, *faults: Fault, by_id: bool = False) -> tuple[FakeCloud, Result]:
    cloud = FakeCloud(FakeClock())
    base(cloud)
    line.prepare(cloud)
    with tempfile.TemporaryDirectory() as folder:
        words = line.line.replace("TMP", folder).split()
        if by_id:
            ids = {each.name: each.id for each in cloud.live_backups}
            ids |= {each.name: each.id for each in cloud.live_instances}
            words = [ids.get(word, word) for word in words]
        asks = line.command == "replica failover"
        argv = ["database", *words]
        return cloud, run_openstack(
            argv, cloud, faults=list(faults), tty=asks, stdin="y\n" if asks else None
        )


def _rules(cloud: FakeCloud, log: RequestLog) -> set[Rule]:
    """Return the rules that these requests need; Keystone's token needs none."""
    server = server_of(cloud)
    return {
        Rule(server.path_pattern(request.path), request.method)
        for request in log.to_trove()
        if request.path.strip("/")
    }


def table(rules: dict[str, set[Rule]]) -> str:
    """Format the table of the documents, a row for each command."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for command, found in sorted(rules.items()):
        writer.writerow(
            (f"``{command}``", "\n".join(f"| ``{rule}``" for rule in sorted(found)))
        )
    return text.getvalue()


def example(rules: dict[str, set[Rule]]) -> str:
    """Format the access rules of all scheduled jobs, as Keystone reads them."""
    wanted = sorted(set().union(*(rules[command] for command in JOBS)))
    wanted_of = {
        "database": [(rule.method, rule.path) for rule in wanted],
        "object-store": STORE,
    }
    rows = [
        json.dumps({"service": service, "method": method, "path": path})
        for service, pairs in wanted_of.items()
        for method, path in pairs
    ]
    return "[\n  " + ",\n  ".join(rows) + "\n]\n"


def read_table() -> dict[str, set[Rule]]:
    """Read the table of the documents back."""
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {
        command.strip("`"): {
            Rule(path, method)
            for method, path in (
                line.removeprefix("| ").strip("`").split() for line in cell.splitlines()
            )
        }
        for command, cell in rows
    }


def main() -> None:
    """Write the table and the example."""
    rules = collect()
    TABLE.write_text(table(rules), encoding="utf-8")
    EXAMPLE.write_text(example(rules), encoding="utf-8")


if __name__ == "__main__":
    main()
