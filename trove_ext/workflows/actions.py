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

"""Send what changes something, and find out what came of it when no answer comes.

A lost answer is never followed by the same request: what is there is looked at
first. Trove stores the task of an action, and so a new ``updated``, before it answers
(``trove/instance/models.py``), so an instance tells whether an action reached it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from trove_ext.exceptions import LostAnswerError, NotFoundError
from trove_ext.model.backup import Backup
from trove_ext.model.instance import Instance
from trove_ext.workflows import resources

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from trove_ext.workflows.cloud import Cloud

R = TypeVar("R")
T = TypeVar("T", Instance, Backup)

#: How far the clock of this machine and the cloud's may be apart.
CLOCK_SKEW = timedelta(minutes=2)
#: What shows what came of a change, after ``openstack database``.
BACKUPS = ("backup", "list")
INSTANCES = ("instance", "list")


def act(cloud: Cloud, what: str, before: Instance, send: Callable[[], object]) -> None:
    """Send an action on an instance, once.

    :param what: the action for messages: "restart of db1 (ID)"
    :param before: the instance as read before
    :raises LostAnswerError: no answer came and the instance has not changed
    """
    try:
        cloud.change(what, send)
    except LostAnswerError as lost:
        now = _read_again(cloud, before)
        if isinstance(now, Instance) and (now.state, now.updated) == (
            before.state,
            before.updated,
        ):
            raise LostAnswerError(
                f"{lost}\n{before} is unchanged ({now.state}): as far as can be seen "
                "the request did not reach it. Look again before you repeat it."
            ) from lost
        cloud.progress.warn(f"{lost}. {before} has changed since: it took effect.")


def delete(cloud: Cloud, what: str, before: T, send: Callable[[], object]) -> None:
    """Send a delete; once more where no answer came and nothing has changed.

    A delete of the same ID twice deletes nothing else. What somebody else deleted
    since it was read is gone, as was wanted.

    :param what: the delete for messages: "delete of backup b1 (ID)"
    :param before: the thing as read before
    :raises LostAnswerError: twice no answer came
    """
    look = BACKUPS if isinstance(before, Backup) else INSTANCES
    try:
        cloud.change(what, send, look=look)
    except NotFoundError:
        cloud.progress.note(f"{before} was deleted by somebody else meanwhile.")
    except LostAnswerError as lost:
        now = _read_again(cloud, before)
        if now is None or now.status != before.status:
            cloud.progress.warn(f"{lost}. {before} has changed since: it took effect.")
            return
        cloud.progress.warn(f"{lost}. {before} is unchanged: sending it again.")
        try:
            cloud.change(what, send, look=look)
        except NotFoundError:
            return


def _read_again(cloud: Cloud, before: T) -> Instance | Backup | None:
    read = (
        resources.get_backup if isinstance(before, Backup) else resources.get_instance
    )
    try:
        return read(cloud, before.id)
    except NotFoundError:
        return None


def create_backup(
    cloud: Cloud,
    name: str,
    instance_id: str | None,
    parent_id: str | None,
    send: Callable[[], str],
) -> str:
    """Send the creation of a backup, once.

    :param send: sends it and returns the new ID
    :returns: the ID of the new backup, also where only the answer was lost
    :raises LostAnswerError: no answer came and no such backup is there
    """

    def made() -> list[Backup]:
        return [
            one
            for one in resources.list_backups(cloud, instance_id=instance_id)
            if one.name == name and (parent_id is None or one.parent_id == parent_id)
        ]

    return _create(cloud, f"creation of backup {name}", send, made, BACKUPS)


def create_instance(cloud: Cloud, name: str, send: Callable[[], str]) -> str:
    """Send the creation of an instance, once.

    Replicas of one request are named with ``-1`` .. ``-n`` behind the name
    (``trove/instance/models.py``, ``Instance.create``); the last is returned, as Trove
    itself does.

    :param send: sends it and returns the new ID
    :raises LostAnswerError: no answer came and no such instance is there
    """

    def made() -> list[Instance]:
        return [one for one in resources.list_instances(cloud) if one.name == name]

    return _create(cloud, f"creation of instance {name}", send, made, INSTANCES)


def _create(
    cloud: Cloud,
    what: str,
    send: Callable[[], str],
    made: Callable[[], list[T]],
    look: tuple[str, ...],
) -> str:
    start = cloud.clock.now() - CLOCK_SKEW
    try:
        return cloud.change(what, send, look=look)
    except LostAnswerError as lost:
        new = [one for one in made() if _since(one.created, start)]
        if len(new) == 1:
            cloud.progress.warn(f"{lost}. {new[0]} was made by it.")
            return new[0].id
        if not new:
            raise LostAnswerError(
                f"{lost}\nNothing of that name is there, so it was not made as far as "
                "can be seen. Look again before you repeat it."
            ) from lost
        ids = ", ".join(one.id for one in new)
        raise LostAnswerError(
            f"{lost}\nSeveral of that name are new: {ids}. Which one was made by this "
            "command can't be told."
        ) from lost


def _since(moment: datetime | None, start: datetime) -> bool:
    return moment is not None and moment >= start
