"""The neutral reference on the screen: a countdown, what became of it, and its refusal."""

from pathlib import Path

import pytest
from textual.widgets import Digits

from affetti.core.events import (
    Event,
    Face,
    FaceEstimated,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
)
from affetti.recorder.engine import messages
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.neutral import NeutralScreen
from tests.recorder.scripted_engine import NS, health, recorded
from tests.recorder.test_tui_screens import recording

pytestmark = pytest.mark.one_of_each


def faces(neutral: float, from_s: int, until_s: int) -> list[Event]:
    rest = (1 - neutral) / 6
    shown = (rest, rest, rest, rest, rest, rest, neutral)
    emotions = (0.25, 0.25, 0.25, 0.25)
    return [
        FaceEstimated(
            t_ns=round(t / 10 * NS),
            frame=t,
            neutral_reference=from_s > 210 and neutral > 0.5,
            faces=(
                Face(
                    face_id=0,
                    read=True,
                    expressions=shown,
                    emotions=emotions,
                    box_px=(200, 90, 200, 200),
                ),
            ),
        )
        for t in range(from_s * 10, until_s * 10)
    ]


@pytest.mark.campaign
@pytest.mark.parametrize(("neutral", "said"), [(0.2, "read against it. B shows"), (0.9, "✓ taken")])
async def test_a_reference_is_counted_down_and_judged(
    tmp_path: Path, neutral: float, said: str
) -> None:
    async with recording(tmp_path) as live:
        await live.hears(recorded([NeutralReferenceStarted(t_ns=201 * NS)]))
        await live.until(lambda: isinstance(live.app.screen, NeutralScreen))
        live.clock[0] += 4 * NS
        await live.until(lambda: live.app.screen.query_one(Digits).value in ("5", "6", "7"))
        await live.pilot.press("m")  # a moment is marked all the same
        assert live.sent(messages.Mark)
        over = NeutralReferenceRecorded(t_ns=211 * NS)
        await live.hears(recorded([*faces(neutral, 201, 211), over]), health())
        await live.hears(recorded(faces(neutral, 211, 214)))
        await live.until(lambda: said in live.words("#outcome"))
        if neutral < 0.5:
            await live.pilot.press("b")
            await live.until(lambda: bool(live.sent(messages.ShowNeutralFace)))
            await live.pilot.press("escape")
        else:
            live.clock[0] += 3 * NS
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
