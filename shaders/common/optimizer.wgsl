// One optimiser step of four parameters, by MODE: 1 SGD, 2 SGD with momentum, 3 Adam. Needs bindings `first` (momentum, or
// Adam's mean of gradients) and `second` (Adam's mean of squares), both of the parameters' layout.
// Uniforms: `rates` and `l2` per group (Adam's rates with the bias correction 1/(1 − β₁ᵗ)), and `settings`: β₁ or momentum,
// β₂, ε, 1/√(1 − β₂ᵗ).
fn stepped(at: u32, theta: vec4<f32>, gradient: vec4<f32>, kind: u32) -> vec4<f32> {
    let g = gradient + p.l2[kind] * theta;
    let rate = p.rates[kind];
    if (MODE == 1u) { return moved(theta, rate, rate * g); }
    if (MODE == 2u) {
        let b = p.settings.x * first[at] + g;
        first[at] = b;
        return moved(theta, rate, rate * b);
    }
    let m = p.settings.x * first[at] + (1.0 - p.settings.x) * g;
    let v = p.settings.y * second[at] + (1.0 - p.settings.y) * (g * g);
    first[at] = m;
    second[at] = v;
    return moved(theta, rate, rate * m / (sqrt(v) * p.settings.w + p.settings.z));
}

// A frozen parameter keeps its bits, the sign of a zero too.
fn moved(theta: vec4<f32>, rate: f32, by: vec4<f32>) -> vec4<f32> {
    return select(theta - by, theta, rate == 0.0);
}
