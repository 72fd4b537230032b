"""Times the GM training step of bures and of PyTorch in turns (A B A B ...) on the same number of threads.

Each turn is a process of its own. Machines drift while one measures; neighbouring turns drift alike, so the
ratio is taken within each round, and its median and range over the rounds are printed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from rounds import built, rounds, spread

HERE = Path(__file__).resolve().parent
VARIANTS = ("paper", "products", "inplace")


def last_json(command, threads):
    """Runs a command and reads its last line as JSON."""
    env = dict(os.environ, RAYON_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    done = subprocess.run([str(c) for c in command], env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--components", type=int, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where PyTorch runs")
    parser.add_argument("--bures", nargs=argparse.REMAINDER, default=[], help="further arguments of step_time (last)")
    args = parser.parse_args()

    shape = ["--components", args.components, "--batch", args.batch, "--steps", args.steps, "--threads", args.threads]
    bures = [built(["build", "--release", "--example"], "step_time"), *shape, *args.bures]
    torch = [sys.executable, HERE / "gm_step.py", *shape, "--device", args.device, "--variants", *args.variants]
    times = {name: [] for name in ("bures", *args.variants)}
    for own, peer in rounds(args.rounds, lambda: last_json(bures, args.threads), lambda: last_json(torch, args.threads)):
        times["bures"].append(own["ms_per_step"])
        for result in peer["results"]:
            times[result["variant"]].append(result["ms_per_step"])

    print(f"K = {args.components}, batch {args.batch}, 784 inputs, 9 outputs, {args.threads} threads, PyTorch on {args.device}")
    print(f"{args.rounds} rounds: median (lowest to highest)\n")
    print("| step | ms | times bures |\n| --- | --- | --- |")
    for name, ms in times.items():
        ratios = [a / b for a, b in zip(ms, times["bures"])]
        label = name if name == "bures" else f"PyTorch {name}"
        print(f"| {label} | {spread(ms, '.3f')} | {'1' if name == 'bures' else spread(ratios, '.2f')} |")


if __name__ == "__main__":
    main()
