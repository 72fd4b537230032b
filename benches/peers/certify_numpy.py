"""One input's certification in NumPy and PyTorch, written by hand as one would who knows the formulas: the paper's Algorithm 1, the
linear-Gaussian mixture with its bound (Lemmas 1 and 2), signatures, and Monte Carlo.

    BURES_FIXTURES=… python certify_numpy.py --check        # against the golden values
    BURES_FIXTURES=… python certify_numpy.py --threads 2    # ms, as JSON

What depends on the network alone (products of its matrices, quantizers, shapes of grids) is made ready beforehand, as in bures.
Nothing here rounds outward: a bound in plain floating point is no proof.
"""

import argparse
import itertools
import json
import os
import statistics
import time
from pathlib import Path

PARSER = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
PARSER.add_argument("--check", action="store_true", help="compare with the golden values instead of timing")
PARSER.add_argument("--threads", type=int, default=2)
PARSER.add_argument("--seconds", type=float, default=2.0, help="for each of the timings")
ARGS = PARSER.parse_args()
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(ARGS.threads)))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402
from scipy.special import ndtr  # noqa: E402

torch.set_num_threads(ARGS.threads)
POINTS, COMPONENTS = 10, 3
INV_SQRT_TAU = 1 / np.sqrt(2 * np.pi)


def density(x):
    return INV_SQRT_TAU * np.exp(-0.5 * x * x)


def quantizer(n):
    """Optimal locations, masses and squared error for N(0, 1), by Lloyd's method with an extrapolation."""
    c = np.sqrt(3) * np.array([statistics.NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)])
    for _ in range(20_000):
        ends = np.concatenate([[-np.inf], (c[1:] + c[:-1]) / 2, [np.inf]])
        masses = np.diff(ndtr(ends))
        moved = -np.diff(density(ends)) / masses
        if np.abs(moved - c).max() < 1e-14:
            break
        c = c + 1.5 * (moved - c)
    return c, masses, 1 - masses @ (c * c)


QUANTIZERS = {n: quantizer(n) for n in range(1, POINTS + 1)}
# Maximal non-increasing shapes of at most POINTS points, and their squared errors by axis.
AXES = int(np.log2(POINTS))
SHAPES = [s for s in itertools.product(range(1, POINTS + 1), repeat=AXES) if np.prod(s) <= POINTS and list(s) == sorted(s)[::-1]]
ERRORS = np.array([[QUANTIZERS[n][2] for n in shape] for shape in SHAPES])


def grid(values, axes, mean):
    """Locations, masses and squared error for the `AXES` largest eigenvalues `values` with scaled vectors `axes`; others get a point."""
    shape = SHAPES[np.argmin(ERRORS @ values)]
    places, masses, error = mean[None], np.ones(1), 0.0
    for n, value, axis in zip(shape, values, axes):
        c, p, d = QUANTIZERS[n]
        error += value * d
        if n > 1:
            places = (places[:, None] + c[None, :, None] * axis).reshape(-1, len(mean))
            masses = (masses[:, None] * p).ravel()
    return places, masses, error


def signature_diagonal(mean, variances):
    top = np.argpartition(variances, -AXES)[-AXES:]
    top = top[np.argsort(-variances[top])]
    axes = np.zeros((AXES, len(mean)))
    axes[np.arange(AXES), top] = np.sqrt(variances[top])
    places, masses, error = grid(variances[top], axes, mean)
    return places, masses, error + variances.sum() - variances[top].sum()


def signature_dense(mean, covariance):
    values, vectors = np.linalg.eigh(covariance)
    top, axes = values[: -AXES - 1 : -1], vectors[:, : -AXES - 1 : -1].T
    places, masses, error = grid(top, axes * np.sqrt(top)[:, None], mean)
    return places, masses, error + np.trace(covariance) - top.sum()


