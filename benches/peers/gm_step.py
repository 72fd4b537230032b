"""One training step of the Gaussian-mixture layer in PyTorch, written three ways.

paper     as in the paper: forms E[relu(Y) beta] for every example and component (batch x K x d), autograd
products  three matrix products that share their input, autograd
inplace   the three products with hand-written gradients, buffers allocated once, updates in place

Every step gathers its minibatch from bytes and normalises it, as training does. Optimiser: plain SGD.
`python gm_step.py --check` shows that the three agree in float64; without it, times are printed as JSON.
"""

import argparse
import json
import os
import statistics
import time

import torch
from torch.nn import functional

LR, LR_SIGMA = 0.1, 1.0
MEAN, STD = 0.1307, 0.3081  # of MNIST's pixels
SQRT_HALF, INV_SQRT_TAU = 0.7071067811865476, 0.3989422804014327
NAMES = ("mu", "sigma", "u", "v")


def initial(k, outputs, d, dtype, device, gamma=0.5, seed=0):
    """mu [K,d], sigma [K,d], u [K,L,d], v [K,L], as the paper draws them."""
    draw = torch.Generator().manual_seed(seed)
    normal = lambda *shape: gamma * torch.randn(*shape, generator=draw, dtype=torch.float64)
    tensors = normal(k, d), torch.full((k, d), gamma), normal(k, outputs, d), normal(k, outputs)
    return {n: t.to(device, dtype, copy=True).contiguous() for n, t in zip(NAMES, tensors)}


class Autograd:
    """What the two autograd versions share: parameters, gather, loss, optimiser."""

    def __init__(self, params, data, labels, batch):
        self.p = {n: t.requires_grad_() for n, t in params.items()}
        self.data, self.labels = data, labels
        rest = [self.p[n] for n in NAMES if n != "sigma"]
        self.optimiser = torch.optim.SGD([{"params": rest}, {"params": [self.p["sigma"]], "lr": LR_SIGMA}], lr=LR)

    def step(self, index):
        x = self.data[index]
        if x.dtype == torch.uint8:
            x = (x.to(self.p["mu"].dtype) * (1 / 255) - MEAN) / STD
        h = self.forward(x)
        logits = torch.cat([h.new_zeros(len(h), 1), h], dim=1)  # class 0 is the reference
        loss = functional.cross_entropy(logits, self.labels[index])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def moments(self, x):
        """A = E relu(Y) and F = P(Y > 0) of Y ~ N(<x, mu>, <x^2, sigma^2>), both [batch, K]."""
        m = x @ self.p["mu"].T
        s = ((x * x) @ (self.p["sigma"] ** 2).T).sqrt()
        t = m / s
        f = torch.special.ndtr(t)
        return m * f + s * INV_SQRT_TAU * torch.exp(-0.5 * t * t), f


class Paper(Autograd):
    def forward(self, x):
        a, f = self.moments(x)
        spread = self.p["sigma"] ** 2 * x[:, None, :]
        expectation = a[..., None] * self.p["mu"] + f[..., None] * spread  # batch x K x d
        of_component = torch.einsum("bkd,kld->bkl", expectation, self.p["u"]) + a[..., None] * self.p["v"]
        return of_component.mean(dim=1)


class Products(Autograd):
    def forward(self, x):
        mu, u = self.p["mu"], self.p["u"]
        k, outputs, d = u.shape
        a, f = self.moments(x)
        r = (u @ mu[..., None]).squeeze(2) + self.p["v"]
        c = (x @ (u * (self.p["sigma"] ** 2)[:, None]).view(k * outputs, d).T).view(-1, k, outputs)
        return (a @ r + torch.einsum("bk,bkl->bl", f, c)) / k


