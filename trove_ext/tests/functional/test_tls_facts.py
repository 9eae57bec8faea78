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

"""What Trove 26 does with TLS: facts for its developers, on PostgreSQL.

They are bugs of Trove. With a newer Trove these tests show what was fixed.
"""

import base64
import datetime as dt
import unittest

from trove_ext.tests.functional import postgresql, replicas
from trove_ext.tests.promises import Ground, Promise, shows

try:
    import psycopg2
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import pkcs12
except ImportError as exc:
    raise unittest.SkipTest("needs cryptography, a part of the sandbox") from exc

long_only = unittest.skipUnless(replicas.LONG, "takes long")


def container(password=None):
    """A key with a certificate that it has signed itself, as PKCS12."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encryption = (
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption()
    )
    return pkcs12.serialize_key_and_certificates(
        b"db", key, certificate, [certificate], encryption
    )


@shows(Promise.ENGINE, on=Ground.POSTGRESQL)
class TlsFactsTest(postgresql.PostgresTestCase):
    def request(self, method, service, path, body=None, **more):
        session = self.client.client.session
        endpoint = {"service_type": service, "interface": "public"}
        return session.request(
            path, method, json=body, endpoint_filter=endpoint, **more
        )

    def secret(self, payload):
        body = {
            "name": "a secret of this test",
            "payload": base64.b64encode(payload).decode(),
            "payload_content_type": "application/octet-stream",
            "payload_content_encoding": "base64",
        }
        made = self.request("POST", "key-manager", "/v1/secrets", body)
        return made.json()["secret_ref"]

    def enable(self, instance, mode, payload=None, **more):
        body = {"enable": True, "mode": mode}
        body["container_ref"] = self.secret(payload or container())
        path = f"/instances/{instance}/ssl"
        return self.request("POST", "database", path, {"ssl": body}, **more)

    def shown_tls(self, instance):
        path = f"/instances/{instance}/ssl"
        return self.request("GET", "database", path).json()["ssl"]

    def test_a_missing_password_of_a_certificate_is_an_internal_error(self):
        source = self.make_source()
        payload = container("secret")
        response = self.enable(source, "basic", payload, raise_exc=False)
        self.assertEqual(500, response.status_code)

    @long_only
    def test_after_a_change_of_tls_a_replica_that_restarts_does_not_replicate(self):
        source = self.make_source()
        (replica,) = self.make_replicas(source, "replica")
        receivers = "SELECT count(*) FROM pg_stat_wal_receiver"
        self.eventually([(1,)], lambda: self.sql(replica, receivers))
        self.enable(source, "basic")
        self.client.instances.restart(replica)
        self.wait_healthy(replica)
        self.eventually([(0,)], lambda: self.sql(replica, receivers))
        self.add(source, 1)
        self.assertEqual([], self.rows(replica))
        self.wait_healthy(replica)

    @long_only
    def test_detaching_a_group_ends_tls_that_is_still_enforced(self):
        source = self.make_source()
        self.enable(source, "enforced")
        self.sql(source, "SELECT 1")
        self.assertEqual("on", self.shown_tls(source)["status"])
        group = self.client.configurations.create(
            "a-group",
            '{"max_connections": 101}',
            datastore="postgresql",
            datastore_version=postgresql.VERSION,
        )
        self.addCleanup(self.client.configurations.delete, group.id)
        self.client.instances.update(source, configuration=group.id)
        self.client.instances.restart(source)
        self.wait_healthy(source)
        self.client.instances.update(source, remove_configuration=True)
        self.client.instances.restart(source)
        self.wait_healthy(source)
        shown = self.shown_tls(source)
        self.assertEqual(("off", "enforced"), (shown["status"], shown["mode"]))
        # The rules still ask for TLS, so nobody can connect.
        error = self.assertRaises(psycopg2.Error, self.sql, source, "SELECT 1")
        self.assertIn("no pg_hba.conf entry", str(error))
