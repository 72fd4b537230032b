"""Lemma 5's distance for one rectified neuron, in 400-bit arithmetic: eta of max(z, 0) + zeta, z ~ N(t, 1), zeta ~ N(0, 1/b^2).

    python make_sharing.py --count 150 --seed 1 --out sharing.csv

A line: t, level (b = 2^(2 - level/8)), eta. In units of 1/b, c = int phi(quantile(F(y))) dy, whose integrand is analytic, by the trapezoidal
rule; F by Gauss's rule from node to node, from the nearer tail. Tails beyond twelve deviations weigh 1e-30.
"""

import argparse
import random

from formulas import HALF, ONE, ZERO, cdf, mpfr, phi, quantile, sqrt

STEP = ONE / 16
REACH = 12
ORDER = 10


def gauss():
    """Nodes and weights of Gauss's rule on [0, 1], by Newton's method for Legendre's polynomial."""
    out = []
    for i in range(ORDER):
        x = mpfr(2 * (i + 0.5) / ORDER - 1)
        for _ in range(200):
            before, here = ONE, x
            for k in range(2, ORDER + 1):
                before, here = here, ((2 * k - 1) * x * here - (k - 1) * before) / k
            slope = ORDER * (x * here - before) / (x * x - 1)
            move = here / slope
            x -= move
            if abs(move) < HALF**390:
                break
        out.append(((x + 1) / 2, 1 / ((1 - x * x) * slope * slope)))
    if len({float(x) for x, _ in out}) < ORDER or abs(sum(w for _, w in out) - 1) > HALF**300:
        raise ArithmeticError("Gauss's rule")
    return out


def eta(t, level, rule):
    b = mpfr(2) ** (2 - mpfr(level) / 8)
    t = mpfr(t)
    center, wide = b * t, sqrt(1 + b * b)
    dead = cdf(-t)

    def density(y):
        return dead * phi(y) + phi((y - center) / wide) / wide * cdf((center + b * b * y) / (b * wide))

    count = int((2 * REACH + max(center, ZERO) + REACH * wide) / STEP)
    cells = []
    for k in range(count):
        left = -REACH + k * STEP
        cells.append(STEP * sum(w * density(left + x * STEP) for x, w in rule))
    below, above = [ZERO], [ZERO]
    for cell in cells:
        below.append(below[-1] + cell)
    for cell in reversed(cells):
        above.append(above[-1] + cell)
    if abs(below[-1] - 1) > mpfr("1e-25"):
        raise ArithmeticError(f"a law of mass {float(below[-1])}")
    smaller = [min(x, y) for x, y in zip(below, reversed(above))]
    c = STEP * sum(phi(quantile(p)) for p in smaller if p > 0)
    mean, square = t * cdf(t) + phi(t), (t * t + 1) * cdf(t) + t * phi(t)
    return sqrt(b * b * (square - mean * mean) + 1 - c * c) / b


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="sharing.csv")
    args = parser.parse_args()
    rng, rule = random.Random(args.seed), gauss()
    with open(args.out, "w") as file:
        for _ in range(args.count):
            t = rng.choice([rng.uniform(-4, 4), rng.gauss(0, 1), rng.randint(-512, 512) / 128])
            level = rng.randint(0, 32)
            if abs(t) <= 3.99:
                file.write(f"{t!r},{level},{float(eta(t, level, rule))!r}\n")


if __name__ == "__main__":
    main()