class Inplace:
    """Gradients by hand. [mu; u sigma^2] is kept as one matrix so that one product serves both."""

    def __init__(self, params, data, labels, batch):
        self.p, self.data, self.labels, self.batch = params, data, labels, batch
        k, outputs, d = params["u"].shape
        new = lambda *shape: torch.empty(*shape, dtype=params["mu"].dtype, device=params["mu"].device)
        self.bytes = torch.empty(batch, d, dtype=data.dtype, device=data.device)
        self.y = torch.empty(batch, dtype=labels.dtype, device=labels.device)
        self.x, self.x2 = new(batch, d), new(batch, d)
        self.weights, self.s2_weights = new(k * (outputs + 1), d), new(k, d)
        self.weights[:k] = params["mu"]
        params["mu"] = self.weights[:k]  # updates of mu land in the joined matrix
        self.u_s2 = self.weights[k:].view(k, outputs, d)
        self.products, self.s = new(batch, k * (outputs + 1)), new(batch, k)
        self.t, self.f, self.phi, self.a = (new(batch, k) for _ in range(4))
        self.r = new(k, outputs, 1)
        self.h, self.logits = new(batch, outputs), torch.zeros_like(new(batch, outputs + 1))
        self.cotangents = new(batch, k * (outputs + 1))
        self.gs2, self.gf, self.small = new(batch, k), new(batch, k), new(batch, k)
        self.pulled, self.pulled2 = new(k * (outputs + 1), d), new(k, d)
        self.rho, self.dmu, self.big = new(k, outputs), new(k, 1, d), new(k, outputs, d)
        self.ones = torch.ones_like(new(batch, outputs + 1))
        self.refresh()

    def refresh(self):
        torch.mul(self.p["sigma"], self.p["sigma"], out=self.s2_weights)
        torch.mul(self.p["u"], self.s2_weights[:, None], out=self.u_s2)

    @torch.no_grad()
    def step(self, index):
        mu, sigma, u, v = (self.p[n] for n in NAMES)
        k, outputs, d = u.shape
        # Minibatch.
        torch.index_select(self.labels, 0, index, out=self.y)
        if self.data.dtype == torch.uint8:
            torch.index_select(self.data, 0, index, out=self.bytes)
            self.x.copy_(self.bytes).mul_(1 / (255 * STD)).sub_(MEAN / STD)
        else:
            torch.index_select(self.data, 0, index, out=self.x)
        torch.mul(self.x, self.x, out=self.x2)
        # Forward.
        torch.mm(self.x, self.weights.T, out=self.products)
        m, c = self.products[:, :k], self.products[:, k:].view(-1, k, outputs)
        torch.mm(self.x2, self.s2_weights.T, out=self.s).sqrt_()
        torch.div(m, self.s, out=self.t)
        torch.special.ndtr(self.t, out=self.f)
        torch.mul(self.t, self.t, out=self.phi).mul_(-0.5).exp_().mul_(INV_SQRT_TAU)
        torch.mul(m, self.f, out=self.a).addcmul_(self.s, self.phi)
        torch.bmm(u, mu[..., None], out=self.r)
        r = self.r.squeeze(2).add_(v)
        h = torch.bmm(self.f[:, None], c).squeeze(1).addmm_(self.a, r)
        torch.div(h, k, out=self.logits[:, 1:])
        # Loss, and its gradient divided by K.
        log_p = torch.log_softmax(self.logits, dim=1)
        loss = functional.nll_loss(log_p, self.y)
        residual = log_p.exp_().scatter_add_(1, self.y[:, None], self.ones.neg())
        g = residual[:, 1:].mul_(1 / (self.batch * k))
        # Backward of the epilogue.
        ga = g @ r.T
        torch.bmm(c, g[..., None], out=self.gf[..., None])
        self.gf.mul_(self.phi).div_(self.s)
        gm = self.cotangents[:, :k]
        torch.mul(ga, self.f, out=gm).add_(self.gf)
        torch.mul(ga, self.phi, out=self.gs2).addcmul_(self.gf, self.t, value=-1).div_(self.s).mul_(0.5)
        torch.mul(self.f[..., None], g[:, None], out=self.cotangents[:, k:].view(-1, k, outputs))
        torch.mm(self.a.T, g, out=self.rho)
        # Backward products.
        torch.mm(self.cotangents.T, self.x, out=self.pulled)
        torch.mm(self.gs2.T, self.x2, out=self.pulled2)
        pulled_u = self.pulled[k:].view(k, outputs, d)
        # Parameter gradients from the old parameters, then the updates.
        torch.bmm(self.rho[:, None], u, out=self.dmu)
        self.dmu.squeeze(1).add_(self.pulled[:k])
        torch.mul(u, pulled_u, out=self.big)
        self.pulled2.add_(self.big.sum(dim=1))
        u.addcmul_(pulled_u, self.s2_weights[:, None], value=-LR).baddbmm_(self.rho[..., None], mu[:, None], alpha=-LR)
        v.sub_(self.rho, alpha=LR)
        mu.sub_(self.dmu.squeeze(1), alpha=LR)
        sigma.addcmul_(sigma, self.pulled2, value=-2 * LR_SIGMA)
        self.refresh()
        return loss


