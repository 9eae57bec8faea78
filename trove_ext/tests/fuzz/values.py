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

"""The values in the lines of the fuzz test, and the cloud that they run on."""

import pathlib
import random
from dataclasses import dataclass

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.rows import NETWORK_ID
from trove_ext.tests.sweep import scenarios

EXAMPLES = pathlib.Path(__file__).parents[3] / "doc/examples"
#: Every setting of a policy file, as far as it goes.
EXTREMES = pathlib.Path(__file__).with_name("extremes.yaml")
#: Virtual seconds that a line may take; one that waits without a limit ends then.
LONGEST = 20_000.0
ESCAPES = "\x1b]0;owned\x07\x1b[2J"
LONG = "n" * 255
UUID_SHAPED = "0ffee5af-e2ae-41f7-899b-6bbc4e0b526e"

#: Names that Trove allows others in the project to use.
STRANGE = (
    "two words",
    'it\'s "quoted"',
    "two\nlines",
    "-rf",
    "--wait",
    "Grüße-😀-データ",
    "right\u202eto left",
    ESCAPES,
    LONG,
    UUID_SHAPED,
    "a,b=c:d/e?f&g#h%20",
    "*",
)
#: Names in a line that do not exist.
UNKNOWN = (
    "",
    " ",
    "nobody",
    "n" * 256,
    "--",
    "-",
    "../../etc/passwd",
    "$(reboot)",
    "00000000-0000-0000-0000-000000000000",
    "\udcff",
    "\r\x08\x7f\x9b",
    "{}",
    "%s%n",
)
NUMBERS = ("0", "-1", "1000000000", "x", "1.5", "", "1e9", "٣")
DURATIONS = ("7x", "", "-7d", "0", "99999999999999d", "m")
ANYTHING = (*STRANGE, *UNKNOWN, *NUMBERS, *DURATIONS)


@dataclass(frozen=True)
class Values:
    """The possible values of an argument.

    :ivar good: values that make sense, used most often
    :ivar bad: similar values that do not
    """

    good: tuple[str, ...]
    bad: tuple[str, ...] = ()

    def pick(self, choose: random.Random, wild: float) -> str:
        """Choose a suitable value, or with this probability any value."""
        if choose.random() >= wild:
            return choose.choice(self.good)
        return choose.choice(choose.choice((self.bad or ANYTHING, ANYTHING)))


INSTANCES = Values(
    ("db1", "rep1", "rep2", "alone", "alone", "pg", "pg-rep1", "pg-rep2", *STRANGE)
)
BACKUPS = Values(
    ("full", "inc1", "inc2", "inc2", "other", "pg-full", "latest", *STRANGE)
)
COUNTS = Values(("1", "2", "9"), NUMBERS)
SECONDS = Values(("0", "1", "30", "600"), ("-1", "inf", "nan", "x", "1e400"))
SPANS = Values(("7d", "1h30m", "36h", "14d"), DURATIONS)
NICS = Values(
    (f"net-id={NETWORK_ID}",),
    (
        f"net-id={NETWORK_ID},ip-address=10.0.0.9",
        f"net-id={NETWORK_ID},subnet-id=x",
        "net-id=",
        "ip-address=10.0.0.9",
        "=,=,",
        "v4-fixed-ip=300.1.1.1",
    ),
)
CIDRS = Values(("10.0.0.0/8",), ("10.0.0.1/8", "::/0", "300.0.0.0/8", ""))
FLAVORS = Values(("10", "11", "db.small", "db.medium"), ("99", ""))
GROUPS = Values(("tuned",), ("nobody", UUID_SHAPED))
PATTERNS = Values(
    ("{instance}-{type}-{time}", "{instance}-{type}", "x"),
    ("{", "{nobody}", "{0}", "{time:%Q}"),
)
USERS = Values(("app:secret:with:colons",), ("app", ":", "app:", ESCAPES + ":x"))
FILES = Values(("-",), ("/nowhere/at/all", "/", "", ESCAPES))
#: Files that a command writes: relative, since the test may run as root.
WRITTEN = Values(("backups.prom",), ("nowhere/x.prom", ".prom", "x", "", ESCAPES))
MOMENTS = Values(
    ("2030-01-01T00:00+02:00", "2020-02-29T23:59:60Z", "2026-10-25T02:30-05:00"),
    ("2026-11-24", "2026-11-24T10:00", "now", "0001-01-01T00:00+14:00"),
)
#: Files with rules; a file that is none of these, such as this one, is refused.
POLICIES = Values(
    (str(EXAMPLES / "backups.yaml"), str(EXTREMES), str(scenarios.VERIFIED)),
    (__file__, "/nowhere", "/", ""),
)
VERSIONS = Values(("5.7.40", "5.7.29"), ("9", UUID_SHAPED))

#: Part of an argument's name or metavar, and its values; the first match counts.
KINDS = (
    ("<time>", MOMENTS),
    ("second", SECONDS),
    ("timeout", SECONDS),
    ("duration", SPANS),
    ("nic", NICS),
    ("net-id", NICS),
    ("cidr", CIDRS),
    ("range", CIDRS),
    ("flavor", FLAVORS),
    ("configuration", GROUPS),
    ("pattern", PATTERNS),
    ("credential", FILES),
    ("policy", POLICIES),
    ("prometheus", WRITTEN),
    ("user", USERS),
    ("<n>", COUNTS),
    ("number", COUNTS),
    ("count", COUNTS),
    ("size", COUNTS),
    ("limit", COUNTS),
    ("gb", COUNTS),
    ("parent", BACKUPS),
    ("backup", BACKUPS),
    ("instance", INSTANCES),
    ("replica", INSTANCES),
    ("source", INSTANCES),
    ("like", INSTANCES),
    ("database", Values(("shop",))),
    ("version", VERSIONS),
    ("name", Values(("new", "new", *STRANGE))),
)


def values_for(*hints: str) -> Values:
    """Return the possible values of an argument, by its name."""
    text = " ".join(hints).lower()
    return next((values for part, values in KINDS if part in text), Values(ANYTHING))


def make_cloud() -> FakeCloud:
    """Make the cloud of the sweep; add a set of PostgreSQL, and unusual names."""
    cloud = FakeCloud(FakeClock(limit=LONGEST))
    scenarios.base(cloud)
    head = cloud.add_instance("pg", databases=("shop",), datastore="postgresql")
    for name in ("pg-rep1", "pg-rep2"):
        cloud.add_instance(name, datastore="postgresql", replica_of=head)
    cloud.add_backup("pg-full", head)
    cloud.add_configuration("tuned")
    alone = cloud.instance("alone")
    for name in STRANGE:
        one = cloud.add_instance(name, databases=("shop",))
        cloud.clock.advance(60)
        full = cloud.add_backup(name, one, description=name)
        cloud.add_backup(name, alone, parent=full)
    return cloud
