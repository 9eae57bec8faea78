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

"""Builds the documents of trove-ext."""

import importlib.metadata
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "_ext"))

extensions = [
    "openstackdocstheme",
    "sphinx.ext.autodoc",
    "cliff.sphinxext",
    "command_reference",
    "evidence",
]

project = "trove-ext"
copyright = "trove-ext developers"
release = version = importlib.metadata.version("trove-ext")

master_doc = "index"
source_suffix = ".rst"
exclude_patterns: list[str] = []
# Most blocks are command lines, which are no Python.
highlight_language = "none"
nitpicky = True
# Other projects' types in the signatures of the library; the builds are offline.
nitpick_ignore_regex = [
    ("py:class", r"(datetime\.)?(datetime|timedelta)"),
    ("py:class", r"Session|sdk\.Connection"),
]
autodoc_typehints_format = "short"
# Keep the two hyphens of an option.
smartquotes = False
html_theme = "openstackdocs"
html_static_path = ["_static"]
html_css_files = ["trove-ext.css"]
html_theme_options = {"show_other_versions": False}
pygments_style = "native"

openstackdocs_auto_name = False
openstackdocs_auto_version = False
openstackdocs_use_storyboard = False
openstackdocs_pdf_link = False

autoprogram_cliff_application = "openstack"
autoprogram_cliff_app_dist_name = "python-openstackclient"
# Every command has the options of its formatters, which cliff documents.
autoprogram_cliff_ignored = [
    "--help",
    "--format",
    "--column",
    "--quote",
    "--noindent",
    "--max-width",
    "--fit-width",
    "--print-empty",
    "--sort-column",
    "--sort-ascending",
    "--sort-descending",
    "--prefix",
]
