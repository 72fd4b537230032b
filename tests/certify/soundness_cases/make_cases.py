"""Soundness cases for the trusted core: one neuron or a tiny network without splits, and the value of its bound.

    python make_cases.py --count 10000 --seed 1 --out cases.bin.z

The file is zlib-compressed little-endian f64. A case: activation (0 none, 1 relu, 2 tanh), layers, widths from input to output, per
layer weight means, weight variances, bias means, bias variances, then the input; then the value of the bound, and the mixture's mean and
variance of the first output, each as the sum of two numbers.
"""

import argparse
import math
import random
import struct
import zlib

from formulas import ZERO, Layer, Law, mpfr, sqrt, step
from lemma6 import carried


def bound(kind, layers, x):
    """The tight method's bound without splits, and the output's Gaussian."""
    first, *rest = layers
    x = [mpfr(u) for u in x]
    mean = [sum(first.m[i][j] * x[j] for j in range(first.cols)) + first.b[i] for i in range(first.rows)]
    var = [sum(first.v[i][j] * x[j] ** 2 for j in range(first.cols)) + first.bv[i] for i in range(first.rows)]
    cov = [[var[i] if i == j else ZERO for j in range(first.rows)] for i in range(first.rows)]
    law, old, pending, before = Law(mean, cov, True), ZERO, None, None
    for layer in rest:
        lip = layer.carry()
        old = old * lip
        if pending is not None:
            own, coupling = pending
            plain = own * lip
            old += plain if coupling is None else min(plain, carried(kind, before, coupling, layer, law))
        law, own, coupling = step(kind, layer, law)
        pending, before = (sqrt(own), coupling), layer
    return old + (pending[0] if pending else ZERO), law


def nasty_scale(rng):
    return rng.choice([1e-300, 1e-160, 1e-30, 1e-12, 1e-6, 1e-3, 0.01, 0.1, 1.0, 3.0, 30.0, 1e6])


def number(rng):
    """A number of 24 bits, so that files stay small."""
    return struct.unpack("f", struct.pack("f", rng.gauss(0, 1)))[0]


def scalar_case(rng, kind):
    """One neuron: m = t s with t from dead to fully active, beyond what exp can hold."""
    v = abs(number(rng)) * nasty_scale(rng) if rng.random() < 0.4 else abs(number(rng))
    if kind == 2:
        v = min(v, 4.0)
    t = rng.choice([number(rng), 3 * number(rng), 10 * number(rng), rng.uniform(36, 39), -rng.uniform(36, 39), 0.0, 60.0, -60.0, 1e4])
    m = t * math.sqrt(v) if rng.random() < 0.8 else number(rng)
    weight = number(rng) * (nasty_scale(rng) if rng.random() < 0.1 else 1)
    var = rng.choice([0.0, number(rng) ** 2, 1e-3 * number(rng) ** 2, nasty_scale(rng)])
    bias_var = rng.choice([0.0, number(rng) ** 2, nasty_scale(rng)])
    layers = [([[0.0]], [[0.0]], [m], [v]), ([[weight]], [[var]], [number(rng)], [bias_var])]
    return kind, [1, 1, 1], layers, [number(rng)]


def network_case(rng, kind):
    depth = rng.choice([2, 3, 3, 3, 4])
    widths = [rng.randint(1, 2)] + [rng.choice([1, 1, 2, 3, 4] if kind == 1 else [1, 2]) for _ in range(depth)]
    style = rng.choice(["plain", "cold", "deterministic", "dead", "active", "repeated", "tiny", "zeros"])
    spread = {"cold": 0.01, "deterministic": 0.0, "tiny": 1e-150}.get(style, rng.choice([0.03, 0.1, 0.3]))
    layers = []
    for cols, rows in zip(widths, widths[1:]):
        row = [number(rng) for _ in range(cols)]
        repeated = style == "repeated"
        mean = [[x if repeated else number(rng) / (1 + cols) ** 0.5 for x in row] for _ in range(rows)]
        if style == "zeros":
            mean = [[x if rng.random() < 0.6 else 0.0 for x in line] for line in mean]
        var = [[(spread * (1.0 if repeated else number(rng))) ** 2 for _ in range(cols)] for _ in range(rows)]
        shift = {"dead": -8.0, "active": 8.0}.get(style, 0.0)
        layers.append((mean, var, [number(rng) + shift for _ in range(rows)], [(spread * number(rng)) ** 2 for _ in range(rows)]))
    return kind, widths, layers, [number(rng) for _ in range(widths[0])]


def two(x):
    high = float(x)
    return [high, float(x - mpfr(high))]


def record(case):
    kind, widths, layers, x = case
    value, law = bound(kind, [Layer(*layer) for layer in layers], x)
    if not math.isfinite(float(value)):
        raise ArithmeticError(f"no value of {case}")
    out = [float(kind), float(len(layers)), *map(float, widths)]
    for mean, var, bias, bias_var in layers:
        out += [u for row in mean for u in row] + [u for row in var for u in row] + list(bias) + list(bias_var)
    out += list(x) + [float(value)] + two(law.mean[0]) + two(law.cov[0][0])
    return struct.pack(f"<{len(out)}d", *out)


def make(rng):
    u = rng.random()
    if u < 0.72:
        return scalar_case(rng, 1)
    if u < 0.77:
        return scalar_case(rng, 0)
    if u < 0.81:
        return scalar_case(rng, 2)
    return network_case(rng, rng.choice([1, 1, 1, 1, 1, 1, 0, 2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scalars", action="store_true", help="one-neuron ReLU networks only: fast, for the run of a million")
    parser.add_argument("--out", default="cases.bin.z")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    press = zlib.compressobj(9)
    with open(args.out, "wb") as file:
        for _ in range(args.count):
            file.write(press.compress(record(scalar_case(rng, 1) if args.scalars else make(rng))))
        file.write(press.flush())


if __name__ == "__main__":
    main()
