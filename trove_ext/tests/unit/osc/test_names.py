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

"""Every command that takes a name has the same rule for names.

A name that several things have is refused with the IDs of all of them, an unknown one
in the same words everywhere, and an ID always works. Commands that take several names
report all that are wrong at once and carry on with the others, except those that
delete by a plan.
"""

import importlib
import re
from dataclasses import dataclass, replace

import testtools

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.unit import test_commands as commands

NIC = "net-id=908816f1-933c-4ff2-8595-f0f57c689e48"
NEW = f"--nic {NIC}"
INSTANCE, BACKUP, GROUP, FLAVOR, PROJECT = (
    "instance",
    "backup",
    "configuration group",
    "flavor",
    "project",
)
#: What a command that takes several names does with the others if one is wrong.
OTHERS_GO_ON, NOTHING_IS_DONE = "the others go on", "nothing is done"
#: A help text or a metavar that speaks of a name of something that exists.
TAKES_A_NAME = re.compile(
    r"\b(name or ID|ID or name)\b|<(instance|backup|source|replica|flavor|group)>",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Name:
    """A place for a name in a command line.

    :ivar line: with ``{name}`` in it
    :ivar several: what happens to others that are right; empty if it takes one name
    """

    command: str
    dest: str
    line: str
    kind: str
    several: str = ""


NAMES = (
    Name("backup chain delete", "backup", "{name} --yes", BACKUP, NOTHING_IS_DONE),
    Name("backup chain list", "instance", "--instance {name}", INSTANCE),
    Name("backup chain list", "instance", "--long --instance {name}", INSTANCE),
    Name("backup chain list", "project", "--project {name}", PROJECT),
    Name("backup chain show", "backup", "{name}", BACKUP),
    Name("backup chain show", "instance", "--instance {name}", INSTANCE),
    Name("backup check", "instance", "{name}", INSTANCE, OTHERS_GO_ON),
    Name(
        "backup prune",
        "instance",
        "{name} --keep-last 1 --yes",
        INSTANCE,
        NOTHING_IS_DONE,
    ),
    Name("backup register", "backup", "{name} --to-region Two", BACKUP),
    Name("backup register", "instance", "--instance {name} --to-region Two", INSTANCE),
    Name("backup restore", "backup", f"{{name}} new {NEW}", BACKUP),
    Name("backup restore", "instance", f"new {NEW} --instance {{name}}", INSTANCE),
    Name("backup restore", "like", f"full new {NEW} --like {{name}}", INSTANCE),
    Name("backup restore", "flavor", f"full new {NEW} --flavor {{name}}", FLAVOR),
    Name(
        "backup restore",
        "configuration",
        f"full new {NEW} --configuration {{name}}",
        GROUP,
    ),
    Name("backup rotate", "instance", "{name} --min-age 0", INSTANCE, OTHERS_GO_ON),
    Name("backup verify", "backup", f"{{name}} {NEW}", BACKUP, OTHERS_GO_ON),
    Name("backup verify", "instance", f"{NEW} --instance {{name}}", INSTANCE),
    Name("backup verify", "like", f"full {NEW} --like {{name}}", INSTANCE),
    Name("backup verify", "flavor", f"full {NEW} --flavor {{name}}", FLAVOR),
    Name(
        "backup verify",
        "configuration",
        f"full {NEW} --configuration {{name}}",
        GROUP,
    ),
    Name("backup wait", "backup", "{name}", BACKUP, OTHERS_GO_ON),
    Name("instance clone", "source", f"{{name}} new {NEW}", INSTANCE),
    Name("instance clone", "backup", f"db1 new {NEW} --from {{name}}", BACKUP),
    Name("instance clone", "flavor", f"db1 new {NEW} --flavor {{name}}", FLAVOR),
    Name("instance clone", "like", f"db1 new {NEW} --like {{name}}", INSTANCE),
    Name(
        "instance clone",
        "configuration",
        f"db1 new {NEW} --configuration {{name}}",
        GROUP,
    ),
    Name("instance status", "instance", "{name}", INSTANCE),
    Name("instance wait", "instance", "{name}", INSTANCE, OTHERS_GO_ON),
    Name("instance wait", "goal", "rep1 --for replica-of={name}", INSTANCE),
    Name("replica create", "source", f"{{name}} new {NEW}", INSTANCE),
    Name("replica create", "source_option", f"new {NEW} --source {{name}}", INSTANCE),
    Name(
        "replica create",
        "configuration",
        f"db1 new {NEW} --configuration {{name}}",
        GROUP,
    ),
    Name("replica detach", "replica", "{name} --wait", INSTANCE, OTHERS_GO_ON),
    Name("replica failover", "source", "{name} --yes", INSTANCE),
    Name("replica list", "project", "--project {name}", PROJECT),
    Name("replica list", "source", "--source {name}", INSTANCE),
    Name("replica promote", "replica", "{name}", INSTANCE),
    Name("replica replace", "replica", "{name}", INSTANCE),
    Name("replica replace", "source", "rep1 --source {name}", INSTANCE),
    Name("replica replace", "replacement", "rep1 --with {name}", INSTANCE),
    Name("replica replace", "configuration", "rep1 --configuration {name}", GROUP),
    Name("replica restart", "member", "{name}", INSTANCE),
    Name("replica restart", "skip", "rep1 --skip {name}", INSTANCE),
    Name("replica show", "instance", "{name}", INSTANCE),
    Name("backup create", "instance_positional", "{name} new", INSTANCE),
    Name("backup create", "instance_positional", "{name} new --wait", INSTANCE),
    Name("backup create", "instance", "new --instance {name}", INSTANCE),
    Name("backup create", "parent", "db1 new --parent {name}", BACKUP),
    Name("backup delete", "backup", "{name} --yes", BACKUP, NOTHING_IS_DONE),
    Name("backup delete", "backup", "{name} --yes --wait", BACKUP, OTHERS_GO_ON),
    Name("backup list", "instance", "--instance {name}", INSTANCE),
    Name(
        "instance create",
        "backup",
        f"new --flavor 10 --size 5 {NEW} --backup {{name}}",
        BACKUP,
    ),
    Name("instance create", "replica_of", f"new {NEW} --replica-of {{name}}", INSTANCE),
    Name("instance delete", "instance", "{name}", INSTANCE, NOTHING_IS_DONE),
    Name("instance delete", "instance", "{name} --wait", INSTANCE, OTHERS_GO_ON),
    Name("instance detach", "instance", "{name}", INSTANCE),
    Name("instance eject", "instance", "{name}", INSTANCE),
    Name("instance promote", "instance", "{name}", INSTANCE),
    Name("instance reboot", "instance", "{name}", INSTANCE),
    Name("instance rebuild", "instance", "{name} image", INSTANCE),
    Name("instance resize flavor", "instance", "{name} 11", INSTANCE),
    Name("instance resize flavor", "flavor", "db1 {name} --wait", FLAVOR),
    Name("instance resize volume", "instance", "{name} 9", INSTANCE),
    Name("instance restart", "instance", "{name}", INSTANCE),
    Name("instance upgrade", "instance", "{name} 5.7.29", INSTANCE),
)
#: Names that are looked up by python-troveclient, Trove or Keystone alone.
FOUND_BY_OTHERS = {
    ("backup list", "datastore"),
    ("instance create", "datastore"),
    ("instance create", "datastore_version"),
    ("instance create", "flavor"),
    ("instance create", "modules"),
    ("instance upgrade", "datastore_version"),
}
#: Names that are looked up among the replicas of one set.
AMONG_REPLICAS = {("replica failover", "to")}

#: What shows that a command has done its work for "alone", or its backup "full".
DONE = {
    "backup check": lambda _cloud, shown: re.search(r"\| alone .*\| ok ", shown),
    "backup delete": lambda cloud, _shown: cloud.backups[_full(cloud)].deleted,
    "backup rotate": lambda cloud, _shown: (
        sum(
            backup.instance_id == cloud.instance("alone").id
            for backup in cloud.live_backups
        )
        == 3
    ),
    "backup verify": lambda _cloud, shown: re.search(
        r"\| full .*\| total .*\| restored ", shown
    ),
    "backup wait": lambda cloud, shown: _full(cloud) in shown,
    "instance delete": lambda cloud, _shown: (
        "alone" not in {instance.name for instance in cloud.live_instances}
    ),
    "instance wait": lambda cloud, shown: cloud.instance("alone").id in shown,
    "replica detach": lambda cloud, _shown: cloud.instance("rep1").replica_of is None,
}


def _full(cloud):
    return next(key for key, row in cloud.backups.items() if row.name == "full")


def make_cloud():
    """Make a cloud with two of each kind named twin, and two named pair."""
    cloud = FakeCloud(FakeClock())
    db1 = cloud.add_instance("db1")
    cloud.add_instance("rep1", replica_of=db1)
    alone = cloud.add_instance("alone")
    cloud.add_backup("full", alone)
    cloud.clock.sleep(60)
    cloud.add_backup("newer", alone)
    for name in ("twin", "twin", "pair", "pair"):
        cloud.add_instance(name)
        cloud.add_backup(name, db1)
        cloud.add_configuration(name)
        flavor = cloud.flavors["10"]
        key = str(900 + len(cloud.flavors))
        cloud.flavors[key] = replace(flavor, id=key, name=name)
        projects = server_of(cloud).keystone.other_projects
        projects[f"{len(projects):032x}"] = name
    return cloud


def ids_of(cloud, kind, *names):
    """Return the IDs of all things of a kind that have these names."""
    things = {
        INSTANCE: cloud.instances,
        BACKUP: cloud.backups,
        GROUP: cloud.configurations,
        FLAVOR: cloud.flavors,
    }.get(kind, {})
    if kind == PROJECT:
        projects = server_of(cloud).keystone.other_projects
        return [key for key, name in projects.items() if name in names]
    return [thing.id for thing in things.values() if thing.name in names]


def run(name, text, cloud):
    words = f"{name.command} {name.line.format(name=text)}".split()
    return run_openstack(["database", *words], cloud)


def spaced(text):
    """Put a text in one line: a table breaks it where a column ends."""
    return " ".join(text.split())


def places():
    """Pairs (command, dest) of everything in setup.cfg that takes a name."""
    parsers = {
        name: commands._parser(command_class)
        for name, command_class in commands._ours().items()
    }
    stock = commands._stock()
    for name, hook in commands._hooked():
        module, _, class_name = stock[name].partition(":")
        command_class = getattr(importlib.import_module(module), class_name)
        parsers[name] = commands._parser(command_class, hook)
    for name, parser in parsers.items():
        command = commands._words(name).removeprefix("database ")
        for action in commands._actions(parser):
            if TAKES_A_NAME.search(f"{action.help} {action.metavar}"):
                yield command, action.dest


class NamesTest(testtools.TestCase):
    def each(self, names=NAMES):
        for name in names:
            with self.subTest(f"{name.command} {name.line}"):
                yield name, make_cloud()

    def assert_refused(self, result, name):
        self.assertEqual(1, result.exit_code, f"{name}: {result.stderr}")
        self.assertNotIn("Traceback", result.stderr)

    def test_every_place_for_a_name_is_in_the_table(self):
        ours = {(name.command, name.dest) for name in NAMES}
        found = set(places())
        self.assertEqual(set(), found - ours - FOUND_BY_OTHERS - AMONG_REPLICAS)
        # Trove's own option says nothing of a name: it takes IDs without us.
        self.assertLessEqual(ours - found, {("backup create", "parent")})
        self.assertLessEqual(FOUND_BY_OTHERS, found)

    def test_one_that_several_have_is_refused_with_the_ids_of_all(self):
        for name, cloud in self.each():
            result = run(name, "twin", cloud)
            self.assert_refused(result, name)
            said = spaced(result.stderr)
            self.assertIn("More than one", said)
            self.assertIn("exists with the name 'twin'; give the ID of one: ", said)
            for key in ids_of(cloud, name.kind, "twin"):
                self.assertRegex(said, rf"{key} \(.+?\)", str(name))
            self.assertEqual([], result.requests.changing, str(name))

    def test_an_unknown_one_is_refused_in_the_same_words(self):
        for name, cloud in self.each():
            result = run(name, "nosuch", cloud)
            self.assert_refused(result, name)
            self.assertRegex(
                spaced(result.stderr),
                f"No {name.kind}( for mysql 5.7.29)? with a name or ID of 'nosuch' "
                "exists",
                str(name),
            )
            self.assertEqual([], result.requests.changing, str(name))

    def test_an_id_is_taken_whatever_names_there_are(self):
        for name, cloud in self.each():
            key = ids_of(cloud, name.kind, "twin")[0]
            decoy = ids_of(cloud, name.kind, "pair")[0]
            if name.kind == INSTANCE:
                cloud.instances[decoy].name = key
            if name.kind == BACKUP:
                cloud.backups[decoy].name = key
            result = run(name, key, cloud)
            for text in ("More than one", "No", "Traceback"):
                self.assertNotIn(f"{text} {name.kind}", spaced(result.stderr), name)

    def test_several_that_are_wrong_are_reported_at_once(self):
        for name, cloud in self.each([name for name in NAMES if name.several]):
            good = "full" if name.kind == BACKUP else "alone"
            good = "rep1" if name.command == "replica detach" else good
            result = run(name, f"twin {good} nosuch pair", cloud)
            self.assert_refused(result, name)
            said = spaced(result.stderr)
            self.assertIn("a name or ID of 'nosuch' exists", said)
            for key in ids_of(cloud, name.kind, "twin", "pair"):
                self.assertIn(key, said, str(name))
            if name.several == NOTHING_IS_DONE:
                self.assertEqual([], result.requests.changing, str(name))
            else:
                self.assertTrue(DONE[name.command](cloud, result.stdout), result.stdout)

    def test_a_deleted_instance_is_found_by_its_id_alone(self):
        lines = {"backup chain list", "backup check", "backup prune"}
        names = [
            name for name in NAMES if name.command in lines and name.kind == INSTANCE
        ]
        for name, cloud in self.each(names):
            gone = cloud.instance("alone")
            gone.deleted = True
            by_name = run(name, "alone", cloud)
            self.assert_refused(by_name, name)
            self.assertIn("ID of 'alone' exists", spaced(by_name.stderr))
            by_id = run(name, gone.id, cloud)
            self.assertEqual(0, by_id.exit_code, by_id.stderr)