class Network:
    def __init__(self, path):
        tensors = {k: v.astype(np.float64) for k, v in load_file(path).items()}
        depth = sum(k.endswith("weight_mean") for k in tensors)
        pick = lambda name: [tensors[f"layers.{k}.{name}"] for k in range(depth)]  # noqa: E731
        self.m, self.b = pick("weight_mean"), pick("bias_mean")
        self.v, self.bv = [s * s for s in pick("weight_std")], [s * s for s in pick("bias_std")]
        self.gram = [np.abs(m.T @ m) for m in self.m]
        self.squares = [(m * m).sum(0) for m in self.m]
        self.paper = [np.linalg.norm(m, 2) + np.sqrt(v.sum()) for m, v in zip(self.m, self.v)]
        self.spectral = [np.linalg.norm(m, 2) ** 2 for m in self.m]
        self.carry = [np.sqrt(np.linalg.eigvalsh(m.T @ m + np.diag(v.sum(0)))[-1]) for m, v in zip(self.m, self.v)]
        self.torch = [[torch.tensor(x, dtype=torch.float32).T.contiguous() for x in layers] for layers in (self.m, self.v)]
        self.torch += [[torch.tensor(x, dtype=torch.float32) for x in layers] for layers in (self.b, self.bv)]

    def first(self, x):
        return self.m[0] @ x + self.b[0], self.v[0] @ (x * x) + self.bv[0]


def clusters(points, weights):
    """Weighted M-means from the farthest points on."""
    centers = points[[int(np.argmax(weights))]]
    while len(centers) < min(COMPONENTS, len(points)):
        apart = ((points[:, None] - centers) ** 2).sum(2).min(1)
        if apart.max() <= 0:
            break
        centers = np.concatenate([centers, points[[int(np.argmax(weights * apart))]]])
    labels = None
    for _ in range(100):
        new = ((points[:, None] - centers) ** 2).sum(2).argmin(1)
        if labels is not None and (new == labels).all():
            break
        labels = new
        for k in np.unique(labels):
            centers[k] = np.average(points[labels == k], axis=0, weights=weights[labels == k])
    return np.unique(labels, return_inverse=True)[1]


def algorithm_1(net, x):
    """The paper's mixture and bound, compression to 3 components, 10 points: weights, means, variances, bound."""
    mean, variances = net.first(x)
    weights, means, variances = np.ones(1), mean[None], variances[None]
    bound = 0.0
    for m, v, b, bv, factor in zip(net.m[1:], net.v[1:], net.b[1:], net.bv[1:], net.paper[1:]):
        compression, signature, places, masses = 0.0, 0.0, [], []
        labels = clusters(means, weights) if len(weights) > COMPONENTS else np.arange(len(weights))
        for k in range(labels.max() + 1):
            own = labels == k
            share = weights[own] / weights[own].sum()
            if own.sum() == 1:
                place, mass, error = signature_diagonal(means[own][0], variances[own][0])
            else:
                center = share @ means[own]
                off = means[own] - center
                covariance = (off * share[:, None]).T @ off + np.diag(share @ variances[own])
                roots = np.sqrt(variances[own])
                inner = np.linalg.eigvalsh(roots[:, :, None] * covariance * roots[:, None, :])
                cross = np.sqrt(np.clip(inner, 0, None)).sum(1)
                squared = (off**2).sum(1) + variances[own].sum(1) + np.trace(covariance) - 2 * cross
                compression += weights[own] @ np.clip(squared, 0, None)
                place, mass, error = signature_dense(center, covariance)
            signature += weights[own].sum() * error
            places.append(place)
            masses.append(weights[own].sum() * mass)
        a, weights = np.maximum(np.concatenate(places), 0), np.concatenate(masses)
        means, variances = a @ m.T + b, (a * a) @ v.T + bv
        bound = factor * (bound + np.sqrt(compression) + np.sqrt(signature))
    return weights, means, variances, bound


def linear_gaussian(net, x):
    """One Gaussian and its bound by Lemmas 1 and 2."""
    mean, variances = net.first(x)
    covariance, diagonal, bound = np.diag(variances), True, 0.0
    for k in range(1, len(net.m)):
        m, v, b, bv = net.m[k], net.v[k], net.b[k], net.bv[k]
        v_z = np.diagonal(covariance)
        s = np.sqrt(v_z)
        t = mean / s
        f, p = ndtr(t), density(t)
        a = mean * f + s * p
        a2 = (mean * mean + v_z) * f + mean * s * p
        a4 = (mean**4 + 6 * mean**2 * v_z + 3 * v_z**2) * f + (mean**3 + 5 * mean * v_z) * s * p
        r2 = np.clip(a2 - a * a - f * f * v_z, 0, None)
        q2 = a4 - a2 * a2
        n = v @ a2 + bv
        if diagonal:
            linear, var_n = net.squares[k] @ r2, (v * v) @ q2
        else:
            rho = covariance / np.outer(s, s)
            r, q = np.sqrt(r2), np.sqrt(q2)
            linear = min(r @ (net.gram[k] * rho**2) @ r, net.spectral[k] * r2.sum())
            var_n = np.einsum("ij,ij->i", v @ (np.abs(rho) * np.outer(q, q)), v)
        noise = np.minimum(var_n / n, 2 * n)
        if diagonal:
            omega = np.minimum(n, (v * v_z).max(1))
            noise = np.minimum(noise, 2 * n - 2 * np.sqrt(n * (n - omega)))
        mf = m * f
        covariance = mf @ covariance @ mf.T
        covariance[np.diag_indices_from(covariance)] += n
        mean, diagonal = m @ a + b, False
        bound = net.carry[k] * bound + np.sqrt(linear + noise.sum())
    return mean, covariance, bound


