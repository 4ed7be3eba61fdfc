from affetti.analyzer.measures.held import Naming
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import Emotion
from affetti.core.events import Emotions


def named(*estimates: Emotions | None) -> list[Emotion | None]:
    """What is named of estimates that are a second apart."""
    naming = Naming()
    return [naming.follow(s * NS_PER_S, each) for s, each in enumerate(estimates)]


def test_what_wavers_keeps_its_name():
    wavering = [(0.45, 0.35, 0.1, 0.1), (0.38, 0.42, 0.1, 0.1), (0.36, 0.44, 0.1, 0.1)]

    assert named(*wavering, *wavering, *wavering) == [Emotion.HAPPINESS] * 9


def test_what_truly_changes_is_named_at_once():
    assert named((0.7, 0.1, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1)) == [Emotion.HAPPINESS, Emotion.SADNESS]


def test_what_is_steadily_overtaken_loses_its_name_sooner_than_what_only_comes_near():
    """A window of ten seconds takes in other music: its estimate is under way for ten."""
    moving = [(0.6 - 0.05 * s, 0.2 + 0.05 * s, 0.1, 0.1) for s in range(8)]
    near = [(0.42, 0.38, 0.1, 0.1), *[(0.38, 0.44, 0.1, 0.08)] * 9]

    assert named(*moving)[3:5] == [Emotion.HAPPINESS, Emotion.SADNESS]  # as probable by then
    assert named(*near) == [Emotion.HAPPINESS] * 10


def test_after_a_silence_the_strongest_is_named_anew():
    broken = [(0.45, 0.35, 0.1, 0.1), None, (0.4, 0.42, 0.1, 0.08)]

    assert named(*broken) == [Emotion.HAPPINESS, None, Emotion.SADNESS]
