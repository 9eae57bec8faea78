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

"""The words of code, messages and documents are those that a reader searches for."""

import ast
import pathlib
import re
import subprocess
from collections.abc import Iterator

import testtools

ROOT = pathlib.Path(__file__).parents[3]

#: Words that are not used, and what is written instead.
INSTEAD = {
    "tell|tells|telling|told": "report, say, name, show, distinguish",
    "bear|bears|bearing|bore|borne": "have",
    "(?:come|comes|came) (?:of|about|through)": "result, happen, succeed",
    "(?:hang|hangs|hanging|hung) on": "depend on; dependent backup",
    "mend|mends|mended|mending": "repair, fix, clear",
    "tame|tames|tamed": "escape",
    "rob|robs|robbed": "leave without",
    "judge|judges|judged|judging": "check, evaluate",
    "heed|heeds|heeded": "follow, respect",
    "(?:give|gives|gave) way": "delete its own, yield",
    "so many": "this many, <n>",
}
PATTERNS = {
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE): better
    for words, better in INSTEAD.items()
}

#: Permitted uses: path, the text around the word, the reason.
EXCEPTIONS = (
    ("trove_ext/tests/fake/harness.py", "memory.tell()", "a method of io.StringIO"),
)


def tracked_files() -> list[pathlib.Path]:
    """The files in the repository; none outside of a checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.name != "test_words.py"]


def as_words(line: str) -> str:
    """Separate the words of identifiers: ``toldYou`` and ``told_you``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", line).replace("_", " ")


def found_in(name: str, text: str) -> Iterator[str]:
    """Yield each line with such a word, and what to write instead."""
    for path, phrase, _reason in EXCEPTIONS:
        if path == name:
            text = text.replace(phrase, "")
    for number, line in enumerate(text.splitlines(), start=1):
        words = as_words(line)
        for pattern, instead in PATTERNS.items():
            if match := pattern.search(words):
                yield f"{name}:{number}: {match[0]!r}; better: {instead}"


class WordsTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.files = tracked_files()
        if not self.files:
            self.skipTest("not a git checkout")

    def test_no_file_has_a_word_that_nobody_searches_for(self):
        found = []
        for path in self.files:
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text(encoding="utf-8", errors="ignore")
            found += [*found_in(name, name), *found_in(name, text)]
        self.assertEqual([], found, "\n".join(found))

    def test_no_variable_of_a_loop_is_named_one(self):
        found = []
        for path in self.files:
            if path.suffix == ".py":
                tree = ast.parse(path.read_text(encoding="utf-8"))
                found += [f"{path}:{line}" for line in _named_one(tree)]
        self.assertEqual([], found)

    def test_each_exception_is_still_needed(self):
        for name, phrase, reason in EXCEPTIONS:
            text = (ROOT / name).read_text(encoding="utf-8")
            self.assertIn(phrase, text, reason)

    def test_words_are_found_in_identifiers_too(self):
        for line in ("TOLD = 1", "def _judge_it():", "class ToldYou:", "it hangs on b"):
            self.assertEqual(1, len(list(found_in("x.py", line))), line)
        for line in ("recommended", "bearer", "constellation", "Rob's robust robots"):
            wanted = 1 if line.startswith("Rob") else 0
            self.assertEqual(wanted, len(list(found_in("x.py", line))), line)


def _named_one(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension):
            for part in ast.walk(node.target):
                if isinstance(part, ast.Name) and part.id == "one":
                    yield part.lineno
        elif isinstance(node, ast.Lambda) and "one" in {a.arg for a in node.args.args}:
            yield node.lineno
