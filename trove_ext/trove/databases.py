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

"""The databases of an instance, as Trove lists them: the server's own are hidden.

If one name is not allowed by Trove's own rules, for example a single letter, the whole
list fails with 400 (``trove/common/db/mysql/models.py``, ``MySQLSchema``, which the
guest makes from each row): SQL can create such a database.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import NotFoundError, TroveExtError
from trove_ext.follow_up import Action, Verb, to
from trove_ext.trove import pages
from trove_ext.trove.resources import fields_of

if TYPE_CHECKING:
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


def names(cloud: Cloud, instance: Instance) -> tuple[str, ...]:
    """List all, page by page.

    :raises RefusedError: one of them has a name that Trove does not allow
    """
    read = partial(cloud.client.databases.list, instance.id)
    return tuple(_names_in(pages.read_pages(cloud, f"Databases of {instance}", read)))


def users(cloud: Cloud, instance: Instance) -> tuple[str, ...]:
    """List the names of all users, page by page.

    :raises RefusedError: one of them has a name that Trove does not allow
    """
    read = partial(cloud.client.users.list, instance.id)
    rows = pages.read_pages(cloud, f"Users of {instance}", read)
    return tuple(fields_of(row, "user").need_text("name") for row in rows)


def create(cloud: Cloud, instance: Instance, name: str) -> None:
    """Ask Trove to create one: the guest does it later, and only logs a failure.

    :raises RefusedError: it exists already, or the names can't be listed
    """
    manager = cloud.client.databases
    cloud.change(
        f"creation of database {name} on {instance}",
        lambda: manager.create(instance.id, [{"name": name}]),
        shown_by=Action(Verb.LIST_DATABASES, (instance.id,)),
    )


def drop(cloud: Cloud, instance: Instance, name: str, called: str = "Database") -> None:
    """Drop one that was made for a check; if that fails, warn with the way to do it.

    :param called: what it is, at the beginning of the warning
    """
    manager = cloud.client.databases
    try:
        cloud.change(
            f"drop of database {name} on {instance}",
            lambda: manager.delete(instance.id, name),
            shown_by=Action(Verb.LIST_DATABASES, (instance.id,)),
        )
    except NotFoundError:
        return
    except TroveExtError as exc:
        cloud.progress.warn(
            f"{called} {name} may still exist on {instance}: {exc}",
            to("drop it", Action(Verb.DELETE_DATABASE, (instance.id, name))),
        )


def has(cloud: Cloud, instance: Instance, name: str) -> bool:
    """Return whether one exists, reading no others than those right before it.

    :raises RefusedError: one of these has a name that Trove does not allow
    """
    marker: str | None = name[:-1]
    while True:
        page = cloud.read(
            f"Databases of {instance}",
            partial(
                cloud.client.databases.list,
                instance.id,
                limit=1,
                marker=marker or None,
            ),
        )
        found = _names_in(page)
        if name in found:
            return True
        marker = page.next
        if not marker or any(other.lower() > name.lower() for other in found):
            return False


def _names_in(page: Any) -> list[str]:
    return [fields_of(row, "database").need_text("name") for row in page]
