"""Times the convolutions of bures and of PyTorch in turns (A B A B ...) on the same number of threads: shapes of the VGG-like network.

Each turn is a process of its own. Machines drift while one measures; neighbouring turns drift alike, so the ratio is taken within each
round, and its median and range over the rounds are printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def build():
    """Builds the example that times bures and returns where it lies."""
    command = ["cargo", "build", "--release", "--example", "conv_time", "--message-format", "json"]
    built = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True).stdout
    for message in map(json.loads, built.splitlines()):
        if message.get("target", {}).get("name") == "conv_time" and message.get("executable"):
            return message["executable"]
    sys.exit("cargo built no example conv_time")


def lines(command, threads):
    """Runs a command and reads its lines as JSON: milliseconds by shape and direction."""
    env = dict(os.environ, RAYON_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    done = subprocess.run([str(c) for c in command], env=env, stdout=subprocess.PIPE, text=True, check=True)
    rows = map(json.loads, done.stdout.splitlines())
    return {(*row["shape"], way): row[way] for row in rows for way in ("forward", "backward")}


def spread(values):
    """Median (lowest to highest)."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    bures = [build(), args.batch, args.repeats]
    torch = [sys.executable, HERE / "conv_step.py", args.batch, args.repeats, "--threads", args.threads]
    rounds = []
    for turn in range(args.rounds):
        rounds.append((lines(bures, args.threads), lines(torch, args.threads)))
        print(f"round {turn + 1}/{args.rounds}", file=sys.stderr)

    print(f"batch {args.batch}, 3×3 convolutions, {args.threads} threads, {args.rounds} rounds: median (lowest to highest)\n")
    print("| channels, side | way | bures ms | PyTorch ms | PyTorch / bures |\n| --- | --- | --- | --- | --- |")
    for key in rounds[0][0]:
        ours, theirs = [a[key] for a, _ in rounds], [b[key] for _, b in rounds]
        channels, outputs, side, way = key
        ratio = spread([b / a for a, b in zip(ours, theirs)])
        print(f"| {channels} → {outputs}, {side} | {way} | {spread(ours)} | {spread(theirs)} | {ratio} |")


if __name__ == "__main__":
    main()
