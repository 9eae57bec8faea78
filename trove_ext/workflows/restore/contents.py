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
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, TroveExtError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Question:
    """A statement that returns one value, and the expected value, as text."""

    statement: str
    expected: str


class MismatchError(TroveExtError):
    """The contents of the restored database are not as expected."""


def require_driver() -> None:
    """Check that PyMySQL is installed, before anything is created for its use.

    :raises CheckError: it is not
    """
    try:
        import pymysql  # noqa: F401
    except ImportError as exc:
        raise CheckError(
            "Queries can't be sent",
            ["they need PyMySQL: pip install 'trove-ext[sql]'"],
        ) from exc


def check(
    cloud: Cloud,
    instance: Instance,
    names: Sequence[str],
    questions: Sequence[Question],
    *,
    deadline: Deadline,
    drop_user: bool,
) -> list[str]:
    """Run each query, as a user that is created for it.

    :param names: of the databases that the user may read
    :param drop_user: whether the instance is kept, so the user must be dropped
    :returns: the results, as texts
    :raises MismatchError: other values than the expected ones; names them all
    :raises QueryError: there is no value, or no route to the database
    :raises WaitTimeoutError: the time-out came before there was one
    """
    from trove_ext.workflows.restore import sql

    addresses = list(dict.fromkeys(found.address for found in instance.addresses))
    texts, wrong = [], []
    with _user(cloud, instance, names, drop=drop_user) as (user, password):
        for question in questions:
            found = sql.ask(
                addresses,
                user,
                password,
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
def _user(
    cloud: Cloud, instance: Instance, names: Sequence[str], *, drop: bool
) -> Iterator[tuple[str, str]]:
    """Make Trove create a user with a random password."""
    # At most 16 characters for older servers; all four kinds for their password rules.
    user = f"verify_{secrets.token_hex(4)}"
    password = f"Aa1-{secrets.token_urlsafe(24)}"
    body = {
        "name": user,
        "password": password,
        "databases": [{"name": name} for name in names],
    }
    manager = cloud.client.users
    cloud.change(
        f"creation of user {user} on {instance}",
        lambda: manager.create(instance.id, [body]),
    )
    try:
        yield user, password
    finally:
        if drop:
            cloud.change(
                f"delete of user {user} on {instance}",
                lambda: manager.delete(instance.id, user),
            )
