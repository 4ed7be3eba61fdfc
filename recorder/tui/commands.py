"""Commands that a screen runs as a person would, in a process of their own."""

import asyncio
import os
import sys

from affetti.core.custody import keys
from affetti.core.language import text


async def affetti(*words: str) -> tuple[int, str]:
    """Run `affetti` with some words; return its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "affetti", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1", keys.HANDED_OVER: "stdin"},
    )
    out, err = await process.communicate(keys.to_hand_over())
    code = process.returncode or 0
    said = (err if code else out).decode(errors="replace").strip()
    return code, said or text("review.report_silent", code=code)
