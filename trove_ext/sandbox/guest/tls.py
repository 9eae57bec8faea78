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

"""The modes of TLS and the facts of a certificate, for all engines."""

from typing import Any

BASIC, ENFORCED, MTLS = "basic", "enforced", "mtls"
"""The modes of trove/common/ssl.py, each stricter than the one before."""


def at_least(mode: str | None, wanted: str) -> bool:
    """Whether a mode is as strict as another one; ssl_mode_at_least in Trove."""
    order = (BASIC, ENFORCED, MTLS)
    return mode in order and order.index(mode) >= order.index(wanted)


def certificate_details(text: str) -> dict[str, Any]:
    """Return name, end and addresses of a certificate.

    certificate_details in trove/common/ssl.py fails with pyOpenSSL 26, which no longer
    has X509.get_extension.
    """
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(text.encode())
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        alternatives = [str(name.value) for name in extension.value]
    except x509.ExtensionNotFound:
        alternatives = []
    return {
        "cn": names[0].value if names else None,
        "expire_at": certificate.not_valid_after_utc.isoformat(),
        "san": alternatives or None,
        "payload": text,
    }
