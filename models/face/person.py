"""Who is read: which of the faces in view is the person, and what the others are.

Nobody is chosen by how large a face is alone. A face has to live (`models.face.liveness`): what
never moves in itself is a picture, and never speaks. The person is the only living face in view,
or the one that is clearly the largest; or the one that the therapist chose. From then on:

- with consent to `identity`, the person is who looks like the person (`models.face.identity`). It
  is asked at the start, after a loss, on a jump, beside a face that comes close, and every five
  seconds; a doubtful answer is silence. Whoever else comes, nobody else is ever taken for them.
- without it, several faces that are not known to be pictures are silence, and the person is the
  face that goes on from where it was. One that stood elsewhere meanwhile is not adopted. Of two
  that came close nobody knows who is who: whoever of them is alone for ten seconds is chosen anew.

Codes. `Face.role`: patient, therapist (said to be), other, picture, unknown. `Face.unread`, and
`FaceEstimated.nobody` of the estimate: still (it has not moved in itself yet), several (nobody is
chosen among several faces), identity (it may be somebody else), other, picture.
`FaceEstimated.change`, why who is read is another from here on: chosen (nobody was, or nobody can
know the one before), changed (the therapist's choice), returned (found again by appearance), lost.

All of it is a function of the frames and of the estimates before: `look` remembers nothing, and
`settle` takes in an estimate, the recorded one where there is one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, TypeAlias

import cv2
import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.events import PATIENT, Face, FaceEstimated
from affetti.models.face.detection import Detection
from affetti.models.face.identity import (
    MARGIN,
    NEAR,
    OTHER,
    Appearance,
    Descriptor,
    describable,
    is_person,
)
from affetti.models.face.liveness import Life, Patch, Sight, likeness, patch, thumb
from affetti.models.face.tracking import MEMORY_NS, FaceTracks
from affetti.models.face.views import Image

Describe: TypeAlias = Callable[[Image, Detection], Descriptor | None]

CHECK_NS: Final = 5 * NS_PER_S  # an undoubted face is looked at again
RECHECK_NS: Final = NS_PER_S // 2  # one that stays doubtful
CLOSE_CHECK_NS: Final = NS_PER_S // 5  # one beside which another comes close
GONE_NS: Final = NS_PER_S // 2  # whoever was not seen for so long may be another
GRACE_NS: Final = 2 * NS_PER_S  # how long faces get to show that they live before one is chosen
BACK_NS: Final = 3 * NS_PER_S  # whoever is found to be the person so soon need not show their life
ALONE_NS: Final = 10 * NS_PER_S  # after several were in view, the one that is left waits so long
LARGER: Final = 1.3  # times as wide: clearly the larger one
_JUMP: Final = 0.35  # of its width, from one look to the next
_GROWN: Final = 1.3
_LIKE: Final = 0.5
_CLOSE: Final = 0.9  # widths between two faces that may be taken for each other
_MIXED: Final = 1.5  # widths between two faces whose tracks may be exchanged while one is covered
_EAGER: Final = 5  # looks at once before a doubt becomes patient
_PICTURES: Final = 8

THERAPIST: Final = "therapist"
OTHERS: Final = "other"
PICTURE: Final = "picture"
UNKNOWN: Final = "unknown"
_NOT_THEIRS: Final = (OTHERS, THERAPIST)


@dataclass
class Known:
    """What is known of a face that is followed."""

    life: Life
    last: Detection
    seen_ns: int
    thumb: Patch | None = None
    role: str = UNKNOWN
    named: str | None = None  # whose it is, as the therapist said
    beside: bool = False  # it stood elsewhere while the person was followed
    sure: bool = False  # it was the person, and nothing has spoken against it since
    checked_ns: int | None = None
    distances: tuple[float, ...] = ()  # to the person, since it became doubtful
    look: Descriptor | None = None  # the latest


@dataclass(frozen=True)
class View:
    """A face in one frame."""

    face: Detection
    face_id: int
    known: Known | None
    thumb: Patch
    sight: Sight
    jumped: bool = False
    is_picture: bool = False
    look: Descriptor | None = None
    distances: tuple[float, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether it was seen to move in itself."""
        return self.known is not None and self.known.life.alive

    @property
    def since_ns(self) -> int:
        """Since when it is in view."""
        return self.sight.t_ns if self.known is None else self.known.life.since_ns

    @property
    def width_px(self) -> int:
        """Of the box."""
        return self.face.box_px[2]

    @property
    def beside(self) -> bool:
        """Whether it stood elsewhere while the person was followed."""
        return self.known is not None and self.known.beside

    @property
    def distance(self) -> float | None:
        """To the person, of this frame; None where it was not asked."""
        found = self.distances[-1] if self.look is not None and self.distances else None
        return found if found is not None and np.isfinite(found) else None