VARIANTS = {"paper": Paper, "products": Products, "inplace": Inplace}


def check():
    """All versions agree in float64, and with the golden values where BURES_FIXTURES names their folder."""
    draw = torch.Generator().manual_seed(1)
    data = torch.randn(40, 30, generator=draw, dtype=torch.float64)
    labels = torch.randint(0, 6, (40,), generator=draw)
    indices = [torch.randperm(40, generator=draw)[:8] for _ in range(5)]
    ends = {}
    for name, variant in VARIANTS.items():
        params = initial(4, 5, 30, torch.float64, "cpu")
        trained = variant(params, data, labels, 8)
        losses = [trained.step(index) for index in indices]
        ends[name] = [torch.stack(losses)] + [params[n].detach() for n in NAMES]
    for name, end in ends.items():
        off = max((a - b).abs().max().item() / b.abs().max().item() for a, b in zip(end, ends["paper"]))
        print(f"{name}: off by {off:.1e} after {len(indices)} steps")
        assert off < 1e-12, name
    folder = os.environ.get("BURES_FIXTURES")
    if folder is None:
        print("SKIPPED golden values: BURES_FIXTURES is not set")
        return
    from safetensors.torch import load_file

    gold = load_file(os.path.join(folder, "gm", "gm_small.safetensors"))
    for name, variant in VARIANTS.items():
        start = {n: gold[g].clone() for n, g in zip(NAMES, ("mu", "sigma", "U", "v"))}
        params = {n: t.clone() for n, t in start.items()}
        loss = variant(params, gold["X"], gold["y"], len(gold["y"])).step(torch.arange(len(gold["y"])))
        off = [(loss - gold["loss"]).abs().item() / gold["loss"].abs().item()]
        for n, g in zip(NAMES, ("dmu", "dsigma", "dU", "dv")):
            moved = (start[n] - params[n].detach()) / (LR_SIGMA if n == "sigma" else LR)
            off.append(((moved - gold[g]).abs().max() / gold[g].abs().max()).item())
        print(f"{name}: off by {max(off):.1e} from gm_small")
        assert max(off) < 1e-11, name


def measure(name, args):
    """Median and quartiles of ms per step; a sample is ten steps, so that a clock read costs nothing."""
    device = torch.device(args.device)
    draw = torch.Generator().manual_seed(0)
    data = torch.randint(0, 256, (60_000, 784), dtype=torch.uint8, generator=draw).to(device)
    labels = torch.randint(0, 10, (60_000,), generator=draw).to(device)
    order = torch.randperm(60_000, generator=draw).to(device)
    batches = order[: 60_000 // args.batch * args.batch].view(-1, args.batch)
    params = initial(args.components, 9, 784, torch.float32, device)
    trained = VARIANTS[name](params, data, labels, args.batch)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    chunk, samples, done = 10, [], 0
    steps = args.steps if name == "inplace" else max(chunk, args.steps // (10 if name == "paper" else 3))
    warm = max(1, steps // (10 * chunk))
    while len(samples) < warm + max(2, steps // chunk):
        wait()
        start = time.perf_counter()
        for _ in range(chunk):
            trained.step(batches[done % len(batches)])
            done += 1
        wait()
        samples.append(1e3 * (time.perf_counter() - start) / chunk)
    low, median, high = statistics.quantiles(samples[warm:], n=4)
    return {"variant": name, "ms_per_step": median, "quartiles": [low, high]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the versions instead of timing them")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--components", type=int, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    if args.check:
        check()
        return
    results = [measure(name, args) for name in args.variants]
    print(json.dumps({"torch": torch.__version__, "device": args.device, "threads": args.threads, "results": results}))


if __name__ == "__main__":
    main()
