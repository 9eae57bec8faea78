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


"""Each workflow on a real Trove: what it needs, and when it is really done.

All of them share a project with an instance ``db`` and its backup ``base``, an
instance ``other`` and its backups, and a set of ``one`` and ``two``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from trove_ext.tests.sweep.project import NETWORK, VERSION, Project, State

FLAVORS = ("db.small", "db.medium")
NEW = (
    f"--flavor db.small --size 1 --datastore mysql --datastore-version {VERSION} "
    f"--nic net-id={NETWORK}"
)
STAYING = {"db", "other", "one", "two", "base", "kept"}


@dataclass(frozen=True)
class Ready:
    """A command line, and its permitted effects.

    :ivar done: whether the project is in the state that a success reports
    :ivar made: how many more instances and backups may exist afterwards
    :ivar deleted: IDs of what it may delete
    """

    line: str
    done: Callable[[State], bool]
    made: int = 0
    deleted: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class RealScenario:
    """A workflow.

    :ivar prepare: creates what it needs, and returns its permitted effects
    :ivar weight: how often it is drawn, compared with the others
    """

    name: str
    prepare: Callable[[Project, State], Ready]
    weight: int = 4


def kept(resource: dict[str, Any]) -> bool:
    """Whether it belongs to what all scenarios share."""
    return resource["name"] in STAYING


def base(project: Project) -> State:
    """Create what is missing of what all share, and remove the rest."""
    state = project.settle()
    broken = [
        instance["name"]
        for instance in state.instances.values()
        if kept(instance) and not state.settled(instance["name"])
    ]
    whole = {state.source_of("one"), state.source_of("two")} in (
        {None, "one"},
        {None, "two"},
    )
    if not whole:
        broken += ["one", "two"]
    if not all(map(kept, [*state.instances.values(), *state.backups.values()])) or (
        broken
    ):
        project.delete(
            state, lambda backup: kept(backup) and backup["name"] not in broken
        )
        state = project.state()
    for name in ("db", "other", "one"):
        if state.instance(name) is None:
            create(project, name)
    if state.instance("two") is None:
        replica(project, "one", "two")
    for name, instance in (("base", "db"), ("kept", "other")):
        if not state.completed(name):
            backup(project, instance, name)
    return project.state()


def create(project: Project, name: str) -> None:
    """Make an instance with a database."""
    project.openstack(
        *("instance", "create", name, *NEW.split(), "--wait"),
        *("--databases", "shop", "--users", "dbusr:dbpassword"),
    )


def replica(project: Project, source: str, name: str) -> None:
    """Make a replica."""
    project.openstack("replica", "create", source, name, "--wait")


def backup(project: Project, instance: str, name: str, *options: str) -> str:
    """Take a backup; return its ID."""
    project.openstack("backup", "create", instance, name, *options, "--wait")
    found = project.state().backup(name)
    assert found is not None
    return str(found["id"])


def _backup_create(project: Project, _state: State) -> Ready:
    name = project.new_name()
    return Ready(
        f"backup create db {name} --wait", lambda now: now.completed(name), made=1
    )


def _incremental(project: Project, _state: State) -> Ready:
    name = project.new_name()
    return Ready(
        f"backup create db {name} --incremental --parent base --wait",
        lambda now: now.completed(name),
        made=1,
    )


def _delete(verb: str) -> Callable[[Project, State], Ready]:
    def prepare(project: Project, _state: State) -> Ready:
        full, child = project.new_name(), project.new_name()
        ids = {
            backup(project, "db", full),
            backup(project, "db", child, "--incremental", "--parent", full),
        }
        return Ready(
            f"backup {verb} {full} --yes --wait",
            lambda now: not ids & set(now.backups),
            deleted=frozenset(ids),
        )

    return prepare


def _prune(project: Project, state: State) -> Ready:
    # The shared one is the oldest, so it is deleted; it is created again.
    oldest = {
        backup["id"] for backup in state.backups.values() if backup["name"] == "kept"
    }
    backup(project, "other", project.new_name())
    return Ready(
        "backup prune other --keep-last 1 --yes",
        lambda now: not oldest & set(now.backups),
        deleted=frozenset(oldest),
    )


def _rotate(project: Project, state: State) -> Ready:
    other = (state.instance("other") or {})["id"]
    before = set(state.backups)

    def done(now: State) -> bool:
        new = [backup for backup in now.backups.values() if backup["id"] not in before]
        return [(backup["instance_id"], backup["status"]) for backup in new] == [
            (other, "COMPLETED")
        ]

    return Ready("backup rotate other --keep-last 50", done, made=1)


def _restore(project: Project, _state: State) -> Ready:
    name = project.new_name()
    return Ready(
        f"backup restore base {name} --wait", lambda now: now.settled(name), made=1
    )


def _verify(_project: Project, state: State) -> Ready:
    before = set(state.instances)
    # It may remain if it can't be deleted; then it has to be named.
    return Ready(
        "backup verify base --expect-database shop",
        lambda now: set(now.instances) == before,
        made=1,
    )


def _instance_create(project: Project, _state: State) -> Ready:
    name = project.new_name()
    return Ready(
        f"instance create {name} {NEW} --wait", lambda now: now.settled(name), made=1
    )


def _instance_delete(project: Project, _state: State) -> Ready:
    name = project.new_name()
    create(project, name)
    one = (project.state().instance(name) or {})["id"]
    return Ready(
        f"instance delete {name} --wait",
        lambda now: one not in now.instances,
        deleted=frozenset([one]),
    )


def _restart(_project: Project, _state: State) -> Ready:
    return Ready("instance restart db --wait", lambda now: now.settled("db"))


def _resize(_project: Project, state: State) -> Ready:
    old = (state.instance("db") or {})["flavor"]["id"]
    new = FLAVORS[old == FLAVORS[0]]
    return Ready(
        f"instance resize flavor db {new} --wait",
        lambda now: (
            now.settled("db") and (now.instance("db") or {})["flavor"]["id"] == new
        ),
    )


def _replica_create(line: str) -> Callable[[Project, State], Ready]:
    def prepare(project: Project, state: State) -> Ready:
        source, _ = _roles(state)
        name = project.new_name()
        return Ready(
            line.format(source=source, name=name),
            lambda now: now.source_of(name) == source and now.settled(name),
            made=1,
        )

    return prepare


def _promote(noun: str) -> Callable[[Project, State], Ready]:
    def prepare(_project: Project, state: State) -> Ready:
        source, target = _roles(state)
        return Ready(
            f"{noun} promote {target} --wait",
            lambda now: (
                now.source_of(source) == target
                and now.source_of(target) is None
                and now.settled(source)
                and now.settled(target)
            ),
        )

    return prepare


def _detach(noun: str) -> Callable[[Project, State], Ready]:
    def prepare(project: Project, state: State) -> Ready:
        source, _ = _roles(state)
        name = project.new_name()
        replica(project, source, name)
        return Ready(
            f"{noun} detach {name} --wait",
            lambda now: now.source_of(name) is None and now.settled(name),
        )

    return prepare


def _failover(line: str) -> Callable[[Project, State], Ready]:
    def prepare(project: Project, _state: State) -> Ready:
        source, target = project.new_name(), project.new_name()
        create(project, source)
        replica(project, source, target)
        project.host_off(source)
        return Ready(
            line.format(source=source),
            lambda now: now.source_of(target) is None and now.settled(target),
        )

    return prepare


def _roles(state: State) -> tuple[str, str]:
    """The source of the shared set, and its replica."""
    return ("one", "two") if state.source_of("one") is None else ("two", "one")


SCENARIOS = (
    RealScenario("backup create", _backup_create),
    RealScenario("backup create incremental", _incremental),
    RealScenario("backup delete", _delete("delete")),
    RealScenario("backup chain delete", _delete("chain delete")),
    RealScenario("backup prune", _prune),
    RealScenario("backup rotate", _rotate),
    RealScenario("backup restore", _restore),
    RealScenario("backup verify", _verify),
    RealScenario("instance create", _instance_create),
    RealScenario(
        "instance create replica",
        _replica_create("instance create {name} --replica-of {source} --wait"),
    ),
    RealScenario("instance delete", _instance_delete),
    RealScenario("instance promote", _promote("instance")),
    RealScenario("instance detach", _detach("instance"), weight=2),
    RealScenario("instance eject", _failover("instance eject {source} --wait"), 1),
    RealScenario("instance restart", _restart),
    RealScenario("instance resize flavor", _resize),
    RealScenario(
        "replica create", _replica_create("replica create {source} {name} --wait")
    ),
    RealScenario("replica promote", _promote("replica")),
    RealScenario("replica detach", _detach("replica")),
    RealScenario(
        "replica failover", _failover("replica failover {source} --yes --wait"), 1
    ),
)