@dataclass(frozen=True)
class Verdict:
    """What is said of the faces in a frame.

    Attributes
    ----------
    views
        The faces that are followed.
    read
        The one to read, if any.
    person_id
        The one that is the person, read or not; None while nobody is.
    roles, unread
        By `face_id`.
    change
        Why who is read is another from here on; None where it is not.
    """

    views: tuple[View, ...] = ()
    read: View | None = None
    person_id: int | None = None
    roles: Mapping[int, str] = field(default_factory=dict)
    unread: Mapping[int, str] = field(default_factory=dict)
    change: str | None = None

    @property
    def nobody(self) -> str | None:
        """Why no face is read though there is one."""
        if self.read is not None or not self.views:
            return None
        codes = {self.unread.get(each.face_id, self.roles[each.face_id]) for each in self.views}
        return next((code for code in _WEIGHT if code in codes), None)

    def view_of(self, box_px: Sequence[int]) -> View | None:
        """Return the view of a face by its box, framed a little otherwise perhaps."""
        box = Detection((box_px[0], box_px[1], box_px[2], box_px[3]))
        near = [view for view in self.views if _apart(view.face, box) < _SAME_FACE]
        return min(near, key=lambda view: _apart(view.face, box), default=None)


_WEIGHT: Final = ("several", "identity", "still", OTHERS, PICTURE)
_SAME_FACE: Final = 0.3  # of its width


