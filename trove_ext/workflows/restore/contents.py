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

"""The contents of a restored instance: databases by Trove's API, data by SQL."""

from __future__ import annotations

import contextlib
import importlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, RefusedError, TroveExtError
from trove_ext.follow_up import Problem, Setting, add
from trove_ext.workflows.restore.restore import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trove_ext.model.engine import Engine
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.sql import Login

#: Names of the drivers' packages, by the names of their modules.
_PACKAGES = {"pymysql": "PyMySQL"}
#: Databases that Trove lists nowhere and every server has (``ignore_dbs`` of
#: ``[postgresql]`` in ``trove/common/cfg.py``).
_HIDDEN = frozenset({"postgres"})


@dataclass(frozen=True, slots=True)
class Question:
    """A statement that returns one value, and the expected value, as text."""

    statement: str
    expected: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What there is to query.

    :ivar databases: those that are known to exist
    :ivar listed: whether these are all
    """

    databases: tuple[str, ...]
    listed: bool = True


class MismatchError(TroveExtError):
    """The contents of the restored database are not as expected."""


def require_drivers(engines: Iterable[Engine]) -> None:
    """Check that the drivers are installed, before anything is created for their use.

    :raises CheckError: one is not; names all
    """
    missing = []
    for engine in dict.fromkeys(engines):
        try:
            importlib.import_module(engine.driver)
        except ImportError:
            package = _PACKAGES.get(engine.driver, engine.driver)
            missing.append(f"they need {package}: pip install 'trove-ext[sql]'")
    if missing:
        raise CheckError("Queries can't be sent", missing)


def choose_database(
    engine: Engine, contents: Contents, wanted: str | None
) -> str | None:
    """Return the database to connect to; None if the engine needs none.

    :param wanted: the user's choice
    :raises MismatchError: that one is missing
    :raises SettingsError: there is no choice, and not exactly one database
    """
    if wanted is not None:
        known = wanted in contents.databases or wanted in _HIDDEN
        if contents.listed and not known:
            raise MismatchError(
                f"the database {wanted} is missing; there are: "
                f"{', '.join(contents.databases) or 'none'}"
            )
        return wanted
    if not engine.connects_to_database:
        return None
    if len(contents.databases) == 1:
        return contents.databases[0]
    there = ", ".join(contents.databases) or "none that Trove lists"
    raise SettingsError(
        "The query can't be sent",
        [
            Problem(
                f"a connection to {engine.title} is one to a database, and it is not "
                f"known to which; there are: {there}",
                (add("name it", Setting.QUERY_DATABASE),),
            )
        ],
    )


def check(
    cloud: Cloud,
    instance: Instance,
    login: Login,
    questions: Sequence[Question],
    *,
    engine: Engine,
    deadline: Deadline,
) -> list[str]:
    """Run each query.

    :param login: see :func:`query_user`
    :returns: the results, as texts
    :raises MismatchError: other values than the expected ones; names them all
    :raises QueryError: there is no value, or no route to the database
    :raises WaitTimeoutError: the time-out came before there was one
    """
    from trove_ext.workflows.restore import sql

    driver = sql.driver_of(engine)
    addresses = list(dict.fromkeys(found.address for found in instance.addresses))
    texts, wrong = [], []
    for question in questions:
        found = sql.ask(
            driver,
            addresses,
            login,
            question.statement,
            deadline=deadline,
            clock=cloud.clock,
        )
        texts.append(f"{question.statement}: {found}")
        if found != question.expected:
            wrong.append(
                f"expected {question.expected}, found {found}: {question.statement}"
            )
    if wrong:
        raise MismatchError("; ".join(wrong))
    return texts


@contextlib.contextmanager
def query_user(
    cloud: Cloud,
    instance: Instance,
    contents: Contents,
    *,
    engine: Engine,
    database: str | None,
    keep: bool,
) -> Iterator[Login]:
    """Make Trove create a user who may read everything, with a random password.

    That is root on an engine whose other users can't.

    :param contents: the databases that a user may read
    :param database: the one to connect to
    :param keep: whether the instance is kept, so the user must not be
    """
    from trove_ext.workflows.restore.sql import Login

    # At most 16 characters for older servers; all four kinds for their password rules.
    user = f"verify_{secrets.token_hex(4)}" if engine.users_read_all else "root"
    login = Login(user, f"Aa1-{secrets.token_urlsafe(24)}", database)
    if engine.users_read_all:
        _create(cloud, instance, login, contents.databases)
    else:
        _enable_root(cloud, instance, login)
    try:
        yield login
    finally:
        if keep:
            _drop(cloud, instance, login, engine)


def _create(
    cloud: Cloud, instance: Instance, login: Login, names: Sequence[str]
) -> None:
    body = {
        "name": login.user,
        "password": login.password,
        "databases": [{"name": name} for name in names],
    }
    manager = cloud.client.users
    cloud.change(
        f"creation of user {login.user} on {instance}",
        lambda: manager.create(instance.id, [body]),
    )


def _enable_root(cloud: Cloud, instance: Instance, login: Login) -> None:
    """Enable root on the restored instance alone; its source is not changed.

    :raises SettingsError: Trove refuses it, which proves nothing about the backup
    """
    manager = cloud.client.root
    try:
        cloud.change(
            f"enabling of root on {instance}",
            lambda: manager.create_instance_root(instance.id, login.password),
        )
    except RefusedError as exc:
        raise SettingsError(
            "The query can't be sent",
            [f"only root may read all tables, and can't be enabled: {exc}"],
        ) from exc


def _drop(cloud: Cloud, instance: Instance, login: Login, engine: Engine) -> None:
    if engine.users_read_all:
        users = cloud.client.users
        cloud.change(
            f"delete of user {login.user} on {instance}",
            lambda: users.delete(instance.id, login.user),
        )
        return
    # Trove gives root another password, which nobody knows.
    root = cloud.client.root
    cloud.change(
        f"disabling of root on {instance}",
        lambda: root.disable_instance_root(instance.id),
    )
