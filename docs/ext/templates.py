"""Pages as Jinja templates."""

import jinja2


def fill(text, functions):
    """The text of a page with the values of its expressions.

    A name that does not exist raises `jinja2.UndefinedError`.

    Args:
        text: The template.
        functions: What the expressions can call, by name.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    return environment.from_string(text).render(functions)
