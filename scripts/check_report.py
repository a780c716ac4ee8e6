#!/usr/bin/env python3
"""Opens a report in Chromium and asserts what no unit test can see. Standard library only.

    scripts/check_report.py RUN/report/index.html [--chromium PROGRAM] [--shots FOLDER]

Checks: no request, no console error, no SVG text outside its box (own fonts and DejaVu, three
widths, every view), no .plot wider than its card, every SVG labelled, every linked file present,
node and byte budgets, 3-D canvas not blank, tooltips of figure `share` equal to share.csv, keys.
Exit status: 0 all hold, 1 a check failed, 2 wrong use, 77 skipped because there is no Chromium.
"""
import argparse
import base64
import collections
import csv
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

MAX_NODES = 20_000
MAX_BYTES = 8 << 20
MAX_TIPPED_CELLS = 5_000  # larger grids are painted, not built of elements
WIDTHS = (1440, 1280, 1024)
SKIPPED = 77
TIMEOUT_S = 60

SHOW_ALL = "document.querySelectorAll('.view[hidden]').forEach(v => { v.hidden = false; });"
FONT = """(() => { const s = document.createElement('style'); s.id = 'check-font';
  s.textContent = '*{font-family:"DejaVu Sans"!important}'; document.head.append(s); })()"""
TEXT_OUTSIDE = """[...document.querySelectorAll('svg')].flatMap(svg => {
  const b = svg.getBoundingClientRect();
  if (!b.width) return [];
  return [...svg.querySelectorAll('text')].filter(t => {
    const r = t.getBoundingClientRect();
    return r.width && (r.left < b.left - 1 || r.right > b.right + 1 || r.top < b.top - 1 || r.bottom > b.bottom + 1);
  }).map(t => (svg.closest('[data-slug]')?.dataset.slug ?? '?') + ': ' + t.textContent);
})"""
OVERFLOW = """[...document.querySelectorAll('.plot')].filter(p => p.scrollWidth > p.clientWidth + 1)
  .map(p => `${p.closest('[data-slug]')?.dataset.slug}: ${p.scrollWidth} > ${p.clientWidth}`)
  .concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [])"""
UNLABELLED = """[...document.querySelectorAll('svg:not([aria-hidden=true])')].filter(s => !s.parentElement.closest('svg'))
  .filter(s => s.getAttribute('role') !== 'img' || !(s.getAttribute('aria-label') ?? '').trim())
  .map(s => (s.closest('[data-slug]')?.dataset.slug ?? '?') + ': ' + s.outerHTML.slice(0, 80))"""
LINKS = "[...document.querySelectorAll('.links a[href]')].map(a => a.getAttribute('href')).filter(h => !h.startsWith('#'))"
TIPS = "[...document.querySelectorAll('[data-slug=share] .view[data-view=share] [data-tip]')].map(t => t.dataset.tip)"
EMPTY = "(c => !c || !!c.querySelector('.empty'))(document.querySelector('[data-slug=%s]'))"
ONLY_CANVAS = """(() => { const s = document.createElement('style');
  s.textContent = '*{visibility:hidden!important} canvas{visibility:visible!important}'; document.head.append(s); })()"""
CANVAS_BOXES = """[...document.querySelectorAll('canvas')].map(c => c.getBoundingClientRect())
  .filter(r => r.width && r.height).map(r => ({x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height}))"""


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
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")
        self.settle(0.1)

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


