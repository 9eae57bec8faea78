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

"""Send changes; after a lost response, determine whether the change took effect.

After a lost response the same request is never sent at once: the state is read first.
Trove stores the task of an action, and so a new ``updated``, before it responds
(``trove/instance/models.py``), so an instance shows whether an action reached it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from trove_ext.exceptions import LostAnswerError, NotFoundError, TroveExtError
from trove_ext.follow_up import Action, FollowUp, Verb, to
from trove_ext.model.backup import Backup
from trove_ext.model.instance import Instance
from trove_ext.model.status import BACKUP
from trove_ext.trove import read, token

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import timedelta

    from trove_ext.trove.client import Cloud

R = TypeVar("R")
T = TypeVar("T", Instance, Backup)

#: The status of an instance with a backup in progress, which changes its status and not
#: its ``updated`` (``trove/instance/models.py``, ``SimpleInstance.status``).
NOT_BY_AN_ACTION = frozenset({BACKUP})
#: What is created, for messages.
BACKUP, INSTANCE = "backup", "instance"
#: The action that shows the result of a change.
BACKUPS = Action(Verb.LIST_BACKUPS)
INSTANCES = Action(Verb.LIST_INSTANCES)


def act(cloud: Cloud, what: str, before: Instance, send: Callable[[], object]) -> None:
    """Send an action on an instance, once.

    :param what: the action for messages: "restart of db1 (ID)"
    :param before: the instance as read before
    :raises LostAnswerError: the response was lost and the instance has not changed
    """
    shown_by = Action(Verb.SHOW_INSTANCE, (before.id,))
    try:
        cloud.change(what, send, shown_by=shown_by)
    except LostAnswerError as lost:
        now = _read_after(lost, shown_by, partial(_read_again, cloud, before))
        if isinstance(now, Instance) and not _has_acted(before, now):
            raise LostAnswerError(
                f"{lost}\n{before} is {now.state}, and nothing has acted on it since: "
                "apparently the request did not reach it.",
                follow_ups=[_check_first(shown_by)],
            ) from lost
        cloud.progress.warn(
            f"{lost}. {before} has changed since: apparently it took effect."
        )


def _has_acted(before: Instance, now: Instance) -> bool:
    """Return whether an action was accepted: Trove stores its task, and so ``updated``.

    That has whole seconds, so the status is compared as well.
    """
    if now.updated != before.updated:
        return True
    return now.status not in {before.status, *NOT_BY_AN_ACTION}


def delete(cloud: Cloud, what: str, before: T, send: Callable[[], object]) -> None:
    """Send a delete; once more if the response was lost and nothing has changed.

    A second delete of the same ID deletes nothing else. What another user has deleted
    since it was read counts as deleted.

    :param what: the delete for messages: "delete of backup b1 (ID)"
    :param before: the resource as read before
    :raises LostAnswerError: both responses were lost
    """
    show = Verb.SHOW_BACKUP if isinstance(before, Backup) else Verb.SHOW_INSTANCE
    shown_by = Action(show, (before.id,))
    try:
        cloud.change(what, send, shown_by=shown_by)
    except NotFoundError:
        cloud.progress.note(f"{before} was deleted by another user meanwhile.")
    except LostAnswerError as lost:
        now = _read_after(lost, shown_by, partial(_read_again, cloud, before))
        if now is None or now.status not in {before.status, *NOT_BY_AN_ACTION}:
            cloud.progress.warn(f"{lost}. {before} has changed since: it took effect.")
            return
        cloud.progress.warn(f"{lost}. {before} is unchanged: sending it again.")
        try:
            cloud.change(what, send, shown_by=shown_by)
        except NotFoundError:
            return


def _read_again(cloud: Cloud, before: T) -> Instance | Backup | None:
    read_again = read.get_backup if isinstance(before, Backup) else read.get_instance
    try:
        return read_again(cloud, before.id)
    except NotFoundError:
        return None


def create_backup(
    cloud: Cloud,
    name: str,
    instance_id: str | None,
    send: Callable[[], str],
    *,
    parent_id: str | None = None,
    incremental: bool = False,
    known: Collection[str] | None = None,
    expected: timedelta | None = None,
) -> str:
    """Send the creation of a backup, once, with a token that lives long enough.

    What exists already was not created by this one: costs a list of the backups of the
    instance before it, if that is not known.

    :param parent_id: the parent that was asked for
    :param incremental: whether Trove may choose another parent than none
    :param known: IDs of the backups of the instance, read right before
    :param expected: how long the backup may take; None if it is not known
    :param send: sends it and returns the new ID
    :returns: the ID of the new backup, even if only the response was lost
    :raises LostAnswerError: the response was lost and no such backup exists
    """

    def namesakes() -> list[Backup]:
        return [
            backup
            for backup in read.list_backups(cloud, instance_id=instance_id)
            if backup.name == name
            and (backup.parent_id == parent_id or (incremental and parent_id is None))
        ]

    token.prepare(cloud, expected)
    return _create(cloud, BACKUP, name, send, namesakes, shown_by=BACKUPS, known=known)


def create_instance(
    cloud: Cloud,
    name: str,
    send: Callable[[], str],
    *,
    source_id: str | None = None,
    known: Collection[str] | None = None,
) -> str:
    """Send the creation of an instance, once.

    What exists already was not created by this one: costs a list of the instances
    before it, if that is not known.

    Replicas of one request are named with ``-1`` .. ``-n`` behind the name
    (``trove/instance/models.py``, ``Instance.create``); the last is returned, as Trove
    itself does.

    :param send: sends it and returns the new ID
    :param source_id: of what it is to be a replica
    :param known: IDs of those that have the name already
    :raises LostAnswerError: the response was lost and no such instance exists
    """

    def namesakes() -> list[Instance]:
        return [
            instance
            for instance in read.list_instances(cloud)
            if instance.name == name and instance.replica_of == source_id
        ]

    return _create(
        cloud, INSTANCE, name, send, namesakes, shown_by=INSTANCES, known=known
    )


def _create(
    cloud: Cloud,
    kind: str,
    name: str,
    send: Callable[[], str],
    namesakes: Callable[[], list[T]],
    *,
    shown_by: Action,
    known: Collection[str] | None = None,
) -> str:
    before = {instance.id for instance in namesakes()} if known is None else known
    shown_by = cloud.here(shown_by)
    try:
        return cloud.change(
            f"creation of {kind} {name}", send, shown_by=shown_by, about=name
        )
    except LostAnswerError as lost:
        there = _read_after(lost, shown_by, namesakes)
        new = [resource for resource in there if resource.id not in before]
        if len(new) == 1:
            cloud.progress.warn(f"{lost}. {new[0]} was created by it.")
            return new[0].id
        if not new:
            raise LostAnswerError(
                f"{lost}\nNothing new with that name exists, so apparently it was not "
                "created.",
                follow_ups=[_check_first(shown_by)],
            ) from lost
        ids = ", ".join(resource.id for resource in new)
        raise LostAnswerError(
            f"{lost}\nSeveral new ones have that name: {ids}. It is not known which of "
            "them this command has created.",
            follow_ups=[_check_first(shown_by)],
        ) from lost


def _read_after(lost: LostAnswerError, shown_by: Action, read: Callable[[], R]) -> R:
    """Read the result.

    :raises LostAnswerError: that can't be read either
    """
    try:
        return read()
    except TroveExtError as exc:
        raise LostAnswerError(
            f"{lost}\nIts result can't be read: {exc}",
            follow_ups=[_check_first(shown_by)],
        ) from exc


def _check_first(shown_by: Action) -> FollowUp:
    return to("see whether it took effect before you repeat it", shown_by)
