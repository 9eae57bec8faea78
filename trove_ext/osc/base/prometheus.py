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
"""Metrics in Prometheus' text format, for node_exporter's textfile collector.

Source: Prometheus' exposition formats, and the advice of the textfile collector's
scripts: write to another file and rename it, so a half of it is never read.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import re
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import TroveExtError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: node_exporter runs as a user of its own.
MODE = 0o644
#: The collector reads no other files (node_exporter, "Textfile Collector").
SUFFIX = ".prom"
#: The label by which the samples of an instance belong together.
ID = "id"
_LINE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>[-+.\deE]+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric and its labels."""

    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric that goes up and down, in base units.

    :ivar help: what it is, in a sentence
    """

    name: str
    help: str
    samples: Sequence[Sample]


def render(gauges: Sequence[Gauge]) -> str:
    """Return the text of a file; a metric without a sample is left out."""
    lines: list[str] = []
    for gauge in gauges:
        if not gauge.samples:
            continue
        text = gauge.help.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {gauge.name} {text}", f"# TYPE {gauge.name} gauge"]
        lines += [_sample(gauge.name, sample) for sample in gauge.samples]
    return "\n".join(lines) + "\n" if lines else ""


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option of a job that writes metrics of its own at its end."""
    parser.add_argument(
        "--prometheus",
        metavar="<file.prom>",
        type=textfile,
        help="Write the result to this file too, for the textfile collector of "
        "node_exporter, which reads files named *.prom alone. The time of an earlier "
        "success stays in it until there is a new one",
    )


def textfile(text: str) -> pathlib.Path:
    """Return the path of a file that the collector reads, an argparse type.

    Whatever else a wrong path names, such as ``/etc/passwd``, is so never replaced.

    :raises argparse.ArgumentTypeError: the name does not end in ``.prom``
    """
    path = pathlib.Path(text)
    if path.suffix != SUFFIX:
        raise argparse.ArgumentTypeError(
            f"{text!r} does not end in {SUFFIX}; the textfile collector would not read "
            "it"
        )
    return path


def parse(text: str) -> dict[str, list[Sample]]:
    """Read the samples of a file that `render` has made, by metric.

    Other lines are skipped.
    """
    found: dict[str, list[Sample]] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        labels = {
            label: _ESCAPED.sub(_unescape, value)
            for label, value in _LABEL.findall(match["labels"] or "")
        }
        found.setdefault(match["name"], []).append(
            Sample(float(match["value"]), labels)
        )
    return found


def carry_over(
    gauges: Sequence[Gauge], old: str, only: Collection[str] | None = None
) -> list[Gauge]:
    """Add the last values of instances that have no new value of a metric.

    For what only the run that measured it knows, such as the last success.

    :param old: the text of the old file
    :param only: the IDs of the instances that still count; None for all
    """
    before = parse(old)
    return [_carried(gauge, before.get(gauge.name, ()), only) for gauge in gauges]


def _carried(
    gauge: Gauge, before: Sequence[Sample], only: Collection[str] | None
) -> Gauge:
    new = {sample.labels.get(ID) for sample in gauge.samples}
    kept = [
        sample
        for sample in before
        if ID in sample.labels
        and sample.labels[ID] not in new
        and (only is None or sample.labels[ID] in only)
    ]
    return replace(gauge, samples=[*gauge.samples, *kept])


def update(
    path: pathlib.Path, gauges: Sequence[Gauge], only: Collection[str] | None = None
) -> None:
    """Replace the metrics of a job; see `carry_over` for what stays of the old ones.

    :raises TroveExtError: the file can't be read or written; it is untouched then
    """
    try:
        old = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        old = ""
    except OSError as exc:
        raise TroveExtError(f"Can't read {path}: {exc.strerror or exc}") from exc
    save(path, carry_over(gauges, old, only))


def save(path: pathlib.Path, gauges: Sequence[Gauge]) -> None:
    """Replace a file of metrics.

    :raises TroveExtError: it can't be written; the old file is untouched then
    """
    try:
        write(path, render(gauges))
    except OSError as exc:
        raise TroveExtError(f"Can't write {path}: {exc.strerror or exc}") from exc


def instance_labels(
    instance_id: str | None,
    name: str,
    datastore: str | None,
    project: Mapping[str, str],
) -> dict[str, str]:
    """Return the labels that openstack-exporter has for an instance of Trove.

    (``exporters/trove.go``); what is not known, as of a deleted instance, is empty.

    :param project: the labels ``region`` and ``tenant_id``
    """
    labels = {ID: instance_id or "", "name": name, "datastore_type": datastore or ""}
    return {**labels, **project}


def write(path: pathlib.Path, text: str) -> None:
    """Replace a file atomically: written to another file, synced, renamed.

    :raises OSError: the folder can't be written; the old file is untouched then
    """
    descriptor, beside = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(descriptor, MODE)
            os.fsync(descriptor)
        pathlib.Path(beside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            pathlib.Path(beside).unlink()
        raise


def _sample(name: str, sample: Sample) -> str:
    labels = ",".join(
        f'{label}="{_escaped(value)}"' for label, value in sorted(sample.labels.items())
    )
    braces = f"{{{labels}}}" if labels else ""
    return f"{name}{braces} {sample.value:.17g}"


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