class PersonChoice:
    """Knows the person from one frame to the next. A pure function of what it is told, in order.

    Parameters
    ----------
    describe
        `models.face.identity.IdentityNetwork`, or a function like it; None where there is none.
    """

    def __init__(self, describe: Describe | None = None) -> None:
        self._describe = describe
        self._granted = False
        self._pressed = False
        self._named_id: int | None = None  # the face to read, by name
        self._person, self._others = Appearance(), Appearance()
        self.forget()

    def forget(self) -> None:
        """Forget every face and every look; ids are not given again."""
        tracks = getattr(self, "_tracks", None) or FaceTracks()
        tracks.forget()
        self._tracks = tracks
        self._known: dict[int, Known] = {}
        self._pictures: list[Life] = []
        self._person_id: int | None = None
        self._verdict: tuple[int, Verdict] | None = None
        self._several_ns: int | None = None
        self._sure_ns: int | None = None  # when the person was last seen for certain
        self._forget_looks()

    def consent_to_identity(self, granted: bool) -> None:
        """Take in whether faces may be told apart by how they look; without it all looks go."""
        self._granted = granted
        if not granted:
            self._forget_looks()

    def press(self) -> None:
        """Take another face for the person from the next frame on: the next one to the right."""
        self._pressed = True

    def name(self, face_id: int, role: str) -> bool:
        """Take in whose a face is; return whether the person is another from now on.

        Parameters
        ----------
        face_id
            Of a face that is followed; one that is gone is nobody's.
        role
            "patient", "therapist" or "other".
        """
        known = self._known.get(face_id)
        if known is None:
            return False
        known.named = role
        is_person = face_id == self._person_id
        if role == PATIENT:
            known.beside = False
            self._named_id = None if is_person else face_id
            self._pressed = not is_person
            return not is_person
        known.beside = True
        if is_person:
            self._disown()
        return is_person

    def _disown(self) -> None:
        """Take it that whoever was read is not the person: their looks are somebody else's."""
        for look in self._person.looks:
            self._others.learn(look)
        self._person = Appearance()
        self._person_id = None

    def look(self, t_ns: int, picture: Image, faces: Sequence[Detection]) -> Verdict:
        """Return what is said of the faces in a frame; `settle` has to be told what comes of it.

        Parameters
        ----------
        t_ns
            Session time of the frame.
        picture
            uint8 [H, W, 3].
        faces
            All detections, faint ones too, in any order.
        """
        frame = _Frame(self, t_ns, picture)
        verdict = frame.verdict(frame.views(faces))
        self._verdict = t_ns, verdict
        return verdict

    def given(self, t_ns: int, read: Detection | None, others: Iterable[Detection]) -> Verdict:
        """Return what is said where a reader has chosen by itself: its choice is the person."""
        found = [*([] if read is None else [read]), *others]
        ids = self._tracks.ids(t_ns, found)
        nothing = np.zeros((1, 1), np.float32)
        views = tuple(
            View(face, i, self._known.get(i), nothing, Sight(t_ns, nothing))
            for i, face in zip(ids, found, strict=True)
        )
        roles = dict.fromkeys(ids, UNKNOWN)
        change = "changed" if self._pressed and read is not None else None
        return Verdict(views, views[0] if read is not None else None, None, roles, {}, change)

    def settle(self, estimate: FaceEstimated) -> None:
        """Take in an estimate, of its own or one made live: later ones depend on it."""
        t_ns = estimate.t_ns
        seen = self._verdict[1] if self._verdict and self._verdict[0] == t_ns else Verdict()
        self._verdict = None
        self._change(estimate)
        in_view = [face for face in estimate.faces if face.role != PICTURE]
        if len(in_view) > 1 and any(face.unread == "several" for face in in_view):
            self._several_ns = t_ns
        for face in estimate.faces:
            self._take_in(t_ns, face, seen.view_of(face.box_px))
        self._learn(estimate)
        self._tracks.saw(t_ns, [(f.face_id, _detection(f)) for f in estimate.faces])
        kept = {*self._tracks.followed, self._person_id}
        self._known = {i: known for i, known in self._known.items() if i in kept}
        if self._named_id is not None and self._named_id not in self._known:
            self._named_id, self._pressed = None, False  # it has gone

    @property
    def by_looks(self) -> bool:
        """Whether faces are told apart by how they look."""
        return self._granted and self._describe is not None

    def _forget_looks(self) -> None:
        self._person, self._others = Appearance(), Appearance()
        for known in self._known.values():
            known.look, known.distances, known.checked_ns = None, (), None

    def _change(self, estimate: FaceEstimated) -> None:
        patient = next((face for face in estimate.faces if face.role == PATIENT), None)
        match estimate.change:
            case "changed":
                self._pressed, self._named_id = False, None
                for look in self._person.looks:
                    self._others.learn(look)
                self._begin_anew()
            case "chosen":
                self._begin_anew()
            case "lost":
                if before := self._known.get(_or_none(self._person_id)):
                    before.distances = ()  # whoever came in their place was asked last
                    self._doubt_around(before.last)
                self._person_id = None
        if patient is not None:
            self._person_id = patient.face_id

    def _doubt_around(self, place: Detection) -> None:
        """Take it that faces around the lost person may have changed tracks with theirs."""
        if not self.by_looks:
            return
        for known in self._known.values():
            if known.named is None and _apart(known.last, place) < _MIXED:
                known.beside, known.distances, known.look = False, (), None

    def _begin_anew(self) -> None:
        self._person = Appearance()
        for known in self._known.values():
            known.beside, known.sure, known.distances = False, False, ()

    def _take_in(self, t_ns: int, face: Face, view: View | None) -> None:
        known = self._known.get(face.face_id)
        if known is None:
            known = Known(Life(t_ns), _detection(face), t_ns)
            self._known[face.face_id] = known
        if view is not None:
            self._take_in_view(known, view, face)
        known.last, known.seen_ns, known.role = _detection(face), t_ns, face.role
        known.sure = face.role == PATIENT and face.unread not in ("identity", "still", "several")
        if face.expressions is not None:
            known.life.moved()
        if face.role == PICTURE and (view is None or view.known is None):
            known.life.is_picture = True
        if face.role in (*_NOT_THEIRS, UNKNOWN) and not self.by_looks:
            known.beside = face.role != UNKNOWN

    def _take_in_view(self, known: Known, view: View, face: Face) -> None:
        if view.jumped and not self.by_looks:
            known.life.doubt(view.sight.t_ns)
        was_picture = known.life.is_picture
        known.life.saw(view.sight)
        if known.life.is_picture and not was_picture:
            self._pictures = [*self._pictures, known.life][-_PICTURES:]
            self._several_ns = None  # it was a picture, then, that was the other
        known.thumb = view.thumb
        if view.look is not None:
            known.look, known.checked_ns = view.look, view.sight.t_ns
        settled = face.role == PATIENT and face.unread != "identity"
        known.distances = () if settled else view.distances

    def _learn(self, estimate: FaceEstimated) -> None:
        """Learn the person's looks, and those of whoever is seen beside them."""
        person = self._known.get(-1 if self._person_id is None else self._person_id)
        if person is None or not person.sure or person.seen_ns != estimate.t_ns:
            return
        self._sure_ns = estimate.t_ns
        if person.look is not None and person.checked_ns == estimate.t_ns:
            self._person.learn(person.look)
        for face in estimate.faces:
            if face.role in _NOT_THEIRS:
                known = self._known[face.face_id]
                known.beside = True
                if known.look is not None and known.life.alive:
                    self._others.learn(known.look)


