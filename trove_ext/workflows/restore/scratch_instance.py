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

"""A temporary instance for one check, which is deleted whatever happens.

Its name says what it is and when it was created, so an orphaned one of a killed run can
be found again.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    LostAnswerError,
    NotFoundError,
    RefusedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, FollowUp, Verb, or_to, to
from trove_ext.model.status import BUILD
from trove_ext.polling import pauses
from trove_ext.trove import conditions, read, send, upstream, wait_report
from trove_ext.workflows.restore import restore

if TYPE_CHECKING:
    from datetime import datetime

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.restore import RestorePlan

#: Seconds for a delete, in addition to the time of the check itself.
DELETE_TIMEOUT = 600.0
#: Seconds to search for an instance whose create was interrupted: Trove stores it only
#: at the end of the request.
APPEAR_TIMEOUT = 15.0


def name_for(backup_id: str, now: datetime) -> str:
    """Make a name: the backup, the time in UTC, and four random digits."""
    return (
        f"trove-ext-verify-{backup_id[:8]}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    )


def find_orphaned(cloud: Cloud) -> list[Instance]:
    """Find instances of earlier runs in this project, or of runs still in progress."""
    return [found for found in read.list_instances(cloud) if found.is_temporary]


class Temporary:
    """The one instance of one verification.

    :ivar id: None until Trove has reported it
    :ivar gone: it was deleted, or never existed
    """

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._cloud = cloud
        self.name = name
        self.id: str | None = None
        self.gone = True
        self._delete_sent = False

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.id else self.name

    def create(self, planned: RestorePlan) -> Instance:
        """Report its name, and create it.

        :raises LostAnswerError: it may exist, or appear later
        """
        self._cloud.progress.note(
            f"Restoring {planned.backup} into the temporary instance {self}"
        )
        self.gone = False
        try:
            self.id = restore.submit(self._cloud, planned)
        except LostAnswerError:
            raise
        except TroveExtError:
            self.gone = True
            raise
        return read.get_instance(self._cloud, self.id)

    def state(self) -> str:
        """Describe that it exists, or may exist."""
        if self.id:
            return f"The temporary instance {self} still exists."
        return f"An instance named {self.name} may exist or appear later."

    def by_hand(self) -> tuple[FollowUp, ...]:
        """Return the follow-up that deletes it if this can't."""
        clean_up = Action(Verb.CLEAN_UP_VERIFICATIONS)
        if self.id is None:
            return (to("delete the temporary instances of verifications", clean_up),)
        return (
            to("delete it", Action(Verb.DELETE_INSTANCE, (self.id,))),
            or_to(
                "delete it while it is in BUILD",
                clean_up,
                detail="Trove accepts the request above only once the server exists "
                "or has failed; this deletes all temporary instances of verifications",
            ),
        )

    def remove(self) -> None:
        """Delete it and wait until it is deleted; safe to call again.

        :raises TroveExtError: it may still exist; says how to
            remove it by hand
        """
        if self.gone:
            return
        self._cloud.journal.waited()
        try:
            with self._cloud.patient(self._cloud.deadline(DELETE_TIMEOUT)):
                self._remove()
        except NotFoundError:
            self.gone = True
        except TroveExtError as exc:
            kind = (
                WaitTimeoutError if isinstance(exc, WaitTimeoutError) else TroveExtError
            )
            raise kind(
                f"{exc}\n{self.state()}", follow_ups=(*exc.follow_ups, *self.by_hand())
            ) from exc

    def interrupted(self) -> None:
        """Report it and delete it, because the command has to end.

        It is reported first: a second signal ends the process at once.
        """
        if self.gone or self._never_sent():
            return
        self._cloud.progress.warn(
            f"Interrupted; deleting the temporary instance {self} before this ends. "
            "Interrupt again to leave it there, and delete it yourself.",
            *self.by_hand(),
        )
        self.remove()
        self._cloud.progress.note(f"The temporary instance {self} is deleted.")

    def _never_sent(self) -> bool:
        """Whether the create was not sent: it is recorded right before."""
        return self.id is None and not self._cloud.journal.has_sent(self.name)

    def _remove(self) -> None:
        if self.id is None:
            self.id = self._appear()
        now = read.get_instance(self._cloud, self.id)
        if not self._delete_sent:
            now = self._send_delete(now)
        target = conditions.instance_gone(self._cloud, now)
        deadline = self._cloud.deadline(DELETE_TIMEOUT)
        wait_report.raise_for(self._cloud.wait([target], deadline))
        self.gone = True

    def _appear(self) -> str:
        """Find it by its name if its ID was never received.

        :raises TroveExtError: it does not exist yet, and may appear later
        """
        cloud = self._cloud
        deadline = cloud.deadline(APPEAR_TIMEOUT)
        for pause in pauses():
            for found in read.list_instances(cloud):
                if found.name == self.name:
                    return found.id
            if deadline.passed:
                break
            cloud.clock.sleep(pause)
        raise TroveExtError(f"Whether {self.name} was created is not known.")

    def _send_delete(self, now: Instance) -> Instance:
        """Send the delete; an instance that is building has to be reset first."""
        forced = now.status == BUILD
        if forced:
            now = self._reset(now)
        try:
            self._delete(now)
        except RefusedError:
            if forced:
                raise
            now = self._reset(now)
            self._delete(now)
        self._delete_sent = True
        return now

    def _delete(self, now: Instance) -> None:
        send.delete(
            self._cloud,
            f"delete of {now}",
            now,
            lambda: self._cloud.client.instances.delete(now.id),
        )

    def _reset(self, now: Instance) -> Instance:
        """Reset its task of building, so Trove accepts the delete.

        With ``force_delete`` in the body its owner may do so; without, as troveclient
        sends it, only an admin (``trove/instance/service.py``,
        ``_action_reset_status``).
        """
        body = {"reset_status": {"force_delete": True}}
        manager = self._cloud.client.instances
        self._cloud.change(
            f"reset of {now}",
            lambda: upstream.send_action(manager, now.id, body),
        )
        return read.get_instance(self._cloud, now.id)


def remove_orphaned(cloud: Cloud, instance: Instance) -> None:
    """Delete an orphaned instance of an earlier run.

    :raises TroveExtError: it still exists; says how to remove it by hand
    """
    temporary = Temporary(cloud, instance.name)
    temporary.id, temporary.gone = instance.id, False
    temporary.remove()
