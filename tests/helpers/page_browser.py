"""Looking at the page in a browser: opening it, what it complains of, and which of its labels touch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
Corner = tuple[float, float]
TOUCH = 1.5  # pixels that boxes of letters may share, as those of letters without a tail do

# Keeps the corners of all text on canvases; a canvas that is cleared as a whole begins again.
_WATCH_TEXT = """
(() => {
  const draw = CanvasRenderingContext2D.prototype, {fillText, clearRect} = draw;
  const texts = new Map();
  draw.fillText = function (text, x, y) {
    fillText.call(this, text, x, y);
    if (!this.canvas.isConnected || !String(text).trim()) return;
    const m = this.measureText(text), t = this.getTransform();
    const [l, r, u, d] = [x - m.actualBoundingBoxLeft, x + m.actualBoundingBoxRight, y - m.actualBoundingBoxAscent,
                          y + m.actualBoundingBoxDescent];
    const place = ([a, b]) => [t.a * a + t.c * b + t.e, t.b * a + t.d * b + t.f];
    const corners = [[l, u], [r, u], [r, d], [l, d]].map(place);
    texts.get(this.canvas)?.push([String(text), corners]) ?? texts.set(this.canvas, [[String(text), corners]]);
  };
  draw.clearRect = function (...where) { clearRect.apply(this, where); texts.set(this.canvas, []); };
  const width = Object.getOwnPropertyDescriptor(HTMLCanvasElement.prototype, "width");
  Object.defineProperty(HTMLCanvasElement.prototype, "width", {
    ...width, set(value) { width.set.call(this, value); texts.set(this, []); } });
  window.canvasTexts = () => [...texts].filter(([c]) => c.isConnected).map(([c, found]) => {
    const scale = c.width / (c.clientWidth || 1);
    return [c.getAttribute("aria-label") || c.className,
            found.map(([text, corners]) => [text, corners.map(([x, y]) => [x / scale, y / scale])])];
  });
})()
"""
_SVG_TEXTS = """
[...document.querySelectorAll("main svg")].map((svg) => [svg.getAttribute("aria-label"),
  [...svg.querySelectorAll("text")].filter((text) => !text.hasAttribute("transform")).map((text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect(), u = top + 2, d = bottom - 3;
    return [text.textContent, [[left, u], [right, u], [right, d], [left, d]]];
  })])
"""
# A frame to see what came near the window and to fill it, one to draw what has its width by then.
_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"


@dataclass
class Opened:
    """A page that was opened, and its complaints."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)

    def until(self, condition: str, seconds: float = 30) -> None:
        """Wait for a condition. Playwright's own way evaluates text inside the page, which its policy forbids."""
        for _ in range(round(seconds * 20)):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"it never came to {condition}")

    def everything(self) -> None:
        """Bring every section near the window once, so that it is drawn, and go back to the top."""
        for section in self.page.query_selector_all("main > section"):
            self.page.evaluate("(node) => node.scrollIntoView({behavior: 'instant'})", section)
            self.page.evaluate(_FRAMES)
        self.page.evaluate("scrollTo({top: 0, behavior: 'instant'})")

    def touching(self) -> list[str]:
        """Labels that lie over each other, in canvases and in charts."""
        found = []
        for name, texts in (*self.page.evaluate("window.canvasTexts()"), *self.page.evaluate(_SVG_TEXTS)):
            found += [f"{name[:50]}: {one} / {other}" for one, other in overlaps(texts)]
        return found


def opened(browser: "Browser", path: object, size: str, theme: Literal["light", "dark"] = "light") -> Opened:
    """The page in a window of this size."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, has_touch=size == "phone"
    )
    page = context.new_page()
    page.set_default_timeout(60_000)  # the machine may be busy
    made = Opened(page)
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on("console", lambda message: made.complaints.append(message.text))
    page.on("dialog", lambda dialog: made.complaints.append(f"dialog {dialog.message}"))
    page.on("request", lambda asked: made.complaints.append(asked.url) if asked.url.startswith("http") else None)
    page.add_init_script(_WATCH_TEXT)
    page.goto(f"file://{path}")
    return made


def overlaps(texts: Sequence[tuple[str, Sequence[Corner]]]) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes, which may stand askew, share some area (separating axes)."""
    found = []
    spans = [(min(x for x, _ in corners), max(x for x, _ in corners)) for _, corners in texts]
    for first, (one, a) in enumerate(texts):
        for second in range(first + 1, len(texts)):
            other, b = texts[second]
            if spans[first][1] > spans[second][0] and spans[second][1] > spans[first][0] and _touch(a, b):
                found.append((one, other))
    return found


def _touch(a: Sequence[Corner], b: Sequence[Corner]) -> bool:
    for (x0, y0), (x1, y1) in (*pairwise(a), *pairwise(b)):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
        axis = ((y0 - y1) / length, (x1 - x0) / length)
        mine, theirs = ([x * axis[0] + y * axis[1] for x, y in corners] for corners in (a, b))
        if max(mine) - TOUCH <= min(theirs) or max(theirs) - TOUCH <= min(mine):
            return False
    return True


def scan(opened: Opened, selector: str, wanted: str, step: int = 10) -> tuple[float, float] | None:
    """Move the pointer over an element until the tooltip says what is wanted; where that was."""
    box: Any = opened.page.locator(selector).bounding_box()
    for y in range(8, int(box["height"]), step):
        for x in range(100, int(box["width"]), 3 * step):
            opened.page.mouse.move(box["x"] + x, box["y"] + y)
            if opened.page.evaluate(f"!tip.hidden && tip.textContent.includes({wanted!r})"):
                return box["x"] + x, box["y"] + y
    return None
