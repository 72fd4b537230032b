// Moments of tanh(z), z ~ N(m, s²), to the eighth order, by the trapezoidal rule on z = m + s x. Needs common/normal.wgsl and
// common/identity_orders.wgsl. tanh is analytic and at most 1 for |Im z| ≤ π/4: a step h errs by less than
// 2 exp(b²/2 − 2πb/h) for every b ≤ π/(4s), below 1e-10 for s h ≤ 0.2, and for s ≤ 32 steps are that fine; beyond, the step stays
// 1/160 and the error grows to 3e-3.
// Nodes end at |x| = 7 and what more the fourth powers of a saturated tanh ask for, which grow like exp(8 s |x|) as far as the middle.
// All is built from what bends, tanh(m + d) − tanh m − d tanh' m, to its own relative accuracy, so that r² ~ s⁴ of narrow
// Gaussians is as accurate as the rest.

// 1 − |tanh z|.
fn tanh_short(z: f32) -> f32 { return 2.0 / (exp(2.0 * min(abs(z), 44.0)) + 1.0); }

// tanh' z = 1/cosh² z.
fn tanh_slope(z: f32) -> f32 {
    let short = tanh_short(z);
    return short * (2.0 - short);
}

fn tanh_of(z: f32) -> f32 {
    let y = z * z;
    if (y < 0.36) { return z + z * y * tanh_series(y); }
    return sign(z) * (1.0 - tanh_short(z));
}

// (tanh d − d)/d³ of y = d² ≤ 0.36.
fn tanh_series(y: f32) -> f32 {
    return ((((0.0023710425 * y - 0.00841033924) * y + 0.0217884164) * y - 0.0539615676) * y + 0.133333132) * y - 0.333333343;
}

// (rise, bend): tanh(m + d) − tanh m, and that less d tanh' m.
fn tanh_rise(m: f32, at_mean: f32, slope: f32, d: f32) -> vec2<f32> {
    if (abs(d) < 0.5) {
        let less = d * d * d * tanh_series(d * d);
        let turn = d + less;
        let bend = slope * (less - at_mean * turn * d) / (1.0 + at_mean * turn);
        return vec2<f32>(slope * d + bend, bend);
    }
    let z = m + d;
    var rise = tanh_of(z) - at_mean;
    // Both saturated on one side: the distances from ±1 differ where the values do not.
    if (abs(m) > 0.5 && sign(z) == sign(m)) { rise = sign(m) * (tanh_short(m) - tanh_short(z)); }
    return vec2<f32>(rise, rise - slope * d);
}

fn tanh_orders(m: f32, v: f32) -> Orders {
    let s = sqrt(v);
    let h = 0.2 / max(0.8, min(s, 32.0));
    let last = i32(ceil(min(7.0 + min(8.0 * s, abs(m) / max(s, 1e-15)), 16.0) / h));
    let at_mean = tanh_of(m);
    let slope = tanh_slope(m);
    // δ is what is left of either, once its mean and its share of x are taken away; the bend is small where Gaussians are narrow.
    let wide = v > 1.0;
    var low = vec4<f32>();    // mean and tilt of rise or bend, slope, growth of a²
    var even = vec2<f32>();   // a², a⁴
    for (var k = -last; k <= last; k++) {
        let x = f32(k) * h;
        let w = 0.39894228 * h * gaussian(abs(x));
        let rise = tanh_rise(m, at_mean, slope, s * x);
        let curved = select(rise.y, rise.x, wide);
        let a2 = (at_mean + rise.x) * (at_mean + rise.x);
        low += w * vec4<f32>(curved, curved * x, tanh_slope(m + s * x), rise.x * (2.0 * at_mean + rise.x));
        even += w * vec2<f32>(a2, a2 * a2);
    }
    var spread = vec4<f32>(); // δ², (a² − E a²)², δ⁴, (a² − E a²)⁴
    for (var k = -last; k <= last; k++) {
        let x = f32(k) * h;
        let w = 0.39894228 * h * gaussian(abs(x));
        let rise = tanh_rise(m, at_mean, slope, s * x);
        let off = vec2<f32>(select(rise.y, rise.x, wide) - low.x - low.y * x, rise.x * (2.0 * at_mean + rise.x) - low.w);
        spread += w * vec4<f32>(off * off, off * off * (off * off));
    }
    return Orders(vec4<f32>(at_mean + low.x, low.z, even.x, spread.x), vec4<f32>(spread.y, spread.z, even.y, spread.w));
}
