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

"""The files of ``doc/examples``: their forms, and the command lines in them.

``tools/check-examples.sh`` runs the programs that read them.
"""

import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import threading
from types import SimpleNamespace
from unittest import mock

import fixtures
import jsonschema
import testtools
import yaml

from trove_ext.exceptions import Exit
from trove_ext.osc import lazy
from trove_ext.tests.access_rules import EXAMPLE as ACCESS_RULES

EXAMPLES = pathlib.Path(__file__).parents[3] / "doc/examples"
RETRIED = {int(Exit.BUSY), int(Exit.TIMEOUT)}
CLASSES = {
    "rotate": "RotateDatabaseBackup",
    "check": "CheckDatabaseBackup",
    "verify": "VerifyDatabaseBackup",
    "prune": "PruneDatabaseBackup",
}
LINE = re.compile(r"openstack[^\n>;']* database backup [^\n>;']*")


def mapping(required=(), **properties):
    """A mapping with these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def array(items):
    return {"type": "array", "items": items, "minItems": 1}


TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}
#: The part of batch/v1 and of the pod template that the example uses.
CONTAINER = mapping(
    ("name", "image", "command"),
    name=TEXT,
    image=TEXT,
    command=array(TEXT),
    env=array(mapping(("name", "value"), name=TEXT, value=TEXT)),
    securityContext=mapping(
        allowPrivilegeEscalation=FLAG,
        readOnlyRootFilesystem=FLAG,
        runAsNonRoot=FLAG,
        runAsUser=COUNT,
    ),
    volumeMounts=array(
        mapping(("name", "mountPath"), name=TEXT, mountPath=TEXT, readOnly=FLAG)
    ),
)
POD = mapping(
    ("restartPolicy", "containers"),
    # podFailurePolicy requires it.
    restartPolicy={"const": "Never"},
    automountServiceAccountToken=FLAG,
    containers=array(CONTAINER),
    volumes=array(
        mapping(
            ("name",),
            name=TEXT,
            secret=mapping(("secretName",), secretName=TEXT),
            emptyDir=mapping(),
        )
    ),
)
FAILURE_RULE = mapping(
    ("action", "onExitCodes"),
    action={"enum": ["FailJob", "Ignore", "Count", "FailIndex"]},
    onExitCodes=mapping(
        ("operator", "values"),
        containerName=TEXT,
        operator={"const": "In"},
        values=array(COUNT),
    ),
)
CRON_JOB = mapping(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "batch/v1"},
    kind={"const": "CronJob"},
    metadata=mapping(("name",), name=TEXT),
    spec=mapping(
        ("schedule", "jobTemplate"),
        schedule={"type": "string", "pattern": r"^(\S+ ){4}\S+$"},
        timeZone=TEXT,
        concurrencyPolicy={"enum": ["Allow", "Forbid", "Replace"]},
        startingDeadlineSeconds=COUNT,
        successfulJobsHistoryLimit=COUNT,
        failedJobsHistoryLimit=COUNT,
        jobTemplate=mapping(
            ("spec",),
            spec=mapping(
                ("template",),
                backoffLimit=COUNT,
                activeDeadlineSeconds=COUNT,
                podFailurePolicy=mapping(("rules",), rules=array(FAILURE_RULE)),
                template=mapping(("spec",), spec=POD),
            ),
        ),
    ),
)
ALERT = mapping(
    ("alert", "expr", "labels", "annotations"),
    alert=TEXT,
    expr=TEXT,
    labels=mapping(("severity",), severity=TEXT),
    annotations=mapping(("summary",), summary=TEXT),
    **{"for": TEXT},
)
ALERTS = mapping(
    ("groups",),
    groups=array(mapping(("name", "rules"), name=TEXT, rules=array(ALERT))),
)


def load(name):
    return yaml.safe_load((EXAMPLES / name).read_text())


def unit(name):
    """The settings of a unit, by section; one that repeats is a list."""
    sections = {}
    for line in (EXAMPLES / "systemd" / name).read_text().splitlines():
        if line.startswith("["):
            settings = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return sections


class TestForms(testtools.TestCase):
    def test_the_cron_job_is_as_kubernetes_has_it(self):
        job = load("kubernetes-cronjob.yaml")
        jsonschema.validate(job, CRON_JOB)
        spec = job["spec"]["jobTemplate"]["spec"]
        (rule,) = spec["podFailurePolicy"]["rules"]
        self.assertEqual([int(Exit.USAGE)], rule["onExitCodes"]["values"])
        (container,) = spec["template"]["spec"]["containers"]
        self.assertEqual(container["name"], rule["onExitCodes"]["containerName"])
        self.assertEqual("Forbid", job["spec"]["concurrencyPolicy"])
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"] for volume in spec["template"]["spec"]["volumes"]}
        self.assertEqual(volumes, mounted)

    def test_the_alerts_are_as_prometheus_has_them(self):
        jsonschema.validate(load("prometheus-rules.yaml"), ALERTS)

    def test_the_units_try_again_what_can_be_tried_again(self):
        service = unit("trove-backup.service")["Service"]
        (codes,) = service["RestartForceExitStatus"]
        self.assertEqual(RETRIED, set(map(int, codes.split())))
        self.assertIn("LoadCredential", service)

    def test_each_timer_has_its_service(self):
        names = {path.name for path in (EXAMPLES / "systemd").iterdir()}
        timers = {name for name in names if name.endswith(".timer")}
        self.assertEqual(
            names - timers, {name.replace(".timer", ".service") for name in timers}
        )

    def test_the_credential_of_the_examples_is_in_no_command_line(self):
        self.assertEqual("v3applicationcredential", _cloud()["auth_type"])
        services = {rule["service"] for rule in _access_rules()}
        self.assertEqual({"database", "object-store"}, services)


def _cloud():
    return load("clouds.yaml")["clouds"]["prod"]


def _access_rules():
    return json.loads(ACCESS_RULES.read_text())


class TestCommandLines(testtools.TestCase):
    def lines(self):
        job = load("kubernetes-cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]
        (container,) = job["spec"]["containers"]
        yield container["command"]
        for path in sorted(EXAMPLES.rglob("*")):
            if path.is_file() and path.suffix in {"", ".service", ".sh"}:
                for found in LINE.findall(path.read_text()):
                    yield shlex.split(found)

    def test_each_is_accepted_by_the_parser_of_its_command(self):
        seen = set()
        for words in self.lines():
            at = words.index("backup")
            verb, rest = words[at + 1], words[at + 2 :]
            app = mock.MagicMock(command_manager=SimpleNamespace())
            parser = lazy.load(CLASSES[verb])(app, None).get_parser(verb)
            parsed = parser.parse_args([word for word in rest if word != "..."])
            self.assertTrue(parsed.all, words)
            seen.add(verb)
        self.assertEqual({"rotate", "check"}, seen)


class TestHealthchecks(testtools.TestCase):
    """The wrapper, with a server that notes what it is sent."""

    def setUp(self):
        super().setUp()
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed")
        self.pings = pings = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                size = int(self.headers.get("Content-Length", 0))
                pings.append((self.path, self.rfile.read(size).decode()))
                self.send_response(200)
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - as http.server has it

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/ping"

    def run_job(self, script, url=None):
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        argv = ["sh", "-c", f"cd {folder}; echo row; {script}"]
        return subprocess.run(
            ["sh", str(EXAMPLES / "healthchecks.sh"), url or self.url, *argv],
            env={**os.environ, "TROVE_BACKUP_PAUSE": "0", "no_proxy": "*"},
            capture_output=True,
            text=True,
            check=False,
        ).returncode

    def test_the_exit_code_and_the_errors_are_reported(self):
        self.assertEqual(1, self.run_job("echo broken >&2; exit 1"))
        self.assertEqual([("/ping/start", ""), ("/ping/1", "broken")], self.pings)

    def test_what_can_be_tried_again_is(self):
        script = "echo x >>runs; [ $(wc -l <runs) = 3 ] || exit 75"
        self.assertEqual(0, self.run_job(script))
        self.assertEqual(["/ping/start", "/ping/0"], [path for path, _ in self.pings])
        self.pings.clear()
        self.assertEqual(124, self.run_job("exit 124"))
        self.assertEqual("/ping/124", self.pings[-1][0])

    def test_a_job_runs_without_the_server(self):
        curl = pathlib.Path(self.useFixture(fixtures.TempDir()).path, "curl")
        curl.write_text("#!/bin/sh\nexit 7\n")
        curl.chmod(0o755)
        path = f"{curl.parent}{os.pathsep}{os.environ['PATH']}"
        with mock.patch.dict(os.environ, PATH=path):
            self.assertEqual(0, self.run_job("true"))
