"""A page as one HTML document without scripts or addresses."""

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from affetti.analyzer.report.blocks import Page
from affetti.core.hues import DARK, LIGHT, ink_on
from affetti.core.labels import lines

if TYPE_CHECKING:
    import jinja2

_FOLDER: Final = Path(__file__).parent
_TEMPLATE: Final = "template.html"


def html(page: Page) -> str:
    """Return a page as HTML."""
    return template(_FOLDER, _TEMPLATE).render(page=page, style=style(), base64=_base64, name=_name)


def style() -> str:
    """Return the style sheet, with the hues that the screen has as well."""
    sheet = (_FOLDER / "style.css").read_text(encoding="utf-8")
    dark = f"@media (prefers-color-scheme: dark) {{ {_hues(DARK)} }}"
    paper = f"@media print {{ {_hues(LIGHT)} }}"
    return "\n".join([_hues(LIGHT), dark, sheet, paper])


def _hues(hues: Any) -> str:
    named = (f"--{name}: {hue}; --on-{name}: {ink_on(hue)};" for name, hue in hues.items())
    return f":root {{ {' '.join(named)} }}"


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _name(block: object) -> str:
    return type(block).__name__


@cache
def template(folder: Path, name: str) -> "jinja2.Template":
    """Return the template of a page: whatever it is given, texts are escaped, without controls."""
    import jinja2  # noqa: PLC0415  only where a page is written

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _FOLDER]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    return environment.get_template(name)


def _shown(value: Any) -> Any:
    """Return a value as it may stand on the page: texts without controls; mark-up is ours."""
    return lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value
