"""Soundness cases for the trusted core: tiny networks with splits and dropout, and the paper's method, with the value of each bound.

Which multiples of 2^-53 the prover takes for the masses of a quantizer's cells is its choice, and any choice is sound; so cases are made in
three steps:

    python make_networks.py draw --count 1200 --seed 1 --out drawn.z
    BURES_SOUNDNESS_DRAWN=drawn.z cargo test --release --test certify -- --ignored answers_for_drawn_networks    # drawn.z.answers
    python make_networks.py value drawn.z --out networks.bin.z

Files are zlib-compressed little-endian f64. A case: points and components of the paper's method (0 and 0: the tight method), activation
(0 none, 1 relu, 2 tanh), layers, widths from input to output, per layer weight means, weight variances, bias means, bias variances and the
dropout after it, the input; for every hidden layer the number of splits and each one's component, coordinate and points, the number of
labels and the labels, the number of shapes and each one's length and points; then the number of weights of the mixture and the weights, and
last the value of the bound. Drawn cases have no labels, shapes, weights and value.
"""

import argparse
import math
import random
import struct
import sys
import zlib

from formulas import Layer, mpfr
from make_cases import network_case, number
from networks import paper, tight

MOST_COMPONENTS = 20


class Case:
    """Plain numbers; `witness` has for every hidden layer splits, labels and shapes."""

    def __init__(self, points, components, kind, widths, layers, x, witness):
        self.points, self.components, self.kind, self.widths = points, components, kind, widths
        self.layers, self.x, self.witness, self.weights = layers, x, witness, []

    def pack(self, value=None):
        out = [self.points, self.components, self.kind, len(self.layers), *self.widths]
        for mean, var, bias, bias_var, p in self.layers:
            out += [u for row in mean for u in row] + [u for row in var for u in row] + [*bias, *bias_var, p]
        out += self.x
        for splits, labels, shapes in self.witness:
            out += [len(splits)] + [u for one in splits for u in one] + [len(labels), *labels, len(shapes)]
            out += [u for shape in shapes for u in (len(shape), *shape)]
        out += [len(self.weights), *self.weights] + ([] if value is None else [value])
        return struct.pack(f"<{len(out)}d", *map(float, out))


class Numbers:
    """Takes numbers off the front of a file."""

    def __init__(self, path):
        data = open(path, "rb").read()
        data = zlib.decompress(data) if path.endswith(".z") else data
        self.values, self.at = struct.unpack(f"<{len(data) // 8}d", data), 0

    def left(self):
        return self.at < len(self.values)

    def take(self, n):
        self.at += n
        return list(self.values[self.at - n : self.at])

    def count(self):
        return int(self.take(1)[0])

    def rows(self, rows, columns):
        return [self.take(columns) for _ in range(rows)]

    def lists(self):
        return [[int(u) for u in self.take(self.count())] for _ in range(self.count())]

    def case(self):
        points, components, kind, depth = (self.count() for _ in range(4))
        widths = [int(u) for u in self.take(depth + 1)]
        layers = []
        for n, rows in zip(widths, widths[1:]):
            layers.append((self.rows(rows, n), self.rows(rows, n), self.take(rows), self.take(rows), self.take(1)[0]))
        x = self.take(widths[0])
        witness = []
        for _ in range(depth - 1):
            splits = [tuple(int(u) for u in self.take(3)) for _ in range(self.count())]
            labels = [int(u) for u in self.take(self.count())]
            witness.append((splits, labels, self.lists()))
        self.count()
        return Case(points, components, kind, widths, layers, x, witness)


def draw(rng):
    kind = rng.choice([1, 1, 1, 1, 0, 2])
    _, widths, layers, x = network_case(rng, kind)
    hidden = len(layers) - 1
    if rng.random() < 0.25:
        layers = [(*layer, 0.0) for layer in layers]
        return Case(rng.choice([2, 3, 4, 6]), rng.choice([1, 2, 3]), kind, widths, layers, x, [([], [], [])] * hidden)
    rate = rng.choice([0.0, 0.0, 0.0, 0.5, 0.1, 0.25, 1e-3, 0.9, abs(number(rng)) % 1])
    rates = [rate if rng.random() < 0.8 else 0.0 for _ in range(hidden)] + [0.0]
    layers = [(*layer, p) for layer, p in zip(layers, rates)]
    witness, count = [], 1
    for width in widths[1:-1]:
        splits = []
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            points = rng.choice([2, 2, 3, 4, 7, 12])
            if count + points - 1 <= MOST_COMPONENTS:
                splits.append((rng.randrange(count), rng.randrange(width), points))
                count += points - 1
        witness.append((splits, [], []))
    return Case(0, 0, kind, widths, layers, x, witness)


def value(case, answers):
    """The bound's value; completes the case by what the prover answered."""
    rates = [0.0] + [layer[4] for layer in case.layers]
    layers = [Layer(*layer[:4], p) for layer, p in zip(case.layers, rates)]
    x = [mpfr(u) for u in case.x]
    if not case.points:
        case.weights = answers.take(answers.count())
        return tight(case.kind, layers, x, [splits for splits, _, _ in case.witness], case.weights)[0]
    witness, case.witness = [], []
    for rows in case.widths[2:]:
        labels = [int(u) for u in answers.take(answers.count())]
        shapes = answers.lists()
        count = answers.count()
        points = list(zip(answers.take(count), answers.rows(count, rows)))
        witness.append((labels, shapes, points))
        case.witness.append(([], labels, shapes))
    case.weights = [weight for weight, _ in witness[-1][2]]
    return paper(case.kind, layers, x, witness)


def values(drawn, out):
    """Cases that the prover refuses, since they cut what does not vary, are left out; so are directions that it finds elsewhere."""
    cases, answers = Numbers(drawn), Numbers(drawn + ".answers")
    press, done, refused, elsewhere = zlib.compressobj(9), 0, 0, 0
    with open(out, "wb") as file:
        while cases.left():
            case, length = cases.case(), answers.count()
            end = answers.at + length
            if length == 0:
                refused += 1
                continue
            try:
                found = float(value(case, answers))
                if not math.isfinite(found):
                    raise ValueError(f"no value of {vars(case)}")
                file.write(press.compress(case.pack(found)))
                done += 1
            except ArithmeticError:
                elsewhere += 1
            answers.at = end
        file.write(press.flush())
    print(f"{done} cases, {refused} refused by the prover, {elsewhere} with other directions", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    does = parser.add_subparsers(dest="does", required=True)
    drawing = does.add_parser("draw")
    drawing.add_argument("--count", type=int, default=1200)
    drawing.add_argument("--seed", type=int, default=1)
    drawing.add_argument("--out", required=True)
    valuing = does.add_parser("value")
    valuing.add_argument("drawn")
    valuing.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.does == "value":
        values(args.drawn, args.out)
        return
    rng = random.Random(args.seed)
    with open(args.out, "wb") as file:
        file.write(zlib.compress(b"".join(draw(rng).pack() for _ in range(args.count)), 9))


if __name__ == "__main__":
    main()
