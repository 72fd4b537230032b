// Moments of relu(Y), Y ~ N(m, s²): A = E relu(Y), F = P(Y > 0), q = φ(t)/s, w = t/s with t = m/s.
// With x = |t|, Φ(−x) = φ(x) M(x) and A(−x) = s φ(x) N(x), where M is Mills' ratio and N = 1 − x M. Both are fitted as
// polynomials in 1/(1 + 0.35 x) for all x ≥ 0 (relative error 2e-7 and 3e-7), so that no difference of near-equal
// numbers is taken and A and F keep their relative accuracy in both tails. s² ≤ 1e-34 counts as a point mass.

// e^(−x²/2) for x ≥ 0. The square is split so that its rounding does not grow into the exponent.
fn gaussian(x: f32) -> f32 {
    let near = floor(min(x, 20.0) * 16.0) * 0.0625;
    let rest = min(x, 20.0) - near;
    return exp(-0.5 * near * near) * exp(-rest * (near + 0.5 * rest));
}

// (M(x), N(x)).
fn mills(x: f32) -> vec2<f32> {
    let u = 1.0 / (1.0 + 0.35 * x);
    var m = vec2<f32>(0.048698118, 0.193051003);
    m = m * u + vec2<f32>(-0.273175755, -0.979724178);
    m = m * u + vec2<f32>(0.593840558, 1.91230915);
    m = m * u + vec2<f32>(-0.569025461, -1.6329579);
    m = m * u + vec2<f32>(0.176120309, 0.453423504);
    m = m * u + vec2<f32>(-0.0718504683, -0.157922189);
    m = m * u + vec2<f32>(0.121484627, 0.213814258);
    m = m * u + vec2<f32>(0.220027713, 0.30795311);
    m = m * u + vec2<f32>(0.307195916, 0.322553939);
    m = m * u + vec2<f32>(0.34999856, 0.244999385);
    m = m * u + vec2<f32>(0.350000005, 0.122499995);
    return m * vec2<f32>(u, u * u);
}

// (A, F, q, w) of N(mean, variance). q = w = 0 for a point mass, and w = 0 where q vanishes.
fn relu_moments(mean: f32, variance: f32) -> vec4<f32> {
    if (variance <= 1e-34) {
        return vec4<f32>(max(mean, 0.0), select(0.0, 1.0, mean > 0.0), 0.0, 0.0);
    }
    let s = sqrt(variance);
    let t = clamp(mean / s, -1e18, 1e18);
    let x = abs(t);
    let density = 0.39894228 * gaussian(x);
    let tail = density * mills(x);
    let a = s * tail.y + max(mean, 0.0);
    let f = select(tail.x, 1.0 - tail.x, t > 0.0);
    let q = density / s;
    return vec4<f32>(a, f, q, select(t / s, 0.0, q == 0.0));
}