class _Frame:
    """One frame, looked at with what a choice knows."""

    def __init__(self, choice: PersonChoice, t_ns: int, picture: Image) -> None:
        self._choice, self._t_ns, self._picture = choice, t_ns, picture
        self._fresh = 0

    @cached_property
    def _grey(self) -> Image:
        return np.asarray(cv2.cvtColor(self._picture, cv2.COLOR_BGR2GRAY), np.uint8)

    def views(self, faces: Sequence[Detection]) -> list[View]:
        """Return the faces that are followed: all clear ones, and faint ones that go on."""
        ordered = sorted(faces, key=lambda face: not face.is_clear)
        ids = self._choice._tracks.ids(self._t_ns, ordered)
        self._fresh = self._choice._tracks.fresh_after(ids)
        return [
            self._view(face, face_id)
            for face, face_id in zip(ordered, ids, strict=True)
            if face.is_clear or face_id in self._choice._known
        ]

    def _view(self, face: Detection, face_id: int) -> View:
        known = self._choice._known.get(face_id)
        seen = thumb(self._picture, face)
        if known is not None and known.life.alive:
            jumped = self._jumped(known, face, seen)
            return View(face, face_id, known, seen, Sight(self._t_ns, None), jumped)
        cut = patch(self._grey, face)
        if known is None:
            shown = any(life.resembles(cut) for life in self._choice._pictures)
            return View(face, face_id, None, seen, Sight(self._t_ns, cut), is_picture=shown)
        sight, jumped = known.life.sight(self._t_ns, cut), self._jumped(known, face, seen)
        return View(face, face_id, known, seen, sight, jumped, known.life.is_picture)

    def _jumped(self, known: Known, face: Detection, seen: Patch) -> bool:
        grown = face.box_px[2] / known.last.box_px[2]
        unlike = known.thumb is not None and likeness(known.thumb, seen) < _LIKE
        gone = self._t_ns - known.seen_ns > GONE_NS
        far = _apart(face, known.last) > _JUMP
        return gone or far or unlike or not 1 / _GROWN < grown < _GROWN

    def verdict(self, views: list[View]) -> Verdict:
        """Return what is said of the faces."""
        choice = self._choice
        living = [view for view in views if not view.is_picture and view.face.is_clear]
        if choice._pressed and living and self._is_there(living):
            return self._pressed(views, living)
        person_id = choice._person_id
        person = next((view for view in views if view.face_id == person_id), None)
        if not choice.by_looks:
            return self._by_place(views, living, person)
        if not choice._person.looks and person is None and self._is_free():
            return self._begin(views, living, person_id)
        return self._by_looks(views, person)

    def _is_there(self, living: Iterable[View]) -> bool:
        """Whether a face that was named is among those in view; True where none was named."""
        named_id = self._choice._named_id
        return named_id is None or any(view.face_id == named_id for view in living)

    def _pressed(self, views: list[View], living: list[View]) -> Verdict:
        chosen = self._described(self._chosen(living), due=True)
        views = [chosen if view.face_id == chosen.face_id else view for view in views]
        return self._read(views, chosen, "changed")

    def _chosen(self, living: list[View]) -> View:
        """Return the face that was named, or the next one to the right of the person's."""
        named_id = self._choice._named_id
        if named_id is not None:
            return next(view for view in living if view.face_id == named_id)
        in_row = sorted(living, key=lambda view: view.face.centre.real)
        known = self._choice._known.get(_or_none(self._choice._person_id))
        if known is None:
            return in_row[0]
        current = min(in_row, key=lambda view: abs(view.face.centre - known.last.centre))
        return in_row[(in_row.index(current) + 1) % len(in_row)]

    # Nobody is followed yet.

    def _begin(self, views: list[View], living: list[View], before: int | None) -> Verdict:
        change = "lost" if before is not None and self._is_gone(before) else None
        if not living or change is not None:
            return _silent(views, {}, change)
        chosen = self._first(living)
        if isinstance(chosen, str):
            return _silent(views, {view.face_id: chosen for view in living}, change)
        described = self._described(chosen, due=self._choice.by_looks)
        views = [described if view is chosen else view for view in views]
        return self._read(views, described, "chosen")

    def _first(self, living: list[View]) -> View | str:
        """Return the face to begin with, or why there is none."""
        free = [view for view in living if not view.beside]
        alive = sorted((v for v in free if v.alive), key=lambda v: v.width_px, reverse=True)
        if not free:
            return OTHERS
        if len(living) == 1:
            several_ns = self._choice._several_ns
            if several_ns is not None and self._t_ns - several_ns < ALONE_NS:
                return "several"
            return alive[0] if alive else "still"
        if self._t_ns - min(view.since_ns for view in living) < GRACE_NS or not alive:
            return "still"
        first = alive[0]
        rivals = [view for view in living if view is not first and self._rivals(view, first)]
        if not rivals:
            return first
        return "several" if any(view.alive for view in rivals) else "still"

    @staticmethod
    def _rivals(view: View, first: View) -> bool:
        """Return whether a face keeps the first from being chosen for certain."""
        if view.alive:
            return view.width_px * LARGER > first.width_px
        return view.width_px > LARGER * first.width_px

    # Without consent to tell faces apart.

    def _by_place(self, views: list[View], living: list[View], person: View | None) -> Verdict:
        if person is None:
            return self._nobody_in_place(views, living)
        others = [view for view in living if view is not person]
        if any(_close(view, person) for view in others):
            return self._mixed(views, person)
        if others:
            return self._kept_silent(views, person, "several")
        if not person.alive or person.jumped or person.is_picture:
            return self._kept_silent(views, person, PICTURE if person.is_picture else "still")
        return self._read(views, person, None)

    @staticmethod
    def _mixed(views: list[View], person: View) -> Verdict:
        """Nobody is read: who of two that came close is who afterwards, nobody knows."""
        near = [view for view in views if not view.is_picture and _close(view, person)]
        unknown = {v.face_id: UNKNOWN for v in near if v.known is None or v.known.named is None}
        roles = {**_roles(views, others=person.face_id), **unknown}
        return replace(_silent(views, {}, "lost"), roles=roles)

    def _nobody_in_place(self, views: list[View], living: list[View]) -> Verdict:
        person_id = self._choice._person_id
        if not self._is_free():
            return _silent(views, {view.face_id: "identity" for view in living})
        if len(living) > 1:
            change = None if person_id is None else "lost"
            return _silent(views, {view.face_id: "several" for view in living}, change)
        return self._begin(views, living, person_id)

    def _kept_silent(self, views: list[View], person: View, code: str) -> Verdict:
        """Nobody is read, and the person is who they were."""
        if person.is_picture:
            return _silent(views, {}, "lost")
        roles = {**_roles(views, others=person.face_id), person.face_id: PATIENT}
        return Verdict(
            tuple(views), None, person.face_id, roles, {person.face_id: code}
        )  # fmt: skip

    # With it.

    def _by_looks(self, views: list[View], person: View | None) -> Verdict:
        if person is not None and person.is_picture:
            views = [view for view in views if view is not person] + [person]
            return self._search(views, None, "lost")
        if person is None:
            return self._search(views, None, self._lost())
        unsure = self._unsure(views, person)
        asked = self._described(person, due=unsure or self._is_due(person), anew=unsure)
        views = [asked if view is person else self._beside(view) for view in views]
        answer = self._answer(asked, unsure)
        if answer is True:
            if not asked.alive:
                return self._kept_silent(views, asked, "still")
            return self._read(views, asked, None)
        if answer is False:
            stranger = replace(asked, face_id=self._fresh, known=None, distances=())
            views = [stranger if view is asked else view for view in views]
            return self._search(views, stranger, "lost")
        return self._search(views, asked, None)

    def _unsure(self, views: list[View], person: View) -> bool:
        """Whether the face where the person was may be another."""
        known = person.known
        if known is None or not known.sure or person.jumped:
            return True
        close = any(
            view is not person and not view.is_picture and _close(view, person) for view in views
        )
        return close and self._since(known) >= CLOSE_CHECK_NS

    def _since(self, known: Known) -> int:
        return CHECK_NS if known.checked_ns is None else self._t_ns - known.checked_ns

    def _is_due(self, view: View) -> bool:
        return view.known is None or self._since(view.known) >= CHECK_NS

    def _answer(self, person: View, unsure: bool) -> bool | None:
        if not self._choice._person.looks:  # consented to a moment ago: it is who it was
            return True
        if not unsure:
            found = person.distance
            return True if found is None or found <= OTHER else None
        return is_person(person.distances)

    def _described(self, view: View, due: bool, anew: bool = False) -> View:
        """Return a view with its descriptor, where it is due and can be had."""
        known, choice = view.known, self._choice
        kept = known is not None and not view.jumped and not (known.sure and anew)
        before = known.distances if known is not None and kept else ()
        if known is not None and len(before) >= _EAGER:
            due = due and self._since(known) >= RECHECK_NS
        if not due or choice._describe is None or not describable(view.face):
            return replace(view, distances=before)
        look = choice._describe(self._picture, view.face)
        if look is None:
            return replace(view, distances=before)
        return replace(view, look=look, distances=(*before, self._distance(look))[-_EAGER:])

    def _distance(self, look: Descriptor) -> float:
        """Return how far a look is from the person's; far if it is nearer to somebody else's."""
        choice = self._choice
        own, others = choice._person.distance(look), choice._others.distance(look)
        return round(own if own + MARGIN <= others else max(own, OTHER + MARGIN), 4)

    def _beside(self, view: View) -> View:
        """Return a face beside the person with its look, so that it is known elsewhere."""
        return view if view.is_picture else self._described(view, due=self._is_due(view))

    def _search(self, views: list[View], where: View | None, change: str | None) -> Verdict:
        """Look for the person among the faces but the one `where` they were."""
        asked = [view if view is where or view.is_picture else self._asked(view) for view in views]
        found = [view for view in asked if view is not where and self._matches(view)]
        found.sort(key=lambda view: min(view.distances))
        if len(found) > 1 and min(found[1].distances) - min(found[0].distances) < MARGIN:
            return _silent(asked, {view.face_id: "identity" for view in found}, change)
        if found and not self._stays(where, found[0]):
            if found[0].alive or self._is_back(found[0]):
                return self._read(asked, found[0], "returned")
            return _silent(asked, {found[0].face_id: "still"}, change, self._rejected(asked))
        if where is not None and where.known is not None:  # who is there may be them still
            roles = {**_roles(asked, self._rejected(asked)), where.face_id: UNKNOWN}
            kept = self._choice._person_id
            return Verdict(tuple(asked), None, kept, roles, {where.face_id: "identity"})
        doubtful = {
            view.face_id: "identity"
            for view in asked
            if not view.is_picture and view is not where and self._may_be(view)
        }
        return _silent(asked, doubtful, change, self._rejected(asked))

    def _asked(self, view: View) -> View:
        eager = not view.beside and is_person(() if view.known is None else view.known.distances)
        due = eager is None or view.known is None or self._since(view.known) >= 2 * RECHECK_NS
        return self._described(view, due=due)

    @staticmethod
    def _matches(view: View) -> bool:
        if view.is_picture or not view.distances:
            return False
        if view.beside and min(view.distances) > NEAR - MARGIN:
            return False
        return bool(is_person(view.distances))

    def _is_back(self, view: View) -> bool:
        """Return whether a face that is the person's came when the person had just left."""
        sure_ns = self._choice._sure_ns
        if sure_ns is None or not sure_ns < view.since_ns <= sure_ns + BACK_NS:
            return False
        return not view.beside

    @staticmethod
    def _stays(where: View | None, found: View) -> bool:
        """Return whether the face where the person was is no worse a match than another."""
        if where is None or not where.distances:
            return False
        return min(where.distances) <= min(found.distances) + MARGIN

    @staticmethod
    def _may_be(view: View) -> bool:
        return not view.beside and is_person(view.distances) is None

    @staticmethod
    def _rejected(views: Iterable[View]) -> set[int]:
        """Return the faces that are surely somebody else's."""
        return {
            view.face_id
            for view in views
            if not view.is_picture and (view.beside or is_person(view.distances) is False)
        }

    # What is said.

    def _is_gone(self, face_id: int) -> bool:
        known = self._choice._known.get(face_id)
        return known is None or self._t_ns - known.seen_ns > MEMORY_NS

    def _is_free(self) -> bool:
        """Whether nobody is followed, or waited for."""
        return self._choice._person_id is None or self._is_gone(self._choice._person_id)

    def _lost(self) -> str | None:
        person_id = self._choice._person_id
        return "lost" if person_id is not None and self._is_gone(person_id) else None

    @staticmethod
    def _read(views: Iterable[View], person: View, change: str | None) -> Verdict:
        views = tuple(views)
        roles = {**_roles(views, others=person.face_id), person.face_id: PATIENT}
        if change == "changed" and not person.alive:
            return Verdict(
                views, None, person.face_id, roles, {person.face_id: "still"}, change
            )  # fmt: skip
        return Verdict(views, person, person.face_id, roles, {}, change)


