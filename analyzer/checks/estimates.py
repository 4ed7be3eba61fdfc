"""Whether the estimates are what they should be."""

from typing import Any

import numpy as np

from affetti.analyzer.checks.register import Importance, Messages, rule
from affetti.analyzer.checks.subject import Subject
from affetti.analyzer.measures.estimates import expected_ns
from affetti.analyzer.replay import other_models
from affetti.core.clock import NS_PER_S
from affetti.core.events import Columns, Estimate, FaceEstimated, columns, estimate_kind
from affetti.core.language import clock_text, counted, text


@rule(Importance.CRITICAL)
def columns_true(subject: Subject) -> Messages:
    """Compare the columns of estimates with the events."""
    session = subject.session
    made: dict[str, list[Estimate]] = {name: [] for name in session.estimates}
    for event in session.events:
        if isinstance(event, Estimate) and type(event) is estimate_kind(event.modality):
            made.setdefault(event.modality, []).append(event)
    for name, events in made.items():
        told = columns(estimate_kind(name), events)
        stored: Columns = session.estimates.get(name, {})
        if not stored and not len(told["seq"]):
            continue
        told |= {"t_s": told["t_ns"] / NS_PER_S}
        if not all(_equal(stored.get(column), values) for column, values in told.items()):
            yield text("found.columns", modality=name)


def _equal(stored: Any, told: Any) -> bool:
    if stored is None or len(stored) != len(told):
        return False
    if stored.dtype.kind == "f" and np.isnan(stored).all():
        return told.dtype.kind != "f" or bool(np.isnan(told).all())  # unknown to that version
    if told.dtype == object:
        return all((a or None) == (b or None) for a, b in zip(stored, told, strict=True))
    return bool(np.array_equal(stored.astype(told.dtype), told, equal_nan=told.dtype.kind == "f"))


@rule(Importance.NOTE)
def inference_kept_up(subject: Subject) -> Messages:
    """Tell of live estimates that were skipped."""
    state = subject.session.state
    for modality, count in state.skipped.items():
        message = "found.skipped_for_good" if state.unkept else "found.skipped"
        yield counted(message, count, modality=modality)


@rule(Importance.NOTE)
def models_present(subject: Subject) -> Messages:
    """Tell of models that are not those of this installation."""
    if others := other_models(subject.session):
        yield text("found.other_models", models=", ".join(others))


@rule(Importance.NOTE)
def face_in_view(subject: Subject) -> Messages:
    """Tell of a face that was out of view most of the time."""
    session = subject.session
    due = len(expected_ns(session.state, session.started.perception, "face"))
    seen = sum(isinstance(event, FaceEstimated) and bool(event.faces) for event in session.events)
    if len(session.frames) and due and seen / due < 0.5:
        duration = clock_text(session.state.now_ns / NS_PER_S)
        yield text("found.face", share=min(seen / due, 1), duration=duration)
