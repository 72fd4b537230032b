"""Lemma 6 in 400-bit arithmetic, with what `src/docs/trusted_core.md` proves for the kink of ReLU."""

from formulas import HALF, ONE, SQRT2PI, ZERO, Moments, cdf, mpfr, phi, sqrt


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
    bent = min(pairs, layer.spectral * sum(x * x for x in kappa))
    scale = sum(layer.d[j] * (d[j][0] + d[j][3]) for j in range(n))
    return sqrt((sqrt(linear) + sqrt(bent)) ** 2 + scale)
