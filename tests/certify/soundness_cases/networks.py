"""Bounds of whole networks in 400-bit arithmetic: the tight method with splits and dropout, the paper's method.

Cells of a quantizer have masses that are multiples of 2^-53, and which ones is the prover's choice; so the masses of the certified mixture
are given here, and everything that follows from them is computed.
"""

import gmpy2

from formulas import HALF, ONE, ZERO, Law, eigen, mpfr, phi, quantile, sqrt, step
from lemma6 import carried


VANISHED = HALF**300
NOTHING = mpfr("1e-290")


def start(first, x):
    """The law of the first layer, exact."""
    mean = [sum(w * u for w, u in zip(row, x)) + b for row, b in zip(first.m, first.b)]
    var = [sum(v * u**2 for v, u in zip(row, x)) + b for row, b in zip(first.v, first.bv)]
    return mean, var


_AT = {}


def height(p):
    """phi at the quantile of p."""
    if p <= 0 or p >= 1:
        return ZERO
    p = min(p, 1 - p)
    if p not in _AT:
        _AT[p] = phi(quantile(p))
    return _AT[p]


def centroids(masses):
    """The centroids of cells of these masses, from left to right, for N(0, 1)."""
    total = sum(masses)
    done, out = ZERO, []
    for mass in masses:
        left, done = done, done + mass
        out.append((height(left / total) - height(done / total)) * total / mass)
    return out


class Node:
    """A component in the tree of splits; its weight is that of its parts."""

    def __init__(self):
        self.parts, self.own = [], None

    def weight(self):
        return self.own if self.own is not None else sum(part.weight() for part in self.parts)


def grow(splits):
    """Plays splits, layer by layer: for each the node that is cut; and the list of components at the end."""
    components, cut = [Node()], []
    for layer in splits:
        cut.append([])
        for component, coordinate, points in layer:
            node = components[component]
            node.parts = [Node() for _ in range(points)]
            components[component] = node.parts[0]
            components += node.parts[1:]
            cut[-1].append((node, component, coordinate))
    return components, cut


class Component:
    def __init__(self, node, law):
        self.node, self.law, self.own, self.coupling = node, law, ZERO, None


def split(of, coordinate):
    """Lemma 4: the parts of a component and the squared distance."""
    law, n = of.law, len(of.law.mean)
    spread = sqrt(law.cov[coordinate][coordinate])
    if spread == 0:
        raise ArithmeticError("nothing varies along a cut")
    g = [law.cov[i][coordinate] / spread for i in range(n)]
    rest = [[law.cov[i][k] - g[i] * g[k] for k in range(n)] for i in range(n)]
    for i in range(n):
        # What is left of a variance is 0, or so little of it that 400 bits do not tell.
        if i == coordinate or rest[i][i] <= law.cov[i][i] * VANISHED:
            for k in range(n):
                rest[i][k] = rest[k][i] = ZERO
    masses = [part.weight() for part in of.node.parts]
    places, whole = centroids(masses), sum(masses)
    parts = [
        Component(node, Law([m + c * u for m, u in zip(law.mean, g)], rest, law.diagonal))
        for node, c in zip(of.node.parts, places)
    ]
    kept = sum(mass * c * c for mass, c in zip(masses, places)) / whole
    return parts, sum(u * u for u in g) * (1 - kept)


def tight(kind, layers, x, splits, weights):
    """The bound, and the components of the output's mixture."""
    leaves, cut = grow(splits)
    if len(leaves) != len(weights):
        raise ArithmeticError(f"{len(weights)} weights for {len(leaves)} components")
    for leaf, weight in zip(leaves, weights):
        leaf.own = mpfr(weight)
    first, *rest = layers
    mean, var = start(first, x)
    cov = [[v if i == j else ZERO for j in range(first.rows)] for i, v in enumerate(var)]
    # Nodes are met from the root: the first cut node, or the only leaf.
    root = next((cuts[0][0] for cuts in cut if cuts), leaves[0])
    components, old, pending, before = [Component(root, Law(mean, cov, True))], ZERO, False, None
    for layer, cuts in zip(rest, cut):
        factor = layer.carry()
        old *= factor
        if pending:
            old += last(kind, components, before, layer, factor)
        cost = ZERO
        for node, at, coordinate in cuts:
            of = components[at]
            weight = node.weight()
            parts, own = split(of, coordinate)
            components[at] = parts[0]
            components += parts[1:]
            cost += weight * own
        old += factor * sqrt(cost)
        for of in components:
            of.law, of.own, of.coupling = step(kind, layer, of.law)
        pending, before = True, layer
    return old + sqrt(own_of(components)), components


def own_of(components):
    return sum(of.node.weight() * of.own for of in components)


def last(kind, components, before, layer, factor):
    """The last step's own distance, carried by the lesser of Lemmas 1 and 6."""
    plain = factor * sqrt(own_of(components))
    if layer.p or any(of.coupling is None for of in components):
        return plain
    each = [of.node.weight() * carried(kind, before, of.coupling, layer, of.law) ** 2 for of in components]
    return min(plain, sqrt(sum(each)))


