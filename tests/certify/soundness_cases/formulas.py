"""The formulas of `src/docs/trusted_core.md` in 400-bit arithmetic: moments, Lemmas 1 and 2, dropout.

Independent of the Rust code: written from the formulas, with MPFR (gmpy2) in place of outward rounding, closed forms that cancel in
place of stable ones, Jacobi's method in place of a shifted Cholesky factorisation. Rounding terms are left out, so a printed bound
must be at least the value here, and at most a little more.
"""

import statistics

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


def quantile(p):
    """The x with cdf(x) = p, by Newton's method from what f64 knows; from the smaller tail, so that nothing cancels."""
    if p > HALF:
        return -quantile(1 - p)
    x = mpfr(statistics.NormalDist().inv_cdf(max(float(p), 1e-300)))
    for _ in range(12):
        move = (cdf(x) - p) / phi(x)
        x -= move
        if abs(move) < mpfr(2) ** -380:
            return x
    raise ArithmeticError(f"no quantile of {float(p)}")


class Moments:
    """mean, slope F, E a^2, E a^4, r^2, q^2, E delta^4, E (a^2 - E a^2)^4 of a(z), z ~ N(m, v)."""

    def __init__(self, kind, m, v):
        if kind == 0:
            self.mean, self.slope, self.square, self.r2 = m, ONE, m * m + v, ZERO
            self.q2 = 4 * m * m * v + 2 * v * v
            self.fourth = m**4 + 6 * m * m * v + 3 * v * v
            self.d4, self.y4 = ZERO, v * v * (48 * m**4 + 240 * m * m * v + 60 * v * v)
        elif v == 0:
            a = max(m, ZERO) if kind == 1 else gmpy2.tanh(m)
            self.fourth = a**4
            self.mean, self.square, self.r2, self.q2, self.d4, self.y4 = a, a * a, ZERO, ZERO, ZERO, ZERO
            self.slope = (ONE if m > 0 else ZERO) if kind == 1 else 1 - a * a
        elif kind == 1:
            self.relu(m, v)
        else:
            self.tanh(m, v)

    def relu(self, m, v):
        s = sqrt(v)
        t = m / s
        if abs(t) > 3000:
            # The other side of the kink weighs less than exp(-4e6).
            self.__init__(0, m if t > 0 else ZERO, v if t > 0 else ZERO)
            self.slope = ONE if t > 0 else ZERO
            return
        f, j = self.tail(t)
        self.mean, self.slope, self.square, self.fourth = s * j[1], f, v * j[2], v * v * j[4]
        self.q2 = v * v * (j[4] - j[2] ** 2)
        self.y4 = v**4 * (j[8] - 4 * j[2] * j[6] + 6 * j[2] ** 2 * j[4] - 3 * j[2] ** 4)
        # delta = a - c - F (z/s - t) is the same for t and -t; there it is small and nothing cancels.
        if t > 0:
            t = -t
            f, j = self.tail(t)
        self.r2 = v * (j[2] - j[1] ** 2 - f**2)
        # On z > 0 delta = (1 - F) a - k, elsewhere -(k + F x), k = c - F t.
        k = j[1] - f * t
        whole = [ONE, t, t**2 + 1, t**3 + 3 * t, t**4 + 6 * t**2 + 3]
        bin4 = [1, 4, 6, 4, 1]
        pos = sum(bin4[i] * (1 - f) ** i * (-k) ** (4 - i) * j[i] for i in range(5))
        neg = sum(bin4[i] * f**i * k ** (4 - i) * (whole[i] - j[i]) for i in range(5))
        self.d4 = v * v * (pos + neg)

    @staticmethod
    def tail(t):
        """F and J_k = E max(z, 0)^k / s^k, z/s ~ N(t, 1): J_{k+1} = t J_k + k J_{k-1}, with J_0 = F, J_1 = tF + phi."""
        f = cdf(t)
        j = [f, t * f + phi(t)]
        for k in range(1, 8):
            j.append(t * j[k] + k * j[k - 1])
        return f, j

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
        self.fourth = sum(w * a**4 for _, w, a in values)
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


def eigen(a):
    """Eigenvalues of a symmetric matrix, descending, and their vectors, by Jacobi rotations."""
    n = len(a)
    a = [row[:] for row in a]
    vectors = [[ONE if i == j else ZERO for j in range(n)] for i in range(n)]
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
                for v in vectors:
                    v[p], v[q] = c * v[p] - s * v[q], s * v[p] + c * v[q]
    order = sorted(range(n), key=lambda i: (-a[i][i], i))
    return [a[i][i] for i in order], [[vectors[k][i] for k in range(n)] for i in order]


