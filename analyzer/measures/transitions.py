"""When what is expressed changed: states by a sticky hidden Markov model.

Single estimates flicker. The model holds that an expression tends to stay: from one tick to the
next it stays with probability `exp(-tick / expected_dwell)` and else moves to one of the others
with equal probability. An estimate, a distribution over the four emotions or, of a face, the seven
expressions, enters as soft evidence: scaled by its (uniform) prior it is the likelihood of the
states (Bourlard and Morgan 1994), mixed with a uniform floor so that no single estimate can rule
a state out. A tick that says nothing has equal likelihoods and so carries no information; a silence
longer than `longest_silence_s` is no state at all, and nothing is carried across it. Where it is
known that something new begins, such as a track for the music, all states are equally probable
next.

The path is the most probable one (Viterbi 1967); the probabilities beside it are those of
forward-backward (Rabiner, "A tutorial on hidden Markov models", 1989). Self-transition bias as
in Fox et al., "A sticky HDP-HMM" (2011), here with a fixed number of states and fixed rates,
because one session is too short to learn them from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.choices import Chosen, bounded
from affetti.core.emotions import EMOTIONS, FloatArray, Label
from affetti.core.numbers import DWELL_S, MAX_S

SILENT: Final = -1  # the state of a tick that belongs to a long silence

StateArray = NDArray[np.int8]


class StickyChain(Chosen, frozen=True):
    """The parameters of the model."""

    # How long an expression stays, on average.
    expected_dwell_s: Annotated[float, bounded(DWELL_S)] = 10.0
    # Share of a uniform distribution mixed into every estimate; without any, one could rule out.
    floor: Annotated[float, bounded((1e-6, 1.0))] = 0.05
    longest_silence_s: Annotated[float, bounded((0.0, MAX_S))] = 5.0  # a longer one has no state


@dataclass(frozen=True)
class States:
    """The state of every tick.

    Attributes
    ----------
    tick_s
        Length of a tick; tick i begins at `i * tick_s`.
    labels
        What the states stand for.
    states
        int8 [n], an index into `labels`, or `SILENT`.
    probabilities
        float64 [n, k], of each state given the whole session; NaN where silent.
    """

    tick_s: float
    labels: tuple[Label, ...]
    states: StateArray
    probabilities: FloatArray


def smoothed(
    shares: FloatArray,
    tick_s: float,
    chain: StickyChain | None = None,
    beginnings: Sequence[int] = (),
    withheld: NDArray[np.bool_] | None = None,
    *,
    labels: tuple[Label, ...] = EMOTIONS,
) -> States:
    """Return the states of ticks in a row.

    Parameters
    ----------
    shares
        float64 [n, k], a distribution for each tick; rows of NaN say nothing.
    tick_s
        Length of a tick in seconds.
    chain
        The model; by default its defaults.
    beginnings
        Ticks at which something new begins, so that no state tends to stay.
    withheld
        Bool [n], ticks that were not to be recorded: they have no state, however short they are,
        and nothing is carried across them.
    labels
        What the distributions are over.
    """
    chain = chain or StickyChain()
    states = np.full(len(shares), SILENT, np.int8)
    probabilities = np.full(shares.shape, np.nan)
    if withheld is None:
        withheld = np.zeros(len(shares), bool)
    said = ~np.isnan(shares[:, 0]) & ~withheld
    likelihoods = _likelihoods(shares, chain.floor)
    moves = _moves(shares.shape, tick_s, chain, beginnings)
    for part in _spoken_parts(said, withheld, chain.longest_silence_s / tick_s):
        states[part] = _viterbi(likelihoods[part], moves[part])
        probabilities[part] = _posterior(likelihoods[part], moves[part])
    return States(tick_s, labels, states, probabilities)


def _likelihoods(shares: FloatArray, floor: float) -> FloatArray:
    uniform = 1 / shares.shape[1]
    mixed = (1 - floor) * shares + floor * uniform
    return np.asarray(np.where(np.isnan(shares), uniform, mixed))


def _moves(
    shape: tuple[int, ...], tick_s: float, chain: StickyChain, beginnings: Sequence[int]
) -> FloatArray:
    """Return the transition probabilities into each tick, float64 [ticks, k, k]."""
    ticks, n = shape
    stay = np.exp(-tick_s / chain.expected_dwell_s)
    sticky = np.full((n, n), (1 - stay) / (n - 1))
    np.fill_diagonal(sticky, stay)
    moves = np.repeat(sticky[np.newaxis], ticks, axis=0)
    moves[[tick for tick in beginnings if tick < ticks]] = 1 / n
    return moves


def _spoken_parts(
    said: NDArray[np.bool_], withheld: NDArray[np.bool_], longest_silence: float
) -> list[slice]:
    """Return the parts that begin and end with an estimate and hold no silence that is too long.

    Nor do they hold anything that was withheld.
    """
    (spoken,) = np.nonzero(said)
    if not len(spoken):
        return []
    crossed = np.diff(withheld.cumsum()[spoken]) > 0
    (breaks,) = np.nonzero((np.diff(spoken) - 1 > longest_silence) | crossed)
    starts = spoken[np.concatenate(([0], breaks + 1))]
    stops = spoken[np.concatenate((breaks, [len(spoken) - 1]))] + 1
    return [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def _viterbi(likelihoods: FloatArray, moves: FloatArray) -> StateArray:
    logs, log_moves = np.log(likelihoods), np.log(moves)
    best = logs[0].copy()
    came_from = np.zeros(likelihoods.shape, np.int8)
    for i in range(1, len(logs)):
        scores = best[:, np.newaxis] + log_moves[i]
        came_from[i] = scores.argmax(axis=0)
        best = scores.max(axis=0) + logs[i]
    path = np.empty(len(logs), np.int8)
    path[-1] = best.argmax()
    for i in range(len(logs) - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path


def _posterior(likelihoods: FloatArray, moves: FloatArray) -> FloatArray:
    """Forward-backward, each step scaled to sum to one."""
    forward = np.empty_like(likelihoods)
    backward = np.empty_like(likelihoods)
    prior = np.full(likelihoods.shape[1], 1 / likelihoods.shape[1])
    for i, likelihood in enumerate(likelihoods):
        step = (forward[i - 1] @ moves[i] if i else prior) * likelihood
        forward[i] = step / step.sum()
    backward[-1] = 1.0
    for i in range(len(likelihoods) - 2, -1, -1):
        step = moves[i + 1] @ (likelihoods[i + 1] * backward[i + 1])
        backward[i] = step / step.sum()
    both = forward * backward
    return np.asarray(both / both.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Dwell:
    """A stretch in one state.

    Attributes
    ----------
    state
        What was expressed, or None in a long silence.
    start_s, stop_s
        Session time.
    probability
        Mean probability of the state in the stretch; NaN in silence.
    """

    state: Label | None
    start_s: float
    stop_s: float
    probability: float

    @property
    def dwell_s(self) -> float:
        """How long it lasted."""
        return self.stop_s - self.start_s


@dataclass(frozen=True)
class Change:
    """A change from one expression to another.

    Attributes
    ----------
    t_s
        When the new one began.
    before, after
        Both expressions.
    dwell_s
        How long the new one then lasted.
    probability
        Mean probability of the new state while it lasted.
    """

    t_s: float
    before: Label
    after: Label
    dwell_s: float
    probability: float


def dwells_of(states: States) -> list[Dwell]:
    """Return the stretches in which the state stayed the same, silences among them, in order."""
    values = states.states
    if not len(values):
        return []
    (ends,) = np.nonzero(np.diff(values))
    starts = [0, *(int(end) + 1 for end in ends)]
    stops = [*starts[1:], len(values)]
    return [_dwell(states, start, stop) for start, stop in zip(starts, stops, strict=True)]


def _dwell(states: States, start: int, stop: int) -> Dwell:
    index = int(states.states[start])
    silent = index == SILENT
    return Dwell(
        state=None if silent else states.labels[index],
        start_s=start * states.tick_s,
        stop_s=stop * states.tick_s,
        probability=np.nan if silent else float(states.probabilities[start:stop, index].mean()),
    )


def changes_of(states: States) -> list[Change]:
    """Return every change of state; what follows a long silence is a beginning, no change."""
    dwells = dwells_of(states)
    return [
        Change(now.start_s, was.state, now.state, now.dwell_s, now.probability)
        for was, now in pairwise(dwells)
        if was.state is not None and now.state is not None
    ]


def transition_counts(
    changes: list[Change], labels: tuple[Label, ...] = EMOTIONS
) -> NDArray[np.int64]:
    """Return how often each label gave way to each other, int64 [k from, k to]."""
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for change in changes:
        counts[labels.index(change.before), labels.index(change.after)] += 1
    return counts


def transition_shares(counts: NDArray[np.int64]) -> FloatArray:
    """Return, of the changes away from each label, the share to each other, float64 [k, k].

    Rows sum to one; a row of a label that was never left is NaN.
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares
