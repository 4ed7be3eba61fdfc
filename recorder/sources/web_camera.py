"""What an address of the web is: one picture, a row of them, or a film, which is no camera.

Pictures are read here one by one, as they come: FFmpeg keeps back several before it delivers the
first, and waits for none that comes every few seconds. Every other live stream is left to it.
"""

import re
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    OpenerDirector,
    build_opener,
)

from affetti.core.recording.pictures import decoded
from affetti.recorder.sources.frames import Picture

SCHEMES: Final = ("http", "https")
_PERIOD_S: Final = 0.2  # at which the address of a single picture is asked for the next
_MAX_PICTURE: Final = 64 << 20  # bytes
_MAX_LINE: Final = 64 << 10
_MAX_HEADS: Final = 100  # lines about one picture
_MAX_LIST: Final = 1 << 20  # bytes of a playlist
_FILM: Final = ("video/", "audio/", "application/octet-stream", "application/mp4")
_LISTS: Final = ("mpegurl", "dash+xml")
_VARIANT: Final = re.compile(rb"^#EXT-X-STREAM-INF[^\n]*\n([^#\s][^\n]*)", re.MULTILINE)
# What goes wrong in a network, and in what answers there.
_TROUBLE: Final = (OSError, HTTPException, ValueError)

Reader: TypeAlias = Callable[[], bytes]


class FilmAtAddressError(Exception):
    """What is at an address has an end: it is a film, and no camera."""


class WebCamera:
    """Pictures at an address of the web, read as `cv2.VideoCapture` is.

    Made by `WebCamera.at`.
    """

    def __init__(self, read: Reader, close: Callable[[], None]) -> None:
        self._read = read
        self._close = close
        self._jpeg = b""

    @classmethod
    def at(cls, url: str, patience_s: float) -> "WebCamera | None":
        """Return the pictures at an address; None where it has none, or cannot be asked.

        Parameters
        ----------
        url
            The address, with user and password where they are needed.
        patience_s
            How long an answer is waited for, and then each picture.

        Raises
        ------
        FilmAtAddressError
            It is a film.
        """
        try:
            opener, plain = _opener(url)
            response = opener.open(plain, timeout=patience_s)
        except _TROUBLE:
            return None
        kind = response.headers.get_content_type()
        if kind == "multipart/x-mixed-replace":
            boundary = response.headers.get_param("boundary") or ""
            return cls(_Row(response, str(boundary)).next, response.close)
        with response:
            if kind.startswith("image/"):
                return cls(_Still(opener, plain, patience_s).next, lambda: None)
            if _has_an_end(opener, response, kind, patience_s):
                raise FilmAtAddressError
        return None

    def grab(self) -> bool:
        """Wait for the next picture; False where none comes."""
        try:
            self._jpeg = self._read()
        except _TROUBLE:
            self._jpeg = b""
        return bool(self._jpeg)

    def retrieve(self) -> tuple[bool, Picture | None]:
        """Return that picture; (False, None) where it cannot be decoded."""
        picture = decoded(self._jpeg)
        return picture is not None, picture

    def read(self) -> tuple[bool, Picture | None]:
        """Wait for the next picture, and return it."""
        return self.retrieve() if self.grab() else (False, None)

    def release(self) -> None:
        """Ask for no more."""
        self._close()


def _opener(url: str) -> tuple[OpenerDirector, str]:
    """Return what asks with the user and the password of an address, and it without them."""
    parts = urlsplit(url)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    known = HTTPPasswordMgrWithDefaultRealm()
    if user:
        known.add_password(None, plain, unquote(user), unquote(password))
    return build_opener(HTTPDigestAuthHandler(known), HTTPBasicAuthHandler(known)), plain


def _has_an_end(opener: OpenerDirector, response: Any, kind: str, patience_s: float) -> bool:
    """Whether what is answered is a film, or a list of one that is over."""
    if not any(word in kind for word in _LISTS):
        # Of a live stream nobody knows how long it will be.
        return kind.startswith(_FILM) and response.headers["Content-Length"] is not None
    listed = response.read(_MAX_LIST)
    variant = _VARIANT.search(listed)
    if variant is not None:
        address = urljoin(response.url, variant[1].decode(errors="replace").strip())
        if urlsplit(address).scheme not in SCHEMES:
            return False
        try:
            with opener.open(address, timeout=patience_s) as answer:
                listed = answer.read(_MAX_LIST)
        except _TROUBLE:
            return False
    return b"#EXT-X-ENDLIST" in listed or (b"<MPD" in listed and b'type="dynamic"' not in listed)


class _Still:
    """A single picture, which is asked for again and again."""

    def __init__(self, opener: OpenerDirector, url: str, patience_s: float) -> None:
        self._opener = opener
        self._url = url
        self._patience_s = patience_s
        self._asked_s = -_PERIOD_S

    def next(self) -> bytes:
        time.sleep(max(0.0, self._asked_s + _PERIOD_S - time.monotonic()))
        self._asked_s = time.monotonic()
        with self._opener.open(self._url, timeout=self._patience_s) as response:
            return _bounded(response.read(_MAX_PICTURE + 1))


class _Row:
    """Pictures in one answer that does not end, each behind a line that parts them."""

    def __init__(self, response: HTTPResponse, boundary: str) -> None:
        self._response = response
        # Some cameras say the two hyphens with it.
        self._mark = b"--" + boundary.removeprefix("--").encode()
        self._behind_mark = False

    def next(self) -> bytes:
        while not self._behind_mark:
            self._behind_mark = self._line().startswith(self._mark)
        self._behind_mark = False
        size = self._size()
        if size is None:
            return self._to_the_next()
        return _bounded(self._response.read(min(size, _MAX_PICTURE + 1)))

    def _size(self) -> int | None:
        """Read what is said about a picture; return how many bytes it has, where that is."""
        size = None
        for _ in range(_MAX_HEADS):
            name, _, value = self._line().strip().partition(b":")
            if not name:
                return size
            if name.strip().lower() == b"content-length":
                size = int(value)
        raise ValueError(size)

    def _to_the_next(self) -> bytes:
        found = bytearray()
        while not self._behind_mark:
            line = self._line()
            self._behind_mark = line.startswith(self._mark)
            found += b"" if self._behind_mark else line
            if len(found) > _MAX_PICTURE:
                raise ValueError(len(found))
        return bytes(found)

    def _line(self) -> bytes:
        line = self._response.readline(_MAX_LINE)
        if not line:
            raise ConnectionError
        return line


def _bounded(found: bytes) -> bytes:
    if len(found) > _MAX_PICTURE:
        raise ValueError(len(found))
    return found