def root_trace(own, cov):
    """tr (A^1/2 B A^1/2)^1/2 for A = diag(own)."""
    n = len(own)
    inner = [[sqrt(own[i]) * cov[i][j] * sqrt(own[j]) for j in range(n)] for i in range(n)]
    return sum(sqrt(max(x, ZERO)) for x in eigen(inner)[0])


def merge(members):
    """A cluster's weight, mean and covariance, and the sum of weight times squared distance of its members to it (Algorithm 3)."""
    weight = sum(w for w, _, _ in members)
    n = len(members[0][1])
    if len(members) == 1:
        _, mean, var = members[0]
        return weight, mean, [[var[i] if i == j else ZERO for j in range(n)] for i in range(n)], ZERO
    mean = [sum(w * m[i] for w, m, _ in members) / weight for i in range(n)]
    cov = [[sum(w * (m[i] - mean[i]) * (m[j] - mean[j]) for w, m, _ in members) / weight for j in range(n)] for i in range(n)]
    for i in range(n):
        cov[i][i] += sum(w * v[i] for w, _, v in members) / weight
    cost = ZERO
    for w, m, v in members:
        shift = sum((a - b) ** 2 for a, b in zip(m, mean))
        cost += w * max(shift + sum(v) + sum(cov[i][i] for i in range(n)) - 2 * root_trace(v, cov), ZERO)
    return weight, mean, cov, cost


def through(kind, layer, place):
    """A point through activation and layer: N(Ma + b, diag(V a^2 + B))."""
    a = [max(z, ZERO) if kind == 1 else gmpy2.tanh(z) if kind == 2 else z for z in place]
    return start(layer, a)


def signature(kind, layer, cluster, shape, arriving):
    """Algorithm 2 for a cluster: weight, mean and variance of every point after the layer, and weight times the squared distance.

    `arriving` are the points after the layer as the prover lists them, (weight, mean): their masses are those of the cells, and an
    eigenvector's sign is the one that leads to them.
    """
    weight, mean, cov, _ = cluster
    n = len(mean)
    used = range(len(shape))
    plain = all(cov[i][j] == 0 for i in range(n) for j in range(i))
    if plain:
        order = sorted(range(n), key=lambda i: (-cov[i][i], i))
        values = [cov[i][i] for i in order]
        vectors = [[ONE if i == j else ZERO for i in range(n)] for j in order]
    else:
        values, vectors = eigen(cov)
    best = None
    for signs in range(1 << len(used)):
        atoms = [(list(range(len(arriving))), mean)]
        kept = ZERO
        for bit, j in enumerate(used):
            sign = -ONE if signs >> bit & 1 else ONE
            g = [sign * sqrt(values[j]) * u for u in vectors[j]]
            grown = []
            for inside, place in atoms:
                size = len(inside) // shape[j]
                cells = [inside[k * size : (k + 1) * size] for k in range(shape[j])]
                masses = [sum(mpfr(arriving[i][0]) for i in cell) for cell in cells]
                for cell, mass, c in zip(cells, masses, centroids(masses)):
                    kept += values[j] * mass * c * c
                    grown.append((cell, [m + c * u for m, u in zip(place, g)]))
            atoms = grown
        made = [(mpfr(arriving[inside[0]][0]), *through(kind, layer, place)) for inside, place in atoms]
        off = sum(abs(a - mpfr(b)) for (_, m, _), (_, known) in zip(made, arriving) for a, b in zip(m, known))
        if best is None or off < best[0]:
            best = (off, made, weight * sum(cov[i][i] for i in range(n)) - kept)
    size = sum(abs(a) for _, m, _ in best[1] for a in m) + 1
    if best[0] > size * HALF**20:
        raise ArithmeticError(f"the prover's points are elsewhere: {float(best[0])}")
    return best[1], best[2]


def paper(kind, layers, x, witness):
    """Theorem 17. `witness` has for every hidden layer labels, shapes and the points after it as (weight, mean)."""
    first, *rest = layers
    components, error = [(ONE, *start(first, x))], ZERO
    for layer, (labels, shapes, arriving) in zip(rest, witness):
        factor = sqrt(layer.spectral) + sqrt(sum(layer.d))
        clusters = [merge([c for c, own in zip(components, labels) if own == label]) for label in range(max(labels) + 1)]
        points, total, at = [], ZERO, 0
        for cluster, shape in zip(clusters, shapes):
            # The prover does not cut what only underflow makes vary.
            shape = [] if sum(cluster[2][i][i] for i in range(layer.cols)) < NOTHING else shape
            count = 1
            for n in shape:
                count *= n
            made, cost = signature(kind, layer, cluster, shape, arriving[at : at + count])
            points, total, at = points + made, total + cost, at + count
        error = factor * (error + sqrt(sum(cluster[3] for cluster in clusters)) + sqrt(max(total, ZERO)))
        components = points
    return error
