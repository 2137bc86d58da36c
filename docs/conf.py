# SPDX-License-Identifier: MIT
"""The mapspec site.  `make site` builds it into build/site."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "mapspec"
author = "the mapspec authors"
html_title = "mapspec"

extensions = ["myst_parser", "sphinx_design", "sphinx_copybutton", "mapspec_site"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_ext", "_static", "examples"]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1c5a8a", "color-brand-content": "#1c5a8a"},
    "dark_css_variables": {"color-brand-primary": "#8ec5ee", "color-brand-content": "#8ec5ee"},
}
pygments_style = "friendly"
pygments_dark_style = "monokai"
copybutton_prompt_text = "$ "
