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

"""Builds the release notes of trove-ext."""

extensions = ["openstackdocstheme", "reno.sphinxext"]

project = "trove-ext release notes"
copyright = "trove-ext developers"
release = version = ""

master_doc = "index"
html_theme = "openstackdocs"
html_theme_options = {"show_other_versions": False}

openstackdocs_auto_name = False
openstackdocs_auto_version = False
openstackdocs_use_storyboard = False
openstackdocs_pdf_link = False
