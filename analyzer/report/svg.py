"""Elements of SVG."""

from markupsafe import Markup

from affetti.core.labels import lines


def element(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """Return an element; attributes and text are escaped, `_` in a name stands for `-`."""
    pairs = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
    )
    inside = Markup("").join(
        child if isinstance(child, Markup) else lines(child) for child in children
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, pairs, inside)
