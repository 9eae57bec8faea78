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

"""TLS of a MariaDB, as mysql_common/manager.py and mariadb/manager.py configure it."""

from pathlib import Path

from trove.common import cfg

from trove_ext.sandbox.guest.mariadb.server import MariaDB
from trove_ext.sandbox.guest.tls import BASIC, ENFORCED, MTLS

CONF = cfg.CONF
_VERSIONS = "TLSv1.2,TLSv1.3"
_REQUIREMENT = {BASIC: "NONE", ENFORCED: "SSL", MTLS: "X509"}
# Accounts of Trove itself, and root; set_users_access_mode in mysql_common/service.py.
_EXCEPT = ("root", "os_admin", "exporter")


def files(db: MariaDB) -> dict[str, Path]:
    """Return the files of the certificate; _get_ssl_files."""
    data = db.layout.data
    return {
        "private_key": data / "server-key.pem",
        "certificate": data / "server-cert.pem",
        "ca": data / "ca.pem",
    }


def settings(db: MariaDB, mode: str | None) -> dict[str, object]:
    """Return the options of mariadbd; _get_enable_ssl_overrides and its opposite."""
    if mode is None:
        return {"ssl": "false", "tls_version": ""}
    names = files(db)
    return {
        "ssl_cert": names["certificate"],
        "ssl_key": names["private_key"],
        "ssl_ca": names["ca"],
        "ssl": "on",
        "tls_version": _VERSIONS,
    }


def is_on(db: MariaDB) -> bool:
    """Whether mariadbd runs with a certificate; show_ssl_status."""
    names = ("tls_version", "ssl_cert")
    return all(db.value(f"SELECT @@global.{name}") for name in names)


def require(db: MariaDB, mode: str) -> None:
    """Require TLS, or a certificate of the client too, of all accounts of users."""
    rows = db.query("SELECT User, Host FROM mysql.user WHERE Host <> 'localhost'")
    reserved = {*_EXCEPT, *CONF.mariadb.ignore_users}
    with db.local_session() as session:
        for row in rows:
            name = row["User"]
            if name not in reserved and not name.startswith("slave_"):
                statement = f"ALTER USER %s@%s REQUIRE {_REQUIREMENT[mode]}"
                session.query(statement, name, row["Host"])
