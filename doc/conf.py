"""
Sphinx's configuration: ``sphinx-build -W --keep-going -b html doc doc/_build``.

The API reference comes from the docstrings, whose fields are Sphinx's own.
"""

from importlib.metadata import version as version_of

from sphinx.util.nodes import make_refnode

project = "rocketmq_tw"
author = "the rocketmq_tw maintainers"
copyright = f"2026, {author}"
version = release = version_of("rocketmq_tw")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode"]
# Each newsfragment is a part of the changelog, not a document.
exclude_patterns = ["_build", "newsfragments"]

html_theme = "furo"
html_title = f"{project} {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
# A type hint stands for a parameter that the text describes; others would only repeat
# the signature.
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True


def find_by_last_name(app, env, node, contnode):
    """
    Resolve a reference by its last name, as ``ValidationError``, where that is unique.

    Docstrings name classes as their module does, which has imported them.
    """
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    last = node["reftarget"].rpartition(".")[2]
    found = domain.find_obj(env, None, None, last, None, searchmode=1)
    if len(found) != 1:
        return None
    name, entry = found[0]
    return make_refnode(
        app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, name
    )


def setup(app):
    """Have Sphinx call the function above."""
    app.connect("missing-reference", find_by_last_name)
