#!/usr/bin/env python3
"""Opens a report in Chromium and asserts what no unit test can see. Standard library only.

    scripts/check_report.py RUN/report/index.html [--chromium PROGRAM] [--shots FOLDER]

Checks: no request, no console error, no SVG text outside its box (own fonts and DejaVu, three
widths, every view), no .plot wider than its card, every SVG labelled, every linked file present,
node and byte budgets, 3-D canvas drawn and turnable, tooltips of figure `share` equal to share.csv,
keys, cursor, isolated experts, hidden domains, PNG of a figure.
Exit status: 0 all hold, 1 a check failed, 2 wrong use, 77 skipped because there is no Chromium.
"""
import argparse
import base64
import collections
import csv
import pathlib
import re
import shutil
import sys

sys.dont_write_bytecode = True
from devtools import Browser, png_colours  # noqa: E402

MAX_NODES = 20_000
MAX_BYTES = 8 << 20
MAX_TIPPED_CELLS = 5_000  # larger grids are painted, not built of elements
WIDTHS = (1440, 1280, 1024)
SKIPPED = 77

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
SAVED_PICTURE = """new Promise(done => {
  HTMLAnchorElement.prototype.click = async function () {
    const bytes = new Uint8Array(await (await fetch(this.href)).arrayBuffer());
    done([this.download, btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''))]);
  };
  setTimeout(() => done(['', '']), 5000);
  document.querySelector('%s [data-png]').click();
})"""
CANVAS_BOXES = """[...document.querySelectorAll('canvas')].map(c => c.getBoundingClientRect())
  .filter(r => r.width && r.height).map(r => ({x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height}))"""


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
        before = browser.picture(box)
        colours = png_colours(before)
        drawn = 1 - colours.most_common(1)[0][1] / sum(colours.values())
        if len(colours) < 8 or drawn < 0.005:
            faults.append(f"canvas {i} is blank: {len(colours)} colours, {100 * drawn:.1f} % drawn")
        browser.drag(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 90, 20)
        if browser.picture(box) == before:
            faults.append(f"canvas {i} does not turn")
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


def check_help(browser):
    """`?` opens the list of keys, Esc closes it."""
    shown = "document.querySelector('#keys').open"
    browser.press("?")
    opened = browser.evaluate(shown)
    browser.press("Escape")
    return [] if opened and not browser.evaluate(shown) else ["the list of keys does not open and close"]


def check_domains(browser):
    """`1` takes the first domain out of the small multiples and says so; once more brings it back."""
    state = """[[...document.querySelectorAll('svg[data-domain="0"]')].map(s => s.hasAttribute('hidden')),
      [...document.querySelectorAll('.off-domains')].map(n => n.hidden), location.hash.includes('hide=1')]"""
    if not browser.evaluate("document.querySelectorAll('svg[data-domain]').length"):
        return []
    faults = []
    for wanted in (True, False):
        browser.press("1")
        panels, notes, in_hash = browser.evaluate(state)
        if set(panels) != {wanted} or set(notes) != {not wanted} or in_hash != wanted:
            faults.append(f"key 1: panels hidden {panels}, notes hidden {notes}, in the hash {in_hash}")
    return faults


def check_expert(browser, url):
    """An expert in the hash is the only one in colour, in every figure; Esc shows all."""
    address = browser.evaluate("document.querySelector('#share rect[data-expert]')?.dataset.expert")
    if not address:
        return []
    browser.open(f"{url}#expert={address}")
    state = """[document.documentElement.classList.contains('isolating'),
      ['#share', '#load', '#overlay-points'].filter(q => document.querySelector(q + ' [data-expert]')
        && !document.querySelector(q + ' .isolated')),
      document.querySelectorAll('.splat:not(.muted)').length < document.querySelectorAll('.splat').length
        || !document.querySelector('.splat'), location.hash.includes('expert=')]"""
    on, missing, points, in_hash = browser.evaluate(state)
    faults = [] if on and points and in_hash and not missing else [f"expert={address} is not isolated in {missing or 'the points'}"]
    browser.press("Escape")
    on, _, _, in_hash = browser.evaluate(state)
    return faults + (["Esc leaves the expert isolated"] if on or in_hash else [])


def check_cursor(browser):
    """Arrow keys move through the values of a figure; the status line says them."""
    if not browser.evaluate("!!document.querySelector('#share .view:not([hidden]) svg[tabindex]')"):
        return []
    browser.evaluate("document.querySelector('#share .view:not([hidden]) svg[tabindex]').focus()")
    said = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        browser.press(key)
        said.append(browser.evaluate("[document.querySelector('#status').textContent, document.querySelector('.cursor')?.dataset.tip]"))
    faults = [f"the cursor is at {tip!r}, the status line says {text!r}" for text, tip in said if not text or text != tip]
    return faults + (["the cursor does not move"] if len({text for text, _ in said}) < 3 else [])


def check_png(browser):
    """The PNG link makes a picture of the figure in the browser."""
    if browser.evaluate(EMPTY % "load"):
        return []
    name, data = browser.evaluate(SAVED_PICTURE % "#load")
    if not data:
        return ["no picture after 5 s"]
    colours = png_colours(base64.b64decode(data))
    return [] if name == "load.png" and len(colours) > 8 else [f"{name} has {len(colours)} colours"]


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
    yield "keys", check_keys(browser) + check_help(browser)
    yield "domains", check_domains(browser)
    yield "cursor", check_cursor(browser)
    yield "picture", check_png(browser)
    yield "quiet under keys", check_quiet(browser, url)
    yield "isolated expert", check_expert(browser, url)
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
