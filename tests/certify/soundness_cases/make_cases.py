"""Soundness cases for the trusted core: tiny networks and the bound of `src/docs/trusted_core.md` for them, in 400-bit arithmetic.

Independent of the Rust code: written from the formulas, with MPFR (gmpy2) in place of outward rounding, closed forms that cancel in
place of stable ones, Jacobi's method in place of a shifted Cholesky factorisation. Rounding terms are left out, so a printed bound
must be at least the value here, and at most a little more.

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

import gmpy2
from gmpy2 import mpfr

gmpy2.get_context().precision = 400
gmpy2.get_context().emin = gmpy2.get_emin_min()
gmpy2.get_context().emax = gmpy2.get_emax_max()
ZERO, ONE, HALF = mpfr(0), mpfr(1), mpfr(1) / 2
SQRT2PI = gmpy2.sqrt(2 * gmpy2.const_pi())
SQRT2 = gmpy2.sqrt(mpfr(2))
sqrt = gmpy2.sqrt


def phi(x):
    return gmpy2.exp(-x * x / 2) / SQRT2PI


def cdf(x):
    return gmpy2.erfc(-x / SQRT2) / 2


class Moments:
    """mean, slope F, E a^2, r^2, q^2, E delta^4, E (a^2 - E a^2)^4 of a(z), z ~ N(m, v)."""

    def __init__(self, kind, m, v):
        if kind == 0:
            self.mean, self.slope, self.square, self.r2 = m, ONE, m * m + v, ZERO
            self.q2 = 4 * m * m * v + 2 * v * v
            self.d4, self.y4 = ZERO, v * v * (48 * m**4 + 240 * m * m * v + 60 * v * v)
        elif v == 0:
            a = max(m, ZERO) if kind == 1 else gmpy2.tanh(m)
            self.mean, self.square, self.r2, self.q2, self.d4, self.y4 = a, a * a, ZERO, ZERO, ZERO, ZERO
            self.slope = (ONE if m > 0 else ZERO) if kind == 1 else 1 - a * a
        elif kind == 1:
            self.relu(m, v)
        else:
            self.tanh(m, v)

    def relu(self, m, v):
        s = sqrt(v)
        t = m / s
        f, p = (cdf(t), phi(t)) if abs(t) < 3000 else (ONE if t > 0 else ZERO, ZERO)
        # J_k = E max(z, 0)^k / s^k, z/s ~ N(t, 1): J_{k+1} = t J_k + k J_{k-1}, with J_0 = F, J_1 = tF + p.
        j = [f, t * f + p]
        for k in range(1, 8):
            j.append(t * j[k] + k * j[k - 1])
        self.mean, self.slope, self.square = s * j[1], f, v * j[2]
        if abs(t) >= 3000:
            self.r2, self.d4 = ZERO, ZERO
        else:
            self.r2 = v * (j[2] - j[1] ** 2 - f**2)
            # delta = a - c - F (z/s - t) = a - (k + F z/s), k = c - F t; on z > 0, z/s = a.
            c = j[1]
            k = c - f * t
            whole = [ONE, t, t**2 + 1, t**3 + 3 * t, t**4 + 6 * t**2 + 3]
            # positive part: (1 - F) a - k; negative part: -(k + F x).
            bin4 = [1, 4, 6, 4, 1]
            pos = sum(bin4[i] * (1 - f) ** i * (-k) ** (4 - i) * j[i] for i in range(5))
            neg = sum(bin4[i] * f**i * k ** (4 - i) * (whole[i] - j[i]) for i in range(5))
            self.d4 = v * v * (pos + neg)
        self.q2 = v * v * (j[4] - j[2] ** 2)
        self.y4 = v**4 * (j[8] - 4 * j[2] * j[6] + 6 * j[2] ** 2 * j[4] - 3 * j[2] ** 4)

    def tanh(self, m, v):
        s = sqrt(v)
        b = min(gmpy2.const_pi() / (4 * s) * mpfr("0.99"), mpfr(20))
        # The trapezoidal rule to 1e-60.
        h = 2 * gmpy2.const_pi() * b / (140 + b * b / 2)
        n = int(17 / h) + 1
        nodes = [(k * h, h * phi(k * h)) for k in range(-n, n + 1)]
        values = [(x, w, gmpy2.tanh(m + s * x)) for x, w in nodes]
        self.mean = sum(w * a for _, w, a in values)
        self.square = sum(w * a * a for _, w, a in values)
        self.slope = 1 - self.square
        delta = [(w, a - self.mean - self.slope * s * x) for x, w, a in values]
        self.r2 = sum(w * d * d for w, d in delta)
        self.d4 = sum(w * d**4 for w, d in delta)
        spread = [(w, a * a - self.square) for _, w, a in values]
        self.q2 = sum(w * y * y for w, y in spread)
        self.y4 = sum(w * y**4 for w, y in spread)


def noise_cost(mean, variance, fourth, omega):
    """E (sqrt N - sqrt mean)^2: the least of the bounds; None where one does not apply."""
    if mean == 0:
        return ZERO
    costs = [2 * mean, variance / mean]
    if omega is not None and omega < mean:
        costs.append(2 * mean - 2 * sqrt(mean * (mean - omega)))
    if fourth is not None:
        y2, y4 = variance / mean**2, fourth / mean**4
        costs.append(mean * (y2 / 4 + sqrt(y2 * y4) / 8 + 5 * y4 / 8))
    return min(costs)


def eigen_max(a):
    """The largest eigenvalue of a symmetric matrix, by Jacobi rotations."""
    n = len(a)
    a = [row[:] for row in a]
    for _ in range(40):
        off = sum(a[i][j] ** 2 for i in range(n) for j in range(i))
        if off <= mpfr(2) ** -300 * sum(a[i][i] ** 2 for i in range(n)):
            break
        for p in range(n):
            for q in range(p + 1, n):
                if a[p][q] == 0:
                    continue
                theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                t = (1 if theta >= 0 else -1) / (abs(theta) + sqrt(theta**2 + 1))
                c = 1 / sqrt(t * t + 1)
                s = t * c
                for k in range(n):
                    a[k][p], a[k][q] = c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]
                for k in range(n):
                    a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]
    return max(a[i][i] for i in range(n))


class Layer:
    def __init__(self, mean, var, bias, bias_var):
        self.m = [[mpfr(x) for x in row] for row in mean]
        self.v = [[mpfr(x) for x in row] for row in var]
        self.b, self.bv = [mpfr(x) for x in bias], [mpfr(x) for x in bias_var]
        self.rows, self.cols = len(self.m), len(self.m[0])
        rows, cols = range(self.rows), range(self.cols)
        self.gram = [[sum(self.m[i][j] * self.m[i][k] for i in rows) for k in cols] for j in cols]
        self.d = [sum(self.v[i][j] for i in rows) for j in cols]

    def norms(self):
        shared = [[x + (self.d[j] if j == k else 0) for k, x in enumerate(row)] for j, row in enumerate(self.gram)]
        return eigen_max(self.gram), eigen_max(shared)


class Law:
    """A Gaussian: diag is a list of variances where coordinates are independent, else None."""

    def __init__(self, mean, cov, diagonal):
        self.mean, self.cov, self.diagonal = mean, cov, diagonal


def step(kind, layer, law):
    """Lemma 2: the next Gaussian, linearisation and noise squared, and the error's parts for Lemma 6."""
    n, rows = layer.cols, layer.rows
    v = [law.cov[j][j] for j in range(n)]
    mo = [Moments(kind, law.mean[j], v[j]) for j in range(n)]
    r = [sqrt(x.r2) for x in mo]
    q = [sqrt(x.q2) for x in mo]
    nbar = [sum(layer.v[i][j] * mo[j].square for j in range(n)) + layer.bv[i] for i in range(rows)]
    if law.diagonal:
        linear = sum(layer.gram[j][j] * mo[j].r2 for j in range(n))
        var_n = [sum(layer.v[i][j] ** 2 * mo[j].q2 for j in range(n)) for i in range(rows)]
        fourth = [3 * var_n[i] ** 2 + sum(layer.v[i][j] ** 4 * mo[j].y4 for j in range(n)) for i in range(rows)]
        omega = [max(layer.v[i][j] * v[j] for j in range(n)) for i in range(rows)]
    else:
        rho = [[law.cov[j][k] / sqrt(v[j] * v[k]) if v[j] > 0 and v[k] > 0 else ZERO for k in range(n)] for j in range(n)]
        pairs = sum(abs(layer.gram[j][k]) * rho[j][k] ** 2 * r[j] * r[k] for j in range(n) for k in range(n))
        linear = min(pairs, layer.norms()[0] * sum(x.r2 for x in mo))
        cov_q = [[abs(rho[j][k]) * q[j] * q[k] for k in range(n)] for j in range(n)]
        var_n = [sum(layer.v[i][j] * layer.v[i][k] * cov_q[j][k] for j in range(n) for k in range(n)) for i in range(rows)]
        fourth, omega = [None] * rows, [None] * rows
    costs = [noise_cost(nbar[i], var_n[i], fourth[i], omega[i]) for i in range(rows)]
    mean = [sum(layer.m[i][j] * mo[j].mean for j in range(n)) + layer.b[i] for i in range(rows)]
    through = [[layer.m[i][j] * mo[j].slope for j in range(n)] for i in range(rows)]
    half = [[sum(through[i][j] * law.cov[j][k] for j in range(n)) for k in range(n)] for i in range(rows)]
    cov = [[sum(half[i][k] * through[l][k] for k in range(n)) for l in range(rows)] for i in range(rows)]
    for i in range(rows):
        cov[i][i] += nbar[i]
    coupling = (mo, v, nbar, fourth, costs) if law.diagonal else None
    return Law(mean, cov, False), linear, sum(costs), coupling


