"""Soundness cases for several inputs at once: tiny networks and the bound of `src/docs/joint_inputs.md` for them, in 400-bit arithmetic.

As `make_cases.py`, with the moments and norms of `formulas.py`: written from the formulas, without rounding terms.

    python make_joint_cases.py --count 300 --seed 1 --out joint_cases.bin.z

The file is zlib-compressed little-endian f64. A case: activation (0 none, 1 relu, 2 tanh), points, layers, widths from input to output, per
layer weight means, weight variances, bias means, bias variances, then the inputs point by point; then the value of the bound.
"""

import argparse
import random
import struct
import zlib

from gmpy2 import mpfr

from formulas import HALF, ONE, ZERO, Layer, Moments, eigen, sqrt
from make_cases import network_case, number


def fluctuation(metric, weights, mu, cov, bias):
    """E |A^1/2 (S - T) A^1/2|_F^2 or more: Wick's formula, and what T has beside E S."""
    n, points = range(len(mu)), range(len(metric))
    nu = [[sum(metric[d][e] * mu[j][e] for e in points) for d in points] for j in n]
    total = ZERO
    for j in n:
        for k in n:
            c = cov(j, k)
            if c is None:
                continue
            tau = sum(metric[d][e] * c[d][e] for d in points for e in points)
            along = sum(x * y for x, y in zip(nu[j], mu[k]))
            cross = sum(nu[k][d] * c[d][e] * nu[j][e] for d in points for e in points)
            total += weights[j] * weights[k] * 2 * (tau**2 + along * tau + cross)
    return total + sum(metric[d][e] * bias[d][e] for d in points for e in points) ** 2


def noise(layer, mu, cov, bent):
    """For every output: T, and E d_B^2(S(g), T) or more. None where T is too near to singular to be compared."""
    points, n = range(len(mu[0])), range(len(mu))
    fixed, costs = [], ZERO
    for i in range(layer.rows):
        w = layer.v[i]
        own = [cov(j, j) for j in n]
        bias = [[sum(w[j] * bent[j][d][e] for j in n) for e in points] for d in points]
        mean = [[sum(w[j] * (own[j][d][e] + mu[j][d] * mu[j][e]) for j in n) + layer.bv[i] for e in points] for d in points]
        t = [[mean[d][e] + bias[d][e] for e in points] for d in points]
        values, vectors = eigen(t)
        if not min(values) > max(values) * mpfr("1e-5"):
            return None
        power = lambda f: [[sum(f(x) * u[d] * u[e] for x, u in zip(values, vectors)) for e in points] for d in points]
        square = fluctuation(power(lambda x: 1 / sqrt(x)), w, mu, cov, bias)
        relative = fluctuation(power(lambda x: 1 / x), w, mu, cov, bias)
        share = min(ONE, HALF * HALF + mpfr(27) / 4 * sqrt(relative))
        costs += min(square * share, 2 * sum(t[d][d] for d in points))
        fixed.append(t)
    return fixed, costs


def step(kind, layer, mean, cov):
    """The next law (means [neuron][point], covariances of pairs of neurons) and the squares of its own distance."""
    n, points = range(layer.cols), range(len(mean[0]))
    own = [cov(j, j) for j in n]
    mo = [[Moments(kind, mean[j][d], own[j][d][d]) for d in points] for j in n]
    through = ZERO
    for d in points:
        r2 = [mo[j][d].r2 for j in n]
        rho2 = lambda c, j, k: c[d][d] ** 2 / (own[j][d][d] * own[k][d][d]) if c is not None else ZERO
        pairs = sum(abs(layer.gram[j][k]) * rho2(cov(j, k), j, k) * sqrt(r2[j] * r2[k]) for j in n for k in n)
        through += pairs if cov(0, len(n) - 1) is None else min(pairs, layer.spectral * sum(r2))
    seen = sum(layer.d[j] * mo[j][d].r2 for j in n for d in points)
    mu = [[mo[j][d].mean for d in points] for j in n]
    root = [[sqrt(mo[j][d].r2) / own[j][d][d] for d in points] for j in n]
    bent = [[[own[j][d][e] ** 2 * root[j][d] * root[j][e] for e in points] for d in points] for j in n]
    scaled = {}
    for j in n:
        for k in n:
            c = cov(j, k)
            if c is not None:
                scaled[j, k] = [[mo[j][d].slope * c[d][e] * mo[k][e].slope for e in points] for d in points]
    made = noise(layer, mu, lambda j, k: scaled.get((j, k)), bent)
    if made is None:
        return None
    fixed, cost = made
    rows = range(layer.rows)
    following = {}
    for i in rows:
        for l in rows:
            block = [[sum(layer.m[i][j] * c[d][e] * layer.m[l][k] for (j, k), c in scaled.items()) for e in points] for d in points]
            following[i, l] = [[x + (fixed[i][d][e] if i == l else 0) for e, x in enumerate(row)] for d, row in enumerate(block)]
    next_mean = [[sum(layer.m[i][j] * mu[j][d] for j in n) + layer.b[i] for d in points] for i in rows]
    return next_mean, lambda i, l: following[i, l], sqrt(through + (sqrt(seen) + sqrt(cost)) ** 2)


def bound(kind, layers, inputs):
    first, *rest = layers
    x = [[mpfr(u) for u in point] for point in inputs]
    mean = [[sum(w * u for w, u in zip(first.m[i], point)) + first.b[i] for point in x] for i in range(first.rows)]
    shared = lambda i: [[sum(v * s * t for v, s, t in zip(first.v[i], p, q)) + first.bv[i] for q in x] for p in x]
    blocks = [shared(i) for i in range(first.rows)]
    if any(block[d][d] == 0 for block in blocks for d in range(len(x))):
        return None
    cov, total = lambda j, k: blocks[j] if j == k else None, ZERO
    for layer in rest:
        total *= layer.carry()
        made = step(kind, layer, mean, cov)
        if made is None:
            return None
        mean, cov, own = made
        total += own
    return total


def record(rng):
    while True:
        kind, widths, layers, x = network_case(rng, rng.choice([0, 1, 1, 2]))
        inputs = [[number(rng) for _ in x] for _ in range(rng.choice([1, 2, 2, 3]))]
        value = bound(kind, [Layer(*layer) for layer in layers], inputs)
        if value is None or not value > mpfr("1e-30"):
            continue
        out = [float(kind), float(len(inputs)), float(len(layers)), *map(float, widths)]
        for mean, var, bias, bias_var in layers:
            out += [u for row in mean for u in row] + [u for row in var for u in row] + list(bias) + list(bias_var)
        out += [u for point in inputs for u in point] + [float(value)]
        return struct.pack(f"<{len(out)}d", *out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="joint_cases.bin.z")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with open(args.out, "wb") as file:
        file.write(zlib.compress(b"".join(record(rng) for _ in range(args.count)), 9))


if __name__ == "__main__":
    main()
