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

"""Restore a backup, and prove that it restores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.library.base import TIMEOUT, Base, raise_if, reference
from trove_ext.trove import read
from trove_ext.workflows.restore import register, restore, verify
from trove_ext.workflows.restore.additions import NOTHING
from trove_ext.workflows.restore.settings import RestoreOptions
from trove_ext.workflows.restore.source import (
    LATEST,
    LATEST_FULL,
    Source,
    find_source,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.workflows.restore.additions import Additions
    from trove_ext.workflows.restore.contents import Question
    from trove_ext.workflows.restore.restore import RestorePlan
    from trove_ext.workflows.restore.verify import Verification


class Restores(Base):
    """Restore and verify."""

    def newest_backup(
        self,
        instance: str | Instance,
        *,
        before: datetime | None = None,
        full: bool = False,
    ) -> Backup:
        """Return the newest backup of an instance that can be restored.

        A backup holds the data as of its end, a volume snapshot as of its start.

        :param instance: name or ID; the ID if it is deleted
        :param before: aware; the newest whose data is no newer than this
        :param full: the newest full backup
        :raises ValueError: *before* has no time zone
        :raises CheckError: there is none; says which are there
        """
        if before is not None and before.tzinfo is None:
            raise ValueError("before: a time zone is required")
        word = LATEST_FULL if full else LATEST
        with self._reading():
            source = Source(word, reference(instance), before)
            return find_source(self._cloud, source)[1]

    def plan_restore_backup(
        self,
        backup: str | Backup,
        name: str,
        options: RestoreOptions | None = None,
        *,
        additions: Additions = NOTHING,
    ) -> RestorePlan:
        """Check the whole chain, and determine each setting of the new instance.

        :param name: of the new instance
        :param options: settings; default: those of the instance that was backed up
        :param additions: what it gets beside the data, such as users
        :returns: the plan; ``settings`` is what the instance gets, ``warnings`` what to
            check before it is carried out
        :raises CheckError: it can't be restored like this; lists all problems
        """
        request = restore.RestoreRequest(
            reference(backup), name, options or RestoreOptions(), additions=additions
        )
        with self._reading():
            return restore.plan(self._cloud, request)

    def restore_backup(
        self, plan: RestorePlan, *, wait: bool = True, timeout: float = TIMEOUT
    ) -> Instance:
        """Create the instance of a plan.

        :param wait: wait until it is ACTIVE and HEALTHY, and on PostgreSQL until it
            takes writes
        :param timeout: seconds; 0 for no limit
        :returns: the new instance as read last
        :raises RefusedError: Trove refuses it; nothing was changed
        :raises ResourceFailedError: the restore failed; the instance still exists
        :raises WaitTimeoutError: time is over; the restore continues on the server
        """
        with self._job(timeout) as job:
            instance_id = restore.submit(self._cloud, plan)
            job.result = made = read.get_instance(self._cloud, instance_id)
            if wait:
                made, error = restore.wait_with_additions(
                    self._cloud, plan, made, job.deadline
                )
                job.result = made
                raise_if(error)
            return made

    def register_backup(
        self,
        backup: str | Backup,
        region: str,
        *,
        name: str | None = None,
        datastore_version: str | None = None,
        one_store: bool = False,
        timeout: float = TIMEOUT,
    ) -> Backup:
        """Make a full backup known in another region of the same cloud.

        No data is copied: if the original is deleted, the record there can't be
        restored any more; deleting that record leaves the data
        (``T:taskmanager/models.py``, ``BackupTasks.delete_backup``). A record that is
        there already is returned, and nothing is sent.

        :param region: the name of the other region; both need the same object store
        :param name: of the record there; None for the name of the backup
        :param datastore_version: name or ID there; None for the version of that name
        :param one_store: both regions have the same object store, although the service
            catalog has an endpoint of its own for each
        :param timeout: seconds; 0 for no limit
        :returns: the record in the other region
        :raises CheckError: it can't be registered there; lists all problems
        :raises RefusedError: Trove refuses it; nothing was changed
        """
        request = register.RegisterRequest(
            reference(backup), region, name, datastore_version, one_store
        )
        with self._job(timeout):
            return register.execute(register.check(self._cloud, request))

    def verify_backup(
        self,
        backup: str | Backup,
        *,
        options: RestoreOptions | None = None,
        databases: Sequence[str] = (),
        questions: Sequence[Question] = (),
        query_database: str | None = None,
        upgrade_to: str | None = None,
        keep: bool = False,
        timeout: float = TIMEOUT,
    ) -> Verification:
        """Restore a backup into a temporary instance, check it, delete it.

        The instance is deleted whatever happens, also after a KeyboardInterrupt.

        :param options: settings of the temporary instance
        :param databases: names of databases that must exist
        :param questions: statements, each with the value that it must return; they need
            the extra ``sql`` and a route to the instance
        :param query_database: the database to connect to for the statements; None for
            the only one if the engine needs any
        :param upgrade_to: rehearse an upgrade to this datastore version, name or ID,
            before the data is checked
        :param keep: do not delete the instance
        :param timeout: seconds, 0 for no limit; the delete has ten minutes of its own
        :returns: each step with its time
        :raises CheckError: a statement can't be run; nothing was changed
        :raises ResourceFailedError: the verification failed
        :raises WaitTimeoutError: time is over
        """
        request = verify.VerifyRequest(
            backup=reference(backup),
            options=options or RestoreOptions(),
            databases=tuple(databases),
            questions=tuple(questions),
            query_database=query_database,
            upgrade_to=upgrade_to,
            keep=keep,
            timeout=timeout,
        )
        with self._job(timeout) as job:
            (verification,) = verify.verify(self._cloud, [request])
            job.result = verification
            raise_if(verification.error)
            return verification
