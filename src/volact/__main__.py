"""``python -m volact`` is ``volact``."""

from __future__ import annotations

import sys

from volact.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