def check_quiet(browser, url):
    """No request but the page itself, no error."""
    faults = []
    for event in browser.events:
        method, p = event["method"], event["params"]
        if method == "Network.requestWillBeSent" and not p["request"]["url"].startswith((url, "data:", "blob:", "about:")):
            faults.append("request " + p["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = p["exceptionDetails"]
            faults.append("exception " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and p["type"] in ("error", "assert"):
            faults.append("console " + " ".join(str(a.get("value", a.get("description"))) for a in p["args"]))
        elif method == "Log.entryAdded" and p["entry"]["level"] == "error":
            faults.append("log " + p["entry"]["text"])
    return faults + ["resource " + r for r in browser.evaluate(
        "performance.getEntriesByType('resource').map(r => r.name).filter(n => !/^(data|blob):/.test(n))")]


def check_boxes(browser):
    """Text inside its SVG and plots inside their cards, at every width, every view, both fonts."""
    faults = []
    for font in ("own fonts", "DejaVu"):
        for width in WIDTHS:
            browser.resize(width, 800)
            bad = ["text outside " + t for t in browser.evaluate(TEXT_OUTSIDE)]
            bad += ["too wide " + t for t in browser.evaluate(OVERFLOW)]
            faults += [f"{b} ({width} px, {font})" for b in bad]
        if font == "own fonts":
            browser.evaluate(SHOW_ALL + FONT)
    return faults


def check_budget(browser, file):
    nodes, size = browser.evaluate("document.querySelectorAll('*').length"), file.stat().st_size
    faults = [f"{nodes} nodes, at most {MAX_NODES}"] if nodes > MAX_NODES else []
    return faults + ([f"{size} bytes, at most {MAX_BYTES}"] if size > MAX_BYTES else [])


def check_links(browser, file):
    return [f"missing file {link}" for link in browser.evaluate(LINKS) if not (file.parent / link).exists()]


def percent(share):
    if 0 < share < 0.001:
        return "< 0.1"
    return f"{100 * share:.1f}"


def expected_shares(file):
    """(domain, layer, expert) -> share, the mean of domains included."""
    cells = collections.defaultdict(list)
    with open(file, newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            value = float(row["share"]) if row["share"] else float("nan")
            cells[row["domain"], row["layer"], row["expert"]].append(value)
            cells["mean of domains", row["layer"], row["expert"]].append(value)
    return {key: sum(values) / len(values) for key, values in cells.items()}


def check_tooltips(browser, file):
    """Every tooltip of figure `share` says what share.csv says."""
    tips, table = browser.evaluate(TIPS), file.parent / "fig" / "share.csv"
    if browser.evaluate(EMPTY % "share"):
        return []
    shares, faults, seen = expected_shares(table), [], set()
    if not tips:
        return [] if len(shares) > MAX_TIPPED_CELLS else ["figure share has no tooltips"]
    for tip in tips:
        found = re.match(r"(.*), layer (\d+), E(\d+): (< 0\.1|[\d.]+)\s*%", tip, re.S)
        key = found.groups()[:3] if found else None
        if key not in shares:
            faults.append(f"tooltip without a row: {tip}")
            continue
        seen.add(key)
        said, share = found[4], shares[key]
        if said != percent(share) and (said.startswith("<") or abs(float(said) - 100 * share) > 0.0501):
            faults.append(f"tooltip {tip!r}, share.csv has {percent(share)} %")
    return faults + [f"no tooltip for {key}" for key in shares if key not in seen and key[0] != "mean of domains"]


def check_canvas(browser, url):
    """The point cloud itself, without the poster under it, has colours and covers some ground."""
    browser.resize(1280, 1600)
    browser.open(url + "#only=overlay-points")
    browser.evaluate(ONLY_CANVAS)
    browser.settle(1.0)
    boxes = browser.evaluate(CANVAS_BOXES)
    faults = [] if boxes or browser.evaluate(EMPTY % "overlay-points") else ["figure overlay-points has no canvas"]
    for i, box in enumerate(boxes):
        colours = png_colours(browser.picture(box))
        drawn = 1 - colours.most_common(1)[0][1] / sum(colours.values())
        if len(colours) < 8 or drawn < 0.005:
            faults.append(f"canvas {i} is blank: {len(colours)} colours, {100 * drawn:.1f} % drawn")
    return faults


def check_keys(browser):
    """`t` changes the theme and `]` the layer; the hash says so."""
    theme = "document.documentElement.dataset.theme"
    browser.evaluate("document.activeElement.blur()")
    browser.press("t")
    first = browser.evaluate(theme)
    browser.press("t")
    second = browser.evaluate(theme)
    faults = [] if {first, second} == {"light", "dark"} else [f"key t gave {first} and {second}, expected light and dark"]
    if "theme=" not in browser.evaluate("location.hash"):
        faults.append("the theme is not in the hash")
    if browser.evaluate("!!document.querySelector('#layer')"):
        before = browser.evaluate("document.querySelector('#layer').value")
        browser.press("[" if int(before) > 0 else "]")
        after = browser.evaluate("document.querySelector('#layer').value")
        if after == before or f"layer={after}" not in browser.evaluate("location.hash"):
            faults.append(f"keys [ ] left layer {before} at {after}, hash {browser.evaluate('location.hash')}")
    return faults


def take_shots(browser, url, folder):
    folder.mkdir(parents=True, exist_ok=True)
    browser.resize(1280, 800)
    browser.open(url + "#theme=light")
    (folder / "first-screen.png").write_bytes(browser.picture())
    for theme in ("light", "dark"):
        browser.open(url + "#theme=" + theme)
        browser.resize(1440, browser.evaluate("document.documentElement.scrollHeight"))
        (folder / f"{theme}.png").write_bytes(browser.picture())
    (folder / "print.pdf").write_bytes(base64.b64decode(browser.call("Page.printToPDF")["data"]))


def run_checks(browser, file):
    url = file.as_uri()
    browser.resize(1280, 800)
    browser.open(url)
    yield "no request, no error", check_quiet(browser, url)
    yield "every SVG labelled", browser.evaluate(UNLABELLED)
    yield "budgets", check_budget(browser, file)
    yield "linked files", check_links(browser, file)
    yield "tooltips equal CSV", check_tooltips(browser, file)
    yield "keys", check_keys(browser)
    yield "boxes", check_boxes(browser)
    yield "canvas", check_canvas(browser, url)
    yield "still no request, no error", check_quiet(browser, url)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=pathlib.Path)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("chromium-browser") or
                        shutil.which("google-chrome"), help="program; default: from PATH")
    parser.add_argument("--shots", type=pathlib.Path, help="folder for pictures: first screen, light, dark, print")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if not arguments.index.is_file():
        print(f"[check_report] no such file: {arguments.index}", file=sys.stderr)
        return 2
    if not arguments.chromium or not shutil.which(arguments.chromium):
        print("[check_report] skipped: no Chromium; install it or pass --chromium")
        return SKIPPED
    file, failed = arguments.index.resolve(), False
    browser = Browser(arguments.chromium)
    try:
        for name, faults in run_checks(browser, file):
            print(f"{'FAIL' if faults else 'pass'}  {name}")
            for fault in faults[:20]:
                print(f"      {fault}")
            failed = failed or bool(faults)
        if arguments.shots:
            take_shots(browser, file.as_uri(), arguments.shots)
    finally:
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
