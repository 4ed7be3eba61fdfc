from affetti.analyzer.measures.held import held
from affetti.core.emotions import Emotion


def test_what_wavers_keeps_its_name():
    wavering = [(0.45, 0.35, 0.1, 0.1), (0.38, 0.42, 0.1, 0.1), (0.36, 0.44, 0.1, 0.1)]

    assert held(wavering) == [Emotion.HAPPINESS] * 3


def test_what_truly_changes_is_named_at_once():
    changed = [(0.7, 0.1, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1)]

    assert held(changed) == [Emotion.HAPPINESS, Emotion.SADNESS]


def test_after_a_silence_the_strongest_is_named_anew():
    broken = [(0.45, 0.35, 0.1, 0.1), None, (0.4, 0.42, 0.1, 0.08)]

    assert held(broken) == [Emotion.HAPPINESS, None, Emotion.SADNESS]
