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

"""PostgreSQL instances of the sandbox: calls of the stock API, and SQL."""

import contextlib
import time
import unittest

try:
    import psycopg2
except ImportError as exc:
    # With other clients the sandbox runs in another environment, which has it.
    raise unittest.SkipTest("needs psycopg2, a part of the extra 'sandbox'") from exc

from openstack.config import OpenStackConfig
from troveclient.apiclient import exceptions
from troveclient.v1 import client as trove

from trove_ext.sandbox import labels
from trove_ext.sandbox.guest.postgresql import programs
from trove_ext.tests.functional import base, running

FLAVOR = "db.small"
ROOT = "root"
PASSWORD = "rootpassword"
DATABASE = "app"
VERSION = programs.version()
#: Seconds to wait for anything that should take one second, if the machine is busy.
PATIENCE = 120


class PostgresTestCase(base.FunctionalTestCase):
    """Tests on instances of their own, through the unmodified API.

    They use no command of this project: they show the behavior of Trove.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if VERSION is None:
            raise cls.skipException(programs.obstacle())
        cls.client, cls.admin = (cls._client(x) for x in (cls.cloud, "sandbox-admin"))

    @classmethod
    def _client(cls, cloud):
        path = running.settings(cls.sandbox)["OS_CLIENT_CONFIG_FILE"]
        config = OpenStackConfig(config_files=[path], load_envvars=False)
        # Without a region any endpoint of the catalogue is used.
        one = config.get_one(cloud)
        region = {"region_name": one.get_region_name() or labels.REGION}
        session = one.get_session()
        return trove.Client(session=session, service_type="database", **region)

    def setUp(self):
        super().setUp()
        self.made = []
        self.addCleanup(self._delete_all)

    # Instances

    def start_source(self, name="source"):
        """Start to create an instance with the database ``app``; return its ID."""
        return self._start(name, databases=[{"name": DATABASE}])

    def make_source(self, name="source"):
        """Create an instance with root enabled and the table ``t``."""
        source = self.start_source(name)
        self.wait_healthy(source)
        # HEALTHY comes first on a busy machine.
        names = lambda: [made.name for made in self.client.databases.list(source)]  # noqa: E731
        self.eventually(True, lambda: DATABASE in names())
        self.client.root.create_instance_root(source, PASSWORD)
        self.sql(source, "CREATE TABLE t (n int)")
        return source

    def make_replicas(self, source, *names):
        """Create replicas of a source, one after the other; return their IDs."""
        made = []
        for name in names:
            made.append(self._start(name, replica_of=source))
            self.wait_healthy(*made, source)
        return made

    def start_restore(self, backup, name="restored"):
        """Start to create an instance from a backup; return its ID."""
        return self._start(name, restorePoint={"backupRef": backup})

    def restore(self, backup, name="restored"):
        """Create an instance from a backup; return its ID."""
        made = self.start_restore(backup, name)
        self.wait_healthy(made)
        return made

    def delete(self, instance):
        """Delete an instance and wait until it is gone."""
        self.eventually(False, lambda: self._is_left(instance))
        self.made.remove(instance)

    def _start(self, name, **more):
        if "replica_of" not in more:
            more |= {"flavor_id": FLAVOR, "volume": {"size": 1}}
            more |= {"datastore": "postgresql", "datastore_version": VERSION}
        made = self.client.instances.create(name, **more)
        self.made.append(made.id)
        return made.id

    def _delete_all(self):
        """Delete what was created; a source can't be deleted before its replicas."""
        deadline = time.monotonic() + PATIENCE
        while self.made and time.monotonic() < deadline:
            self.made = [instance for instance in self.made if self._is_left(instance)]
            time.sleep(0.5)

    def _is_left(self, instance):
        """Request its deletion; return whether it still exists."""
        try:
            self.client.instances.delete(instance)
        except exceptions.NotFound:
            return False
        except exceptions.ClientException:
            # In ERROR only an admin can reset its status.
            with contextlib.suppress(exceptions.ClientException):
                self.admin.mgmt_instances.reset_task_status(instance)
        return True

    def shown(self, instance):
        return self.client.instances.get(instance)

    def fault(self, instance):
        """Return the text of an instance's fault, empty if it has none."""
        return getattr(self.shown(instance), "fault", {}).get("message", "")

    def wait_healthy(self, *instances):
        for instance in instances:
            self.wait_status(instance, "ACTIVE", "HEALTHY")

    def wait_status(self, instance, *wanted):
        """Wait for a status, or for a status and an operating status."""

        def statuses():
            shown = self.shown(instance)
            found = (shown.status, shown.operating_status)[: len(wanted)]
            if found[0] == "ERROR" != wanted[0]:
                self.fail(f"{shown.name}: {self.fault(instance)}")
            return found

        self.eventually(wanted, statuses)

    def eventually(self, wanted, read):
        """Wait until *read* returns what is wanted."""
        deadline = time.monotonic() + PATIENCE
        while (found := read()) != wanted:
            self.assertLess(time.monotonic(), deadline, f"{found}, not {wanted}")
            time.sleep(0.3)

    def promote(self, replica, *members):
        """Promote through the API, and wait until Trove reports it as done."""
        self.client.instances.promote_to_replica_source(replica)
        for member in {replica, *members}:
            self.eventually("ACTIVE", lambda m=member: self._status_after(m))
        self.wait_healthy(replica, *members)

    def _status_after(self, member):
        shown = self.shown(member)
        if shown.status == "ERROR":
            self.fail(f"{shown.name}: {self.fault(member)}")
        return shown.status

    # Backups

    def backup(self, instance, name, parent=None, state="COMPLETED"):
        """Take a backup, wait for its end and return its ID."""
        made = self.client.backups.create(name, instance, parent_id=parent).id
        self.wait_backup(made, state)
        return made

    def wait_backup(self, backup, state="COMPLETED"):
        running = ("NEW", "BUILDING")
        deadline = time.monotonic() + PATIENCE
        while (found := self.client.backups.get(backup).status) in running:
            self.assertLess(time.monotonic(), deadline, found)
            time.sleep(0.3)
        self.assertEqual(state, found)
        instance = self.client.backups.get(backup).instance_id
        self.eventually("ACTIVE", lambda: self.shown(instance).status)

    def delete_backup(self, backup):
        self.client.backups.delete(backup)
        ids = lambda: backup in [b.id for b in self.client.backups.list()]  # noqa: E731
        self.eventually(False, ids)

    # SQL

    def address_of(self, instance):
        return self.shown(instance).ip[0]

    @contextlib.contextmanager
    def connection(self, instance, database=DATABASE):
        made = psycopg2.connect(
            host=self.address_of(instance),
            port=5432,
            user=ROOT,
            password=PASSWORD,
            dbname=database,
            connect_timeout=10,
        )
        made.autocommit = True
        with contextlib.closing(made):
            yield made

    def sql(self, instance, *statements):
        """Run statements as root in ``app``; return the rows of the last."""
        with self.connection(instance) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def value(self, instance, statement):
        return self.sql(instance, statement)[0][0]

    def add(self, instance, *numbers):
        self.sql(instance, *(f"INSERT INTO t VALUES ({n})" for n in numbers))

    def rows(self, instance):
        return [n for (n,) in self.sql(instance, "SELECT n FROM t ORDER BY n")]

    def write_wal(self, instance, segments):
        """Fill segments of 16 MB, and make the server recycle unneeded ones."""
        fill = (
            "SELECT pg_logical_emit_message(false, '', 'x')",
            "SELECT pg_switch_wal()",
        )
        self.sql(instance, *(fill * segments), "CHECKPOINT")

    def recovered(self, instance):
        """Wait until a restored instance has ended its recovery."""
        read = lambda: self.value(instance, "SELECT pg_is_in_recovery()")  # noqa: E731
        self.eventually(False, read)
