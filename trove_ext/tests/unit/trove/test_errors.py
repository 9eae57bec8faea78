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

"""What an answer means that is no success."""

from trove_ext.exceptions import (
    LoginError,
    NotFoundError,
    RefusedError,
    ServiceError,
    UnreachableError,
)
from trove_ext.tests.fake.faults import Kind
from trove_ext.tests.unit.trove.answers import AnswerTestCase
from trove_ext.trove import read
from trove_ext.trove.errors import REQUEST_ID


class TestAnswers(AnswerTestCase):
    def test_a_404_that_is_not_troves_says_nothing_about_what_exists(self):
        cloud = self.faulty(Kind.NO_SUCH_PAGE)
        self.assertRaises(UnreachableError, read.get_backup, cloud, self.backup.id)
        cloud = self.answering(404, b'{"error": {"message": "no route"}}')
        self.assertRaises(UnreachableError, read.get_backup, cloud, self.backup.id)

    def test_troves_own_404_says_that_it_does_not_exist(self):
        self.backup.deleted = True
        self.assertRaises(NotFoundError, read.get_backup, self.cloud, self.backup.id)

    def test_a_date_is_a_retry_after_too_and_other_text_is_none(self):
        pauses = {}
        for header in ("Fri, 31 Dec 1999 23:59:59 GMT", "soon", "3, 4", ""):
            before = len(self.clock.sleeps)
            cloud = self.answering(
                413, b'{"overLimit": {"message": "x"}}', **{"Retry-After": header}
            )
            wanted = UnreachableError if header.startswith("Fri") else RefusedError
            self.assertRaises(wanted, read.get_backup, cloud, self.backup.id)
            pauses[header] = self.clock.sleeps[before:]
        self.assertEqual({1.0}, set(pauses.pop("Fri, 31 Dec 1999 23:59:59 GMT")))
        self.assertEqual([[], [], []], list(pauses.values()))

    def test_an_error_of_any_form_names_its_status(self):
        for code, body in ((429, b'{"error": "slow"}'), (503, b"[]"), (530, b"x")):
            cloud = self.answering(code, body, **{"Retry-After": "9"})
            error = self.assertRaises(
                UnreachableError, read.get_backup, cloud, self.backup.id
            )
            self.assertIn(f"HTTP {code}", str(error))

    def test_each_error_has_the_id_of_its_request(self):
        replies = {
            400: b'{"badRequest": {"message": "wrong"}}',
            401: b'{"error": {"message": "authenticate"}}',
            403: b'{"forbidden": {"message": "Policy does not allow it"}}',
            404: b'{"itemNotFound": {"message": "gone"}}',
            500: b'{"instanceFault": {"message": "broken"}}',
        }
        for code, body in replies.items():
            cloud = self.answering(code, body, **{REQUEST_ID: "req-1234"})
            error = self.assertRaises(
                ServiceError if code != 404 else NotFoundError,
                *(read.get_backup, cloud, self.backup.id),
            )
            self.assertIn("request req-1234", str(error))

    def test_another_refusal_of_trove_with_401_says_nothing_of_a_token(self):
        text = b'{"unauthorized": {"message": "Cannot create a replica of a replica."}}'
        cloud = self.answering(401, text)
        error = self.assertRaises(RefusedError, read.get_backup, cloud, self.backup.id)
        self.assertIn("a replica of a replica. (HTTP 401", str(error))
        self.assertNotIn("token", str(error))

    def test_a_401_of_trove_may_be_that_of_the_object_store(self):
        text = b'{"unauthorized": {"message": "Swift account not accessible."}}'
        cloud = self.answering(401, text)
        error = self.assertRaises(RefusedError, read.get_backup, cloud, self.backup.id)
        self.assertIn(
            "Swift account not accessible. If the token is of an application credential"
            " with access rules, a rule for the object store may be missing. (HTTP 401",
            str(error),
        )

    def test_a_401_of_keystonemiddleware_names_the_request_and_what_it_may_mean(self):
        cloud = self.answering(401, b'{"error": {"message": "authenticate"}}')
        error = self.assertRaises(LoginError, read.get_backup, cloud, self.backup.id)
        path = f"/v1.0/{self.fake.project_id}/backups/{self.backup.id}"
        self.assertIn(f"not accepted for GET {path} (HTTP 401", str(error))
        self.assertIn("a rule for this request may be missing", str(error))
