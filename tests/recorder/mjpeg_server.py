"""A camera in the network: MJPEG over HTTP on 127.0.0.1, which can die and come back."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import cv2
import numpy as np


class MjpegServer:
    """Serves a picture that changes, 25 times a second, at `address`."""

    def __init__(self) -> None:
        self._port = 0
        self._alive = threading.Event()
        self._flowing = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/video"

    def __enter__(self) -> Self:
        self.live()
        return self

    def __exit__(self, *error: object) -> None:
        self.die()

    def live(self) -> None:
        """Begin to serve, on the same port as before."""
        self._alive.set()
        self._flowing.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def die(self) -> None:
        """Drop everyone who watches, and serve no more."""
        self._alive.clear()
        self._flowing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def stall(self) -> None:
        """Keep everyone who watches, and send nothing until `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        """Send again."""
        self._flowing.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        alive, flowing = self._alive, self._flowing

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                shade = 0
                try:
                    while flowing.wait() and alive.is_set():
                        shade = (shade + 5) % 256
                        picture = np.full((120, 160, 3), shade, np.uint8)
                        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                        self.wfile.write(head.encode() + b"\r\n\r\n" + jpeg + b"\r\n")
                        time.sleep(0.04)
                except OSError:
                    pass  # the other side has gone
                self.close_connection = True

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler


class WebServer:
    """Answers each path of `answers` at `address` with a type, headers and bytes, or many of them.

    Of several bytes each is sent `period_s` after the one before; what says no length has no end.
    """

    def __init__(self, answers: dict[str, "Answer"]) -> None:
        self.asked: list[tuple[str, str]] = []  # paths, and with what authorization
        self._answers = answers
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answers, asked = self._answers, self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers.get("Authorization", "")))
                answer = answers[self.path]
                if answer.password and not asked[-1][1]:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", answer.kind)
                if answer.period_s is None:
                    self.send_header("Content-Length", str(sum(map(len, answer.body))))
                self.end_headers()
                try:
                    for part in answer.body:
                        self.wfile.write(part)
                        time.sleep(answer.period_s or 0)
                except OSError:
                    pass  # the other side has gone

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler


@dataclass(frozen=True)
class Answer:
    """What is at an address."""

    kind: str
    body: tuple[bytes, ...]
    period_s: float | None = None  # between its parts, where it says no length
    password: bool = False
