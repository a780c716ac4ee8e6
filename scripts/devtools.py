"""A headless Chromium driven over the DevTools socket, and what its screenshots hold. Standard
library only; used by check_report.py."""
import base64
import collections
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request
import zlib

TIMEOUT_S = 60


class WebSocket:
    """Client side of RFC 6455 over plain TCP: text messages out, text messages in."""

    def __init__(self, host, port, path):
        self._socket = socket.create_connection((host, port), timeout=TIMEOUT_S)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"no websocket: {head[:80]!r}")

    def _fill(self):
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the browser closed the connection")
        self._buffer += data

    def _take(self, n):
        while len(self._buffer) < n:
            self._fill()
        out, self._buffer = self._buffer[:n], self._buffer[n:]
        return out

    def _frame(self):
        first, second = self._take(2)
        length = second & 127
        if length == 126:
            length, = struct.unpack("!H", self._take(2))
        elif length == 127:
            length, = struct.unpack("!Q", self._take(8))
        return first & 128, first & 15, self._take(length)

    def _send(self, opcode, payload):
        n = len(payload)
        size = bytes([128 | n]) if n < 126 else struct.pack("!BH", 254, n) if n < 1 << 16 else struct.pack("!BQ", 255, n)
        mask = os.urandom(4)
        self._socket.sendall(bytes([128 | opcode]) + size + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))

    def send(self, text):
        self._send(1, text.encode())

    def receive(self):
        message = b""
        while True:
            final, opcode, payload = self._frame()
            if opcode == 8:
                raise ConnectionError("the browser closed the websocket")
            if opcode == 9:
                self._send(10, payload)
            elif opcode in (0, 1, 2):
                message += payload
                if final:
                    return message.decode()

    def close(self):
        self._socket.close()


class Browser:
    """A headless Chromium with its own profile, driven through one page."""

    def __init__(self, program):
        self._profile = tempfile.mkdtemp(prefix="check-report-")
        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--hide-scrollbars", "--use-angle=swiftshader",
             "--enable-unsafe-swiftshader", "--disable-background-networking", "--no-first-run",
             "--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._socket = None
        self._last = 0
        self.events = []
        try:
            port = self._port()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=TIMEOUT_S) as reply:
                page = next(t for t in json.load(reply) if t["type"] == "page")
            self._socket = WebSocket("127.0.0.1", port, "/" + page["webSocketDebuggerUrl"].split("/", 3)[3])
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(domain + ".enable")
        except BaseException:
            self.close()
            raise

    def _port(self):
        file = pathlib.Path(self._profile, "DevToolsActivePort")
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end and self._process.poll() is None:
            if file.exists() and "\n" in file.read_text():
                return int(file.read_text().split("\n")[0])
            time.sleep(0.05)
        raise RuntimeError("the browser did not start")

    def call(self, method, **params):
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.receive())
            if message.get("id") == self._last:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def evaluate(self, script):
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(reply["exceptionDetails"].get("exception", {}).get("description", script))
        return reply["result"].get("value")

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.settle(0.2)

    def open(self, url):
        """Loads anew (a changed hash alone would not) and waits for asynchronous decoding."""
        self.call("Page.navigate", url="about:blank")
        self.settle(0.1)
        self.events.clear()
        self.call("Page.navigate", url=url)
        end = time.monotonic() + TIMEOUT_S
        while self.evaluate("document.readyState") != "complete" or self.evaluate("location.href") == "about:blank":
            if time.monotonic() > end:
                raise RuntimeError("the page did not load")
            time.sleep(0.05)
        self.settle(1.0)

    def settle(self, seconds):
        self.evaluate(f"new Promise(done => setTimeout(done, {seconds * 1000}))")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            text = key if kind == "keyDown" and len(key) == 1 else ""
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=text,
                      windowsVirtualKeyCode=27 if key == "Escape" else 0)
        self.settle(0.1)

    def drag(self, x, y, dx, dy):
        for kind, at, buttons in (("mousePressed", (x, y), 1), ("mouseMoved", (x + dx, y + dy), 1),
                                  ("mouseReleased", (x + dx, y + dy), 0)):
            self.call("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", buttons=buttons, clickCount=1)
        self.settle(0.3)

    def picture(self, clip=None):
        options = {"clip": {**clip, "scale": 1}} if clip else {}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **options)["data"])

    def close(self):
        if self._socket:
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def unfilter(kind, row, above, step):
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        guess = (0, left, above[i], (left + above[i]) >> 1, paeth(left, above[i], corner))[kind]
        row[i] = (row[i] + guess) & 255
    return row


def png_colours(data):
    """Counts the colours of an 8-bit RGB or RGBA PNG."""
    at, packed, head = 8, b"", None
    while at < len(data):
        size, = struct.unpack("!I", data[at:at + 4])
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
        head = body if kind == b"IHDR" else head
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    width, height, depth, colour = struct.unpack("!IIBB", head[:10])
    if depth != 8 or colour not in (2, 6):
        raise RuntimeError(f"unexpected PNG: depth {depth}, colour type {colour}")
    step = 3 if colour == 2 else 4
    raw, row, out = zlib.decompress(packed), bytearray(width * step), collections.Counter()
    for y in range(height):
        start = y * (width * step + 1)
        row = unfilter(raw[start], bytearray(raw[start + 1:start + 1 + width * step]), row, step)
        out.update(bytes(row[i:i + 3]) for i in range(0, len(row), step))
    return out
