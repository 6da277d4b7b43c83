"""Record a real round of follow-up runs, for the documentation.

python tools/record_round.py

Runs `tbdiag suggest STORY --retrain` on a copy of the sample logs, which takes some seconds, and keeps what it
said and its journal in tools/recorded/. How long a run takes differs each time, so `tools/generate.py` shows the record
instead of running it anew.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from generate import BENCH, PREFIX, RECORDED, ROUND, SHOWN, Shop


def main() -> None:
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=BENCH) as folder:
        shop = Shop(Path(folder))
        said = shop.said(ROUND)
        journal = (shop.folder / "sample_logs" / ".tbdiag" / "journal.jsonl").read_text("utf-8")
        place = str(shop.folder)
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / "round.txt").write_text(said + "\n", "utf-8")
    (RECORDED / "journal.jsonl").write_text(journal.replace(place, SHOWN), "utf-8")


if __name__ == "__main__":
    main()