def displaced(layer, coupling):
    """For every output: E e^2, |e|_4, B, E nu^2, |nu|_4, N-bar, from independent neurons."""
    mo, v, nbar, fourth, costs = coupling
    out = []
    for i in range(layer.rows):
        w = layer.m[i]
        shift = sum(w[j] ** 2 * mo[j].r2 for j in range(layer.cols))
        four = 3 * shift**2 + sum(w[j] ** 4 * mo[j].d4 for j in range(layer.cols))
        own = [w[j] ** 2 * mo[j].slope ** 2 * v[j] for j in range(layer.cols)]
        total, b = sum(own), None
        if total > 0 and max(own) <= total / 4:
            first = sum(w[j] ** 2 * sqrt(own[j] / total) * sqrt(mo[j].d4) for j in range(layer.cols))
            second = sum(abs(w[j]) * own[j] / total * sqrt(mo[j].r2) for j in range(layer.cols))
            b = first + sqrt(mpfr(6)) * second**2
        nu4 = ZERO if nbar[i] == 0 else sqrt(sqrt(fourth[i] / nbar[i] ** 2))
        out.append((shift, sqrt(sqrt(four)), b, costs[i], nu4, nbar[i]))
    return out


def bend_relu(law, i, f, d):
    """kappa of a rectifier."""
    shift, e4, b, nu2, _, nbar = d
    most = max(f, 1 - f)
    always = most * sqrt(shift + nu2)
    var = law.cov[i][i]
    if not var > 0:
        return always
    s = sqrt(var)
    t = law.mean[i] / s
    p_on = cdf(t) if abs(t) < 3000 else (ONE if t > 0 else ZERO)
    g, p = (f, p_on) if f <= HALF else (1 - f, 1 - p_on)
    deviation = sqrt(p * (1 - p)) if p < HALF else HALF
    weighted = min([shift, e4**2 * sqrt(p)] + ([p * shift + b * deviation] if b is not None else []))
    slope = g * g * shift + abs(1 - 2 * f) * weighted
    if e4 == 0:
        kink = ZERO
    else:
        costs = []
        at = phi(abs(t)) / s if abs(t) < 3000 else ZERO
        for typical in (at, 1 / (SQRT2PI * s)):
            if typical == 0:
                continue
            # The core's choice of tau is a plain f64 computation; any tau is valid, and this one is as near as f64 goes.
            tau = mpfr((e4 * e4 / 4 / sqrt(2 * typical)) ** mpfr("0.4"))
            peak = phi(max(abs(t) - tau / s, ZERO)) / s
            near = min(ONE, 2 * tau * peak)
            inside = min([e4**2 * sqrt(near)] + ([shift * near + b * sqrt(near)] if b is not None else []))
            costs.append(inside + e4**4 / (16 * tau**2))
        if nbar > 0:
            costs.append(sqrt(shift) * e4**2 / sqrt(nbar) * mpfr(1) / (3 * SQRT2PI))
        kink = min(costs)
    return min(always, sqrt(slope + kink) + most * sqrt(nu2))


def bend_tanh(law, i, f, d):
    shift, e4, _, nu2, nu4, _ = d
    always = max(f, 1 - f) * sqrt(shift + nu2)
    if not law.cov[i][i] > 0:
        return always
    p = e4 + sqrt(sqrt(mpfr(3))) * nu4
    spread = sqrt(sqrt(Moments(2, law.mean[i], law.cov[i][i]).y4))
    curvature = 4 / (3 * sqrt(mpfr(3)))
    return min(always, spread * p + curvature / 2 * p * p)


def carried(kind, before, coupling, layer, law):
    """Lemma 6."""
    mo = coupling[0]
    n = layer.cols
    f = [Moments(kind, law.mean[j], law.cov[j][j]).slope for j in range(n)]
    d = displaced(before, coupling)
    linear = ZERO
    for i in range(layer.rows):
        for k in range(before.cols):
            entry = sum(layer.m[i][j] * f[j] * before.m[j][k] for j in range(n))
            linear += entry**2 * mo[k].r2
    linear += sum(layer.gram[j][j] * f[j] ** 2 * d[j][3] for j in range(n))
    bend = {0: lambda *_: ZERO, 1: bend_relu, 2: bend_tanh}[kind]
    kappa = [bend(law, j, f[j], d[j]) for j in range(n)]
    pairs = sum(abs(layer.gram[j][k]) * kappa[j] * kappa[k] for j in range(n) for k in range(n))
    bent = min(pairs, layer.norms()[0] * sum(x * x for x in kappa))
    scale = sum(layer.d[j] * (d[j][0] + d[j][3]) for j in range(n))
    return sqrt((sqrt(linear) + sqrt(bent)) ** 2 + scale)


def bound(kind, layers, x):
    """The tight method's bound without splits, and the output's Gaussian."""
    first, *rest = layers
    x = [mpfr(u) for u in x]
    mean = [sum(first.m[i][j] * x[j] for j in range(first.cols)) + first.b[i] for i in range(first.rows)]
    var = [sum(first.v[i][j] * x[j] ** 2 for j in range(first.cols)) + first.bv[i] for i in range(first.rows)]
    cov = [[var[i] if i == j else ZERO for j in range(first.rows)] for i in range(first.rows)]
    law, old, pending, before = Law(mean, cov, True), ZERO, None, None
    for layer in rest:
        lip = sqrt(layer.norms()[1])
        old = old * lip
        if pending is not None:
            own, coupling = pending
            plain = own * lip
            old += plain if coupling is None else min(plain, carried(kind, before, coupling, layer, law))
        law, linear, noise, coupling = step(kind, layer, law)
        pending, before = (sqrt(linear + noise), coupling), layer
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