def _silent(
    views: Iterable[View],
    unread: Mapping[int, str],
    change: str | None = None,
    others: Iterable[int] = (),
) -> Verdict:
    views = tuple(views)
    roles = {**_roles(views), **dict.fromkeys(others, OTHERS)}
    codes = {i: code for i, code in unread.items() if code not in (OTHERS, PICTURE)}
    roles.update({i: code for i, code in unread.items() if code in (OTHERS, PICTURE)})
    return Verdict(views, None, None, roles, codes, change)


def _roles(
    views: Iterable[View], rejected: Iterable[int] = (), others: int | None = None
) -> dict[int, str]:
    """Return what faces are where nothing more is known of them.

    Parameters
    ----------
    rejected
        Those that are surely somebody else's.
    others
        The person: all but this one are others.
    """
    found = {view.face_id: _role(view, others is not None) for view in views}
    return {**found, **dict.fromkeys(rejected, OTHERS)}


def _role(view: View, has_person: bool) -> str:
    if view.is_picture:
        return PICTURE
    return OTHERS if view.beside or has_person else UNKNOWN


def _close(view: View, other: View) -> bool:
    return abs(view.face.centre - other.face.centre) < _CLOSE * max(view.width_px, other.width_px)


def _apart(face: Detection, other: Detection) -> float:
    """Return how far two faces are from each other, in widths of the larger one."""
    return abs(face.centre - other.centre) / max(face.box_px[2], other.box_px[2], 1)


def _detection(face: Face) -> Detection:
    return Detection(face.box_px, face.score)


def _or_none(face_id: int | None) -> int:
    return -1 if face_id is None else face_id


def faces_of(verdict: Verdict) -> Iterator[tuple[View, str, str | None]]:
    """Yield each face with its role and why it is not read, the read one first."""
    for view in sorted(verdict.views, key=lambda view: view is not verdict.read):
        if view is verdict.read or view.face.is_clear:
            yield view, _told(view, verdict), verdict.unread.get(view.face_id)


def _told(view: View, verdict: Verdict) -> str:
    """Return a face's role; of another's whose it is, where that was said."""
    role = verdict.roles[view.face_id]
    named = None if view.known is None else view.known.named
    return THERAPIST if (role, named) == (OTHERS, THERAPIST) else role
