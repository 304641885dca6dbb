"""How quick the HTML page stays: written for N servers, opened and used in a real Chromium.

    python bench/html_page.py 10000

Prints size, time and memory of the writer, then what a person waits for: until the page
is ready, until a letter in the search and another order are on the screen (two frames at
the least, 33 ms where a screen has 60 a second).
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "report"))

from report_browser import Tab, browsing  # noqa: E402  (the path is set above)
from report_samples import HOW, fleet, run_of  # noqa: E402

from volact.report.html_page import HtmlWriter  # noqa: E402

_TIMED = """(async () => {
  const it = document.getElementById('%s'), took = [];
  for (const value of %s) {
    const begun = performance.now();
    it.value = value;
    it.dispatchEvent(new Event('%s'));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    took.push(Math.round(performance.now() - begun));
  }
  return took.sort((a, b) => a - b);
})()"""
_READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def main(servers: int) -> int:
    """Measure one page."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("needs a browser (Debian: chromium)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        _write(page, servers)
        with browsing(browser, Path(folder)) as tab:
            _use(tab, page)
    return 0


def _write(page: Path, servers: int) -> None:
    rows = fleet(servers)
    before, begun = _peak_mb(), time.perf_counter()
    with page.open("w", encoding="utf-8", newline="") as out:
        writer = HtmlWriter(out, HOW)
        for row in rows:
            writer.add(row)
        writer.finish(run_of(rows))
    took = time.perf_counter() - begun
    print(
        f"{servers} servers: {page.stat().st_size / 1e6:.1f} MB, written in {took:.2f} s, ", end=""
    )
    print(f"the writer's memory grew by {_peak_mb() - before:.1f} MB")


def _use(tab: Tab, page: Path) -> None:
    ready = []
    for _ in range(5):
        tab.open(page)
        ready.append(tab.run(_READY))
    print(f"ready after {sorted(ready)[2]:.0f} ms (median of 5)")
    words = ["s", "sr", "srv-0", "srv-09", "kms", "10.0.1", "2019", ""]
    for name, id, values, event in (
        ("a letter in the search", "search", words, "input"),
        ("another order", "sort", ["name", "days", "os", "kms", "cause", "worst"], "change"),
    ):
        took = tab.run(_TIMED % (id, values, event))
        print(f"{name}: {took[len(took) // 2]} ms, at most {took[-1]} ms")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
