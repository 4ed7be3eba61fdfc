"""A camera in the network: MJPEG over HTTP on 127.0.0.1, which can die and come back."""

import threading
import time
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