class Layer:
    """A dense layer; `p` is the probability with which what enters it is dropped."""

    def __init__(self, mean, var, bias, bias_var, p=0.0):
        self.m = [[mpfr(x) for x in row] for row in mean]
        self.v = [[mpfr(x) for x in row] for row in var]
        self.b, self.bv = [mpfr(x) for x in bias], [mpfr(x) for x in bias_var]
        self.rows, self.cols = len(self.m), len(self.m[0])
        rows, cols = range(self.rows), range(self.cols)
        self.gram = [[sum(self.m[i][j] * self.m[i][k] for i in rows) for k in cols] for j in cols]
        self.d = [sum(self.v[i][j] for i in rows) for j in cols]
        self.p = mpfr(p)
        self.keep = 1 / (1 - self.p)
        self.drop = self.p * self.keep
        self.mask_slope = phi(quantile(self.p)) * self.keep if p else ZERO
        self.spectral = eigen(self.gram)[0][0]

    def carry(self):
        """Lemma 1, with the same masks on both sides."""
        more = [self.d[j] + self.drop * (self.gram[j][j] + self.d[j]) for j in range(self.cols)]
        shared = [[x + (more[j] if j == k else 0) for k, x in enumerate(row)] for j, row in enumerate(self.gram)]
        return sqrt(eigen(shared)[0][0])


class Law:
    """A Gaussian: diag is a list of variances where coordinates are independent, else None."""

    def __init__(self, mean, cov, diagonal):
        self.mean, self.cov, self.diagonal = mean, cov, diagonal


def step(kind, layer, law):
    """Lemma 2 and dropout: the next Gaussian, the squared distance to it, and the error's parts for Lemma 6."""
    n, rows = layer.cols, layer.rows
    v = [law.cov[j][j] for j in range(n)]
    mo = [Moments(kind, law.mean[j], v[j]) for j in range(n)]
    r = [sqrt(x.r2) for x in mo]
    q = [sqrt(x.q2) for x in mo]
    masks = [layer.mask_slope * x.mean for x in mo]
    dropped = sum(layer.gram[j][j] * (layer.drop * mo[j].square - masks[j] ** 2) for j in range(n))
    own_q2 = [layer.keep**2 * (x.q2 + layer.drop * x.fourth) for x in mo]
    nbar = [sum(layer.v[i][j] * layer.keep * mo[j].square for j in range(n)) + layer.bv[i] for i in range(rows)]
    if law.diagonal:
        linear = sum(layer.gram[j][j] * mo[j].r2 for j in range(n))
        var_n = [sum(layer.v[i][j] ** 2 * own_q2[j] for j in range(n)) for i in range(rows)]
        fourth = [3 * var_n[i] ** 2 + sum(layer.v[i][j] ** 4 * mo[j].y4 for j in range(n)) for i in range(rows)]
        omega = [max(layer.v[i][j] * v[j] for j in range(n)) for i in range(rows)]
        if layer.p:
            fourth, omega = [None] * rows, [None] * rows
    else:
        rho = [[law.cov[j][k] / sqrt(v[j] * v[k]) if v[j] > 0 and v[k] > 0 else ZERO for k in range(n)] for j in range(n)]
        pairs = sum(abs(layer.gram[j][k]) * rho[j][k] ** 2 * r[j] * r[k] for j in range(n) for k in range(n))
        linear = min(pairs, layer.spectral * sum(x.r2 for x in mo))
        cov_q = [[layer.keep**2 * abs(rho[j][k]) * q[j] * q[k] for k in range(n)] for j in range(n)]
        for j in range(n):
            cov_q[j][j] = own_q2[j]
        var_n = [sum(layer.v[i][j] * layer.v[i][k] * cov_q[j][k] for j in range(n) for k in range(n)) for i in range(rows)]
        fourth, omega = [None] * rows, [None] * rows
    costs = [noise_cost(nbar[i], var_n[i], fourth[i], omega[i]) for i in range(rows)]
    mean = [sum(layer.m[i][j] * mo[j].mean for j in range(n)) + layer.b[i] for i in range(rows)]
    through = [[layer.m[i][j] * mo[j].slope for j in range(n)] for i in range(rows)]
    half = [[sum(through[i][j] * law.cov[j][k] for j in range(n)) for k in range(n)] for i in range(rows)]
    cov = [[sum(half[i][k] * through[l][k] for k in range(n)) for l in range(rows)] for i in range(rows)]
    for i in range(rows):
        cov[i][i] += nbar[i]
        for l in range(rows):
            cov[i][l] += sum(layer.m[i][j] * masks[j] ** 2 * layer.m[l][j] for j in range(n))
    coupling = (mo, v, nbar, fourth, costs) if law.diagonal and not layer.p else None
    return Law(mean, cov, False), linear + sum(costs) + dropped, coupling
