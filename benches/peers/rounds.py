"""What the comparisons share: building the program of bures, turns of the two programs, and how their times are shown."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def built(how, name):
    """Has cargo build what `how` says under that name, and returns where the program lies."""
    command = ["cargo", *how, name, "--message-format", "json"]
    messages = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True).stdout
    for message in map(json.loads, messages.splitlines()):
        if message.get("target", {}).get("name") == name and message.get("executable"):
            return message["executable"]
    sys.exit(f"cargo built no {name}")


def rounds(count, *programs):
    """Runs the programs in turns (A B A B ...) and yields what they return, a round at a time."""
    for turn in range(count):
        results = tuple(program() for program in programs)
        print(f"round {turn + 1}/{count}", file=sys.stderr)
        yield results


def spread(values, form):
    """Median (lowest to highest)."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"
