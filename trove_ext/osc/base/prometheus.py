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
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: node_exporter runs as a user of its own.
MODE = 0o644
#: The collector reads no other files (node_exporter, "Textfile Collector").
SUFFIX = ".prom"


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


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
