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

"""Backups: trove/backup/service.py and trove/backup/models.py."""

from datetime import timedelta
from typing import Any

from trove_ext.tests.fake import errors, schema, views
from trove_ext.tests.fake.cloud import FakeCloud, Steps
from trove_ext.tests.fake.state import (
    Backup,
    BackupState,
    Instance,
    armed,
)

Answer = tuple[int, Any]
PAGE_SIZE = 20
#: CONF.running_backups_expires
RUNNING_EXPIRES = timedelta(days=3)
TIME_BUG = "can't subtract offset-naive and offset-aware datetimes"
#: The GB in use in the file system, for an incremental backup too.
USED_GB = 0.31


class Backups:
    """The rules of backups."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    # Requests

    def index(self, path: str, query: dict[str, str], _body: Any) -> Answer:
        """GET /backups."""
        everybody = query.get("all_projects", "").lower() in ("true", "1", "yes")
        other = query.get("project_id")
        rule = "backup:index"
        self.cloud.allow(f"{rule}:all_projects" if everybody or other else rule)
        rows = self.cloud.live_backups
        if other and other != self.cloud.project_id:
            rows = []
        if query.get("instance_id"):
            rows = [b for b in rows if b.instance_id == query["instance_id"]]
        if query.get("datastore"):
            rows = self._of_datastore(rows, query["datastore"])
        return 200, self._page(rows, path, query)

    def of_instance(
        self, path: str, query: dict[str, str], _body: Any, instance_id: str
    ) -> Answer:
        """GET /instances/ID/backups: 404 when the instance is gone."""
        self.cloud.built(instance_id)
        self.cloud.allow("instance:backups")
        rows = [b for b in self.cloud.live_backups if b.instance_id == instance_id]
        return 200, self._page(rows, path, query)

    def show(self, _path: str, _query: Any, _body: Any, backup_id: str) -> Answer:
        """GET /backups/ID."""
        backup = self.cloud.backup_by_id(backup_id)
        self.cloud.allow("backup:show")
        return 200, {"backup": views.backup(self.cloud, backup)}

    def create(self, _path: str, _query: Any, body: Any) -> Answer:
        """POST /backups."""
        data = schema.check("backup", body, schema.BACKUP, name=True)
        self.cloud.allow("backup:create")
        if data.get("restore_from"):
            backup = self._adopt(data)
        elif not data.get("instance"):
            raise errors.bad_request("instance is missing.")
        else:
            with self.cloud.blamed(data["instance"]):
                backup = self._create(data)
        return 202, {"backup": views.backup(self.cloud, backup)}

    def delete_request(
        self, _path: str, _query: Any, _body: Any, backup_id: str
    ) -> Answer:
        """DELETE /backups/ID."""
        self.cloud.backup_by_id(backup_id)
        self.cloud.allow("backup:delete")
        self.delete(backup_id)
        return 202, None

    # Rules

    def _page(self, rows: list[Backup], path: str, query: dict[str, str]) -> Any:
        """`Backup._paginate`: LIMIT and OFFSET over `updated DESC`.

        A full page always names a next one, an empty one included; a marker that
        is no number is a ValueError, thus a 500.
        """
        try:
            offset = int(query.get("marker") or 0)
            limit = int(query.get("limit") or PAGE_SIZE)
        except ValueError as exc:
            raise errors.server_error() from exc
        rows = self.newest_first(rows)[offset : offset + limit]
        marker = None if len(rows) < limit else offset + limit
        shown = [views.backup(self.cloud, row) for row in rows]
        return views.page("backups", shown, marker, path, query)

    @staticmethod
    def newest_first(rows: list[Backup]) -> list[Backup]:
        """Order as the database does: whole seconds, equal ones by ID."""
        rows = sorted(rows, key=lambda b: b.id)
        return sorted(
            rows, key=lambda b: b.updated.replace(microsecond=0), reverse=True
        )

    def _of_datastore(self, rows: list[Backup], key: str) -> list[Backup]:
        stores = self.cloud.datastores.values()
        store = next((s for s in stores if key in (s.id, s.name)), None)
        if store is None:
            raise errors.missing(f"Datastore '{key}' cannot be found.")
        versions = self.cloud.versions
        return [
            b
            for b in rows
            if b.version_id and versions[b.version_id].datastore == store.name
        ]

    def last_completed(self, instance_id: str) -> Backup | None:
        """`Backup.get_last_completed`: it sees the first page of 20 rows only."""
        rows = [b for b in self.cloud.live_backups if b.instance_id == instance_id]
        page = self.newest_first(rows)[:PAGE_SIZE]
        done = [b for b in page if b.state is BackupState.COMPLETED]
        return done[0] if done else None

    def _create(self, data: dict[str, Any]) -> Backup:
        instance = self.cloud.built(data["instance"])
        self.cloud.ready(instance)
        parent: Backup | None = None
        if data.get("parent_id"):
            # Trove checks only that it exists: not its state, not its instance.
            parent = self.cloud.backup_by_id(data["parent_id"])
        elif data.get("incremental"):
            parent = self.last_completed(instance.id)
        with self.cloud.charged({"backups": 1}):
            backup = self.add_row(instance, data["name"], parent)
            backup.description = data.get("description")
            backup.storage_driver = (
                data.get("storage_driver") or self.cloud.storage_strategy
            )
        self.cloud.start(self._run(instance, backup), guest=instance)
        return backup

    def _adopt(self, data: dict[str, Any]) -> Backup:
        """`restore_from`: a backup of another region; it is RESTORED at once."""
        source = data["restore_from"]
        version_id = source.get("local_datastore_version_id")
        if version_id not in self.cloud.versions:
            raise errors.missing("Not Found.")
        now = self.cloud.clock.now()
        with self.cloud.charged({"backups": 1}):
            backup = Backup(
                self.cloud.new_id(), data["name"], now, now, None, version_id
            )
            backup.state = BackupState.RESTORED
            backup.size, backup.location = source["size"], source["remote_location"]
            self.cloud.backups[backup.id] = backup
        return backup

    def add_row(self, instance: Instance, name: str, parent: Backup | None) -> Backup:
        """Store a NEW backup."""
        now = self.cloud.clock.now()
        backup = Backup(
            self.cloud.new_id(), name, now, now, instance.id, instance.version_id
        )
        backup.parent_id = parent.id if parent else None
        self.cloud.backups[backup.id] = backup
        return backup

    def _run(self, instance: Instance, backup: Backup) -> Steps:
        """Inside the guest: NEW, BUILDING, then COMPLETED or FAILED."""
        yield self.cloud.timings.backup_queued
        self.set_state(backup, BackupState.BUILDING)
        yield self.cloud.timings.backup
        problem = self.problem(instance, backup)
        if problem:
            self.set_state(backup, BackupState.FAILED)
            self.cloud.blame(instance, problem)
            return
        self.complete(instance, backup)

    def complete(self, instance: Instance, backup: Backup) -> None:
        """Store what the instance contains now."""
        backup.content = instance.content.copy()
        snapshot = backup.storage_driver == "cinder"
        self.cloud.store(backup, instance.volume_size if snapshot else USED_GB)
        self.set_state(backup, BackupState.COMPLETED)

    def set_state(self, backup: Backup, state: BackupState) -> None:
        """Save a state; the size is known from BUILDING on, in FAILED too."""
        backup.state = state
        if state is BackupState.BUILDING:
            backup.size = USED_GB
        self.cloud.touch(backup)

    def problem(self, instance: Instance, backup: Backup) -> str | None:
        """Return why a backup fails in the guest, or None."""
        failure = armed(self.cloud.knobs.backup, instance)
        if failure is None and not instance.database_running:
            failure = "the database does not run"
        parent = self.cloud.backups.get(backup.parent_id or "")
        if failure is None and parent is not None and parent.location is None:
            failure = f"No backup object of {parent.id}"
        if failure is None and parent and backup.storage_driver == "swift":
            failure = self._foreign_store(parent)
        # The text of trove/guestagent/datastore/service.py, create_backup.
        return failure and f"Failed to create backup {backup.id}, error: {failure}"

    @staticmethod
    def _foreign_store(parent: Backup) -> str | None:
        """The guest reads the parent's metadata from Swift (backup/main.py)."""
        if parent.storage_driver == "swift":
            return None
        return f"Failed to get the metadata of {parent.location}"

    def delete(self, backup_id: str) -> None:
        """`Backup.delete`: the descendants first, each accepted by itself.

        :raises ApiError: a backup in progress below it; the rows before that one
            are deleted by then
        """
        for child in self.cloud.live_backups:
            if child.parent_id == backup_id:
                self.delete(child.id)
        backup = self.cloud.backup_by_id(backup_id)
        with self.cloud.charged({"backups": -1}):
            if backup.state.is_running:
                self._refuse_running(backup)
        self.cloud.start(self._remove(backup))

    def _refuse_running(self, backup: Backup) -> None:
        """Refuse, in release 26 by a bug: an aware time less a naive one.

        Found in the sandbox: 500 at any age, although the code intends 422 for three
        days. Releases before `timeutils.utcnow_aware` behave as intended.
        """
        if not self.cloud.older_backup_delete:
            raise errors.server_error(TIME_BUG)
        if self.cloud.clock.now() - backup.created < RUNNING_EXPIRES:
            raise errors.unprocessable(
                f"Backup {backup.id} cannot be deleted because it is running."
            )

    def _remove(self, backup: Backup) -> Steps:
        """`BackupTasks.delete_backup`: no state shows that it is in progress."""
        yield self.cloud.timings.backup_delete
        owner = self.cloud.instances.get(backup.instance_id or "")
        if owner is not None and armed(self.cloud.knobs.backup_delete, owner):
            self.set_state(backup, BackupState.DELETE_FAILED)
        # In both cases the row is marked: a DELETE_FAILED one can't be listed.
        backup.deleted = True
        backup.version_id = None

    def chain_problem(self, backup: Backup) -> str | None:
        """Return why a backup can't be restored although Trove accepts it, or None."""
        step: Backup | None = backup
        while step is not None:
            if step.deleted or step.object_lost or step.location is None:
                return f"Backup file of {step.id} was not found."
            if step.instance_id != backup.instance_id:
                return f"Backup {step.id} belongs to another chain."
            if step.parent_id is None or step.storage_driver == "cinder":
                return None
            parent = self.cloud.backups.get(step.parent_id)
            if parent is None:
                return f"Backup {step.parent_id} is missing."
            step = parent
        return None
