"""Measure the reader beside its peers, and write what came out into ``docs/reader-benchmark.md``.

    python -m benchmarks.reader

Whole processes, start-up included, each on one core, round after round; on Linux. At the full size it
takes about half an hour, most of it spent in the peers; ``--scale 0.1`` a few minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reader import choices, growth, page, peers, scans, workloads
from benchmarks.reader.measure import compare

PAGE = peers.ROOT / "docs" / "reader-benchmark.md"
PARTS = ("peers", "growth", "scans", "choices")


def main() -> None:
    """Measure, print each section as it comes, and write the page."""
    options = _options()
    if sys.platform != "linux":
        raise SystemExit(
            "the reader is measured on Linux: processes are bound to cores, and /proc tells"
        )
    lines = [
        "# The reader beside its peers\n",
        f"Written by `python -m benchmarks.reader{_told(options)}`: CPU seconds of whole processes,"
        f" start-up included, the median of {options.rounds} rounds (of one where a round takes more"
        " than five seconds). " + page.machine() + "\n",
    ]
    with contextlib.ExitStack() as stack:
        place = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for part in _parts(options, place):
            print(part, flush=True)
            lines.append(part)
    partial = options.workloads or options.readers or tuple(options.parts) != PARTS
    out = options.out or (None if partial else PAGE)
    if out is not None:
        out.write_text("\n".join(lines), encoding="utf-8")


def _parts(options: argparse.Namespace, place: Path) -> Iterator[str]:
    scale, rounds, limit = options.scale, options.rounds, options.limit
    if "peers" in options.parts:
        yield from _peers(options, place)
    if "growth" in options.parts:
        own = [peers.ours("library.py", peers.LIBRARY), peers.ours("bare.py", peers.BARE)]
        yield "## Growth\n"
        yield growth.section(own, place, scale, rounds, limit)
    chosen = workloads.all_of(place, scale)
    if "scans" in options.parts:
        yield "## Scans\n"
        yield scans.section(chosen["many"], rounds, limit)
    if "choices" in options.parts:
        yield "## Checksums and threads\n"
        yield choices.section(chosen, rounds, limit)


def _peers(options: argparse.Namespace, place: Path) -> Iterator[str]:
    found = [
        (reader, versions)
        for reader, versions in peers.readers()
        if not options.readers or reader.name in (peers.LIBRARY, peers.BARE, *options.readers)
    ]
    readers = [reader for reader, _ in found]
    compare(readers, workloads.one_file(place, 1), 1, options.limit)  # once unmeasured: byte code
    results = []
    chosen = workloads.all_of(place, options.scale)
    for name, workload in chosen.items():
        if options.workloads and name not in options.workloads:
            continue
        print(f"… {workload.title}", file=sys.stderr, flush=True)
        results.append((workload, compare(readers, workload, options.rounds, options.limit)))
    yield "## Ratios\n"
    yield page.ratios(results)
    yield "## Seconds and memory\n"
    yield page.seconds(results)
    yield "".join(f"- {reader.name}: {told}\n" for reader, told in found if told)
    yield (
        "EventAccumulator keeps all (`size_guidance` 0), its tensors undecoded; tbparse is asked for"
        " scalars and tensors alone; of tb-like only its parser runs, which compares no checksums;"
        " of rustboard (`--samples-per-plugin=scalars=all`, no checksums either) the server's own CPU"
        " counts until all is loaded, not what it costs to ask it.\n"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add = parser.add_argument
    add("--scale", type=float, default=1.0, help="part of the full size")
    add("--rounds", type=int, default=3)
    add("--limit", type=int, default=600, help="CPU seconds after which a process is ended")
    add("--keep", type=Path, metavar="DIR", help="keep the workloads there for the next call")
    add("--parts", nargs="+", choices=PARTS, default=PARTS)
    add("--workloads", nargs="+", metavar="NAME", help="plain, tensors, many, mixed: not all")
    add("--readers", nargs="+", metavar="PEER", help="not all peers")
    add("--out", type=Path, metavar="FILE", help="not docs/reader-benchmark.md, if all is measured")
    return parser.parse_args()


def _told(options: argparse.Namespace) -> str:
    """The options that decide what is measured, as they were given."""
    told = [
        f" --{name} {getattr(options, name)}"
        for name, usual in (("scale", 1.0), ("rounds", 3))
        if getattr(options, name) != usual
    ]
    return "".join(told)


if __name__ == "__main__":
    main()