@torch.no_grad()
def monte_carlo(net, x, samples):
    """Outputs drawn layer by layer, given the layer before (local reparametrisation), in single precision."""
    mean, variances = net.first(x)
    z = torch.randn(samples, len(mean)).mul_(torch.tensor(np.sqrt(variances), dtype=torch.float32)).add_(torch.tensor(mean, dtype=torch.float32))
    for m, v, b, bv in list(zip(*net.torch))[1:]:
        a = z.clamp_(min=0)
        spread = torch.addmm(bv, a * a, v).sqrt_()
        z = torch.addmm(b, a, m).addcmul_(spread, torch.randn_like(spread))
    return z.mean(0), z.T.cov()


def check(net, golden):
    for point, x in enumerate(golden["X"]):
        weights, means, variances, bound = algorithm_1(net, x)
        want = golden[f"pt{point}.grid.bound_m2_rel"][0]
        assert bound <= 1.02 * want, (bound, want)
        mean, covariance, tight = linear_gaussian(net, x)
        off = max(np.abs(mean - golden[f"pt{point}.LG.mean"]).max(), np.abs(covariance - golden[f"pt{point}.LG.cov"]).max())
        known = golden[f"pt{point}.LG.bound"][0]
        # The golden bound adds what its own arithmetic may be off by.
        assert off < 1e-9 and 0.99 < tight / known < 1.01, (off, tight, known)
        sampled, spread = monte_carlo(net, x, 100_000)
        assert np.abs(sampled.numpy() - mean).max() < 6 * np.sqrt(np.diagonal(covariance).max() / 1e5) + tight
        print(f"{point}: Algorithm 1 {bound:.4f}, golden {want:.4f}; Lemmas 1 and 2 {tight:.5f}")


def timed(step):
    """Median and quartiles, in ms."""
    for _ in range(3):
        step()
    samples, end = [], time.perf_counter() + ARGS.seconds
    while time.perf_counter() < end or len(samples) < 5:
        start = time.perf_counter()
        step()
        samples.append(1e3 * (time.perf_counter() - start))
    low, median, high = statistics.quantiles(samples, n=4)
    return {"ms": median, "quartiles": [low, high]}


def main():
    folder = os.environ.get("BURES_FIXTURES")
    if folder is None:
        raise SystemExit("BURES_FIXTURES is not set: the network and the test images are there")
    net = Network(Path(folder) / "snn/nets/mnist_2x128_relu_vi.safetensors")
    golden = load_file(Path(folder) / "snn/mnist_2x128.safetensors")
    if ARGS.check:
        check(net, golden)
        return
    images = itertools.cycle(golden["X"])
    rng = np.random.default_rng(3)
    mean, variances, factor = rng.normal(size=128), rng.uniform(0.01, 1, 128), rng.normal(size=(128, 128))
    covariance = factor @ factor.T / 128 + np.diag(variances)
    steps = {
        "tight": lambda: linear_gaussian(net, next(images)),
        "paper": lambda: algorithm_1(net, next(images)),
        "diagonal 128": lambda: signature_diagonal(mean, variances),
        "dense 128": lambda: signature_dense(mean, covariance),
        "Monte Carlo 1,000": lambda: monte_carlo(net, next(images), 1_000),
        "Monte Carlo 10,000": lambda: monte_carlo(net, next(images), 10_000),
    }
    print(json.dumps({"threads": ARGS.threads, **{name: timed(step) for name, step in steps.items()}}))


if __name__ == "__main__":
    main()
