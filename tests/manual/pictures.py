"""The screens of the manual, drawn by the program itself."""

import asyncio
from pathlib import Path
from typing import Final

from tests.recorder.test_tui_snapshots import Scene

_SIZE: Final = (100, 30)
_SCENES: Final = ("set_up", "devices", "live", "review")


def write(folder: Path) -> None:
    """Write an SVG of each screen."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _SCENES:
        asyncio.run(_draw(name, folder / f"{name}.svg"))


async def _draw(name: str, path: Path) -> None:
    scene = Scene()
    async with scene.app.run_test(size=_SIZE) as pilot:
        await getattr(scene, name)(pilot)
        path.write_text(scene.app.export_screenshot(title="Affetti"))
