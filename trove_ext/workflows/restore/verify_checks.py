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

"""What a verification checks in the restored instance, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import RefusedError
from trove_ext.trove import databases
from trove_ext.workflows.restore import contents, recovery, upgrade
from trove_ext.workflows.restore.contents import Contents, MismatchError

if TYPE_CHECKING:
    from trove_ext.model.engine import Engine
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.catalog import Version
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.verify import VerifyRequest
    from trove_ext.workflows.restore.verify_journal import Journal


class Checks:
    """The checks of one restored instance.

    :raises TroveExtError: each step does if it fails; the journal has recorded it
    """

    def __init__(
        self,
        cloud: Cloud,
        request: VerifyRequest,
        journal: Journal,
        engine: Engine,
        deadline: Deadline,
    ) -> None:
        self._cloud = cloud
        self._request = request
        self._journal = journal
        self._engine = engine
        self._deadline = deadline

    def run(self, instance: Instance, version: Version | None = None) -> None:
        """Wait for the end of its recovery before anything is read; then check.

        :param version: upgrade it to this one before its contents are checked
        """
        self._recovery(instance, "recovery")
        if version is not None:
            instance = self._upgrade(instance, version)
            self._recovery(instance, "recovery after the upgrade")
        found = self._databases(instance)
        if self._request.questions:
            self._data(instance, found)

    def _upgrade(self, instance: Instance, version: Version) -> Instance:
        with self._journal.step("upgrade", "upgraded") as details:
            details.append(f"{instance.datastore_version} to {version.name}")
            return upgrade.run(self._cloud, instance, version, self._deadline)

    def _recovery(self, instance: Instance, step: str) -> None:
        """Prove that it takes writes, by a database that is created.

        On an engine that is HEALTHY only with its data, the proof may be missing.
        """
        unknown = (recovery.UnprovedError,)
        try:
            with self._journal.step(step, "takes writes", unknown):
                recovery.prove(
                    self._cloud,
                    instance,
                    self._engine,
                    self._deadline,
                    drop=self._request.keep,
                    may_enable_root=True,
                )
        except recovery.UnprovedError:
            if not self._engine.healthy_has_data:
                raise

    def _databases(self, instance: Instance) -> Contents:
        """List the databases through Trove, which hides the server's own.

        If a name among them can't be listed by Trove, each expected database is
        looked up separately.
        """
        wanted = self._request.databases
        try:
            listed = databases.names(self._cloud, instance)
        except RefusedError as exc:
            return self._look_for_each(instance, str(exc))
        # Also one of a proof that was not seen.
        found = tuple(name for name in listed if not name.startswith(recovery.PREFIX))
        with self._journal.step(
            "databases", "checked" if wanted else "listed"
        ) as details:
            details.append(", ".join(found) or "none")
            missing = [name for name in wanted if name not in found]
            if missing:
                raise MismatchError(
                    f"the database {', '.join(missing)} is missing; there are: "
                    f"{', '.join(found) or 'none'}"
                )
        return Contents(found)

    def _look_for_each(self, instance: Instance, why: str) -> Contents:
        wanted = self._request.databases
        if not wanted:
            self._journal.skip("databases", "not listed", why)
            return Contents((), listed=False)
        with self._journal.step("databases", "checked") as details:
            details.append(f"{', '.join(wanted)}; others can't be listed: {why}")
            missing = [
                name
                for name in wanted
                if not databases.has(self._cloud, instance, name)
            ]
            if missing:
                raise MismatchError(
                    f"the database {', '.join(missing)} is missing; what else is there "
                    f"can't be listed: {why}"
                )
        return Contents(wanted, listed=False)

    def _data(self, instance: Instance, found: Contents) -> None:
        """Run the queries."""
        request, engine = self._request, self._engine
        with self._journal.step("data", "checked") as details:
            database = contents.choose_database(engine, found, request.query_database)
            with contents.query_user(
                self._cloud,
                instance,
                found,
                engine=engine,
                database=database,
                keep=request.keep,
            ) as login:
                results = contents.check(
                    self._cloud,
                    instance,
                    login,
                    request.questions,
                    engine=engine,
                    deadline=self._deadline,
                )
            details.extend(results)
