"""Pictures of pages of a running console: both colour schemes, a desk and a phone.

    python bench/console_pictures.py http://127.0.0.1:8088 FOLDER SESSION / /servers /runs

SESSION is the value of the cookie of a signed-in browser.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"desk": (1280, 860), "phone": (390, 800)}


def main(address: str, folder: str, session: str, *paths: str) -> None:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for scheme in SCHEMES:
            for size, (width, height) in SIZES.items():
                context = browser.new_context(
                    color_scheme=scheme, viewport={"width": width, "height": height}
                )
                context.add_cookies([{"name": "volact", "value": session, "url": address}])
                page = context.new_page()
                for path in paths:
                    page.goto(f"{address}{path}")
                    name = re.sub(r"\W+", "-", path).strip("-") or "fleet"
                    page.screenshot(path=out / f"{name}.{size}.{scheme}.png", full_page=True)
                context.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
