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

"""The files that are written for a mariadbd."""

import configparser
from pathlib import Path

import testtools

from trove_ext.sandbox.guest.mariadb import config

LAYOUT = config.Layout(Path("/state/instances/a"))

TROVE_REPLICA = """\
[mysqld]
log_bin = /var/lib/mysql/data/mariadb-bin.log
binlog_format = MIXED
log_slave_updates = ON
read_only = true
"""

MYSQL_REPLICA = """\
[mysqld]
log_bin = /var/lib/mysql/data/mysql-bin.log
relay-log = /var/lib/mysql/data/mysql-relay-bin.log
enforce_gtid_consistency = ON
log-slave-updates
read_only
"""


def server_section(text):
    parser = configparser.ConfigParser(allow_no_value=True, interpolation=None)
    parser.read_string(text.partition("\n!include")[0])
    return dict(parser.items("mysqld"))


class ConfigurationTest(testtools.TestCase):
    def written(self, address="127.77.80.10", memory_mb=1024):
        return server_section(config.render(LAYOUT, address, memory_mb))

    def test_a_server_listens_on_its_own_address_alone(self):
        self.assertEqual("127.77.80.10", self.written()["bind_address"])
        self.assertEqual("3306", self.written()["port"])

    def test_each_address_has_its_own_server_id(self):
        addresses = [f"127.77.{x}.{y}" for x in range(256) for y in (0, 10, 255)]
        ids = {config.server_id(address) for address in addresses}
        self.assertEqual(len(addresses), len(ids))
        self.assertTrue(all(0 < number < 2**32 for number in ids))

    def test_a_commit_reaches_the_operating_system_before_it_is_acknowledged(self):
        self.assertIn(self.written()["innodb_flush_log_at_trx_commit"], ("1", "2"))

    def test_the_binary_log_is_on_whatever_the_role(self):
        self.assertTrue(self.written()["log_bin"])
        self.assertEqual("ON", self.written()["log_slave_updates"])

    def test_a_larger_flavor_gives_a_larger_buffer_pool_within_bounds(self):
        pools = [config.buffer_pool_mb(mb) for mb in (128, 512, 800, 1024, 65536)]
        self.assertEqual([32, 32, 50, 64, 64], pools)

    def test_overrides_and_the_account_are_read_from_files_of_their_own(self):
        lines = config.render(LAYOUT, "127.77.80.10", 512).splitlines()
        self.assertIn(f"!includedir {LAYOUT.overrides}/", lines)
        self.assertIn(f"!include {LAYOUT.credentials}", lines)

    def test_a_users_override_is_read_after_those_of_replication(self):
        names = [config.SOURCE, config.REPLICA, config.USER]
        files = [LAYOUT.override(name) for name in names]
        self.assertEqual(files, sorted(files))

    def test_a_socket_fits_into_a_socket_address_under_any_directory(self):
        short, long = config.Layout(Path("/s")), config.Layout(Path("/" + "x" * 200))
        self.assertEqual("/s/mysqld.sock", short.socket)
        self.assertEqual("../mysqld.sock", long.socket)


class ReplicationSettingsTest(testtools.TestCase):
    def test_of_troves_template_the_paths_are_left_out(self):
        self.assertEqual(
            {"binlog_format": "MIXED", "log_slave_updates": "ON", "read_only": "true"},
            config.replication_settings(TROVE_REPLICA),
        )

    def test_of_mysqls_template_what_mariadb_does_not_know_is_left_out(self):
        found = config.replication_settings(MYSQL_REPLICA)
        self.assertEqual({"log_slave_updates": None, "read_only": None}, found)

    def test_an_option_without_a_value_is_written_as_one(self):
        self.assertEqual("[mysqld]\nread_only\n", config.section({"read_only": None}))

    def test_an_empty_template_gives_no_settings(self):
        self.assertEqual({}, config.replication_settings(""))


class InitSqlTest(testtools.TestCase):
    def test_nothing_of_it_is_in_the_binary_log(self):
        first = config.init_sql("secret", keep_root=False).splitlines()[0]
        self.assertEqual("SET sql_log_bin = 0;", first)

    def test_a_root_that_the_user_enabled_survives_a_restore_alone(self):
        drop = "DROP USER IF EXISTS 'root'@'%'"
        self.assertIn(drop, config.init_sql("secret", keep_root=False))
        self.assertNotIn(drop, config.init_sql("secret", keep_root=True))

    def test_an_account_in_the_restored_data_gets_the_new_password(self):
        sql = config.init_sql("secret", keep_root=True)
        self.assertIn("ALTER USER 'os_admin'@'127.0.0.1' IDENTIFIED BY 'secret'", sql)
