"""Times certification by bures and by NumPy and PyTorch in turns (A B A B ...), each in a process of its own on as many threads.

The ratio is taken within each round, as in compare.py; its median and range over the rounds are printed. bures proves an input on one
thread; `per input of a run` is a run over 256 inputs on all threads, divided by their number.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from rounds import built, rounds, spread

HERE = Path(__file__).resolve().parent
UNITS = {"ns": 1e-6, "µs": 1e-3, "us": 1e-3, "ms": 1.0, "s": 1e3}
LINE = re.compile(r"time:\s+\[\S+ \S+ (\S+) (\S+) \S+ \S+\]")
# What is compared: the bench of bures, the peer, and how many inputs the bench does at a time.
PAIRS = {
    "tight, an input": ("input/tight", "tight", 1),
    "tight, per input of a run": ("run/tight/256", "tight", 256),
    "tight and Monte Carlo of 1,000": ("input/tight", "Monte Carlo 1,000", 1),
    "tight and Monte Carlo of 10,000": ("input/tight", "Monte Carlo 10,000", 1),
    "paper's method, an input": ("input/paper", "paper", 1),
    "paper's method, per input of a run": ("run/paper/256", "paper", 256),
    "signature, diagonal 128": ("signature/diagonal 128", "diagonal 128", 1),
    "signature, dense 128": ("signature/dense 128", "dense 128", 1),
}


def bures(program, threads):
    """Milliseconds of every bench."""
    env = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    names = "|".join(sorted({re.escape(bench) for bench, _, _ in PAIRS.values()}))
    command = [program, "--bench", f"^({names})$"]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    times, name = {}, None
    for line in done.stdout.splitlines():
        found = LINE.search(line)
        # A long name stands on a line of its own.
        name = line[: found.start()].strip() or name if found else line.strip() or name
        if found:
            times[name] = float(found[1]) * UNITS[found[2]]
    return times


def peer(threads):
    command = [sys.executable, HERE / "certify_numpy.py", "--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {name: value["ms"] for name, value in json.loads(done.stdout.splitlines()[-1]).items() if name != "threads"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if "BURES_FIXTURES" not in os.environ:
        sys.exit("BURES_FIXTURES is not set: the network and the test images are there")
    program = built(["bench", "--no-run", "--bench"], "certify")
    turns = list(rounds(args.rounds, lambda: bures(program, args.threads), lambda: peer(args.threads)))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"MNIST [2×128], {args.threads} threads, load {load:.1f}; {args.rounds} rounds: median (lowest to highest)\n")
    print("| work | bures, ms | NumPy or PyTorch, ms | ratio |\n| --- | --- | --- | --- |")
    for label, (bench, other, inputs) in PAIRS.items():
        ours = [own[bench] / inputs for own, _ in turns]
        theirs = [peers[other] for _, peers in turns]
        ratios = [b / a for a, b in zip(ours, theirs)]
        print(f"| {label} | {spread(ours, '.4g')} | {spread(theirs, '.4g')} | {spread(ratios, '.3g')} |")


if __name__ == "__main__":
    main()
