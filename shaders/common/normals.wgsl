// Standard normal numbers from random words by Box and Muller, a pair from two words; reference::stochastic::normals on the host.
// WGSL promises little of log near 1 and of sin and cos, so these are polynomials (relative error 3e-8, rounding apart): the
// numbers agree with the host's to about 4 ε of the radius on every device.

// −ln u for u = (bits + ½) 2⁻²⁴ in (0, 1).
fn minus_log(bits: u32) -> f32 {
    let u = (f32(bits) + 0.5) * 5.9604645e-8;
    if (bits < 0x800000u) { return -log(u); }
    let v = (f32(0xffffffu - bits) + 0.5) * 5.9604645e-8;   // 1 − u
    var sum = 1.4410969;
    sum = sum * v - 1.69578981;
    sum = sum * v + 1.25765181;
    sum = sum * v - 0.203531355;
    sum = sum * v + 0.269610971;
    sum = sum * v + 0.242805302;
    sum = sum * v + 0.333700597;
    sum = sum * v + 0.499992847;
    return v * (sum * v + 1.0);
}

fn normal_pair(radius: u32, angle: u32) -> vec2<f32> {
    let r = sqrt(2.0 * minus_log(radius >> 8u));
    // Within an eighth of a turn of 0; the two lead bits turn by quarters.
    let x = ((f32((angle >> 6u) & 0xffffffu) + 0.5) * 5.9604645e-8 - 0.5) * 1.57079633;
    let y = x * x;
    let sine = x * (((-0.000195014829 * y + 0.00833201408) * y - 0.166666508) * y + 1.0);
    let cosine = (((2.43722461e-05 * y - 0.00138865248) * y + 0.041666612) * y - 0.5) * y + 1.0;
    switch (angle >> 30u) {
        case 0u: { return r * vec2<f32>(cosine, sine); }
        case 1u: { return r * vec2<f32>(-sine, cosine); }
        case 2u: { return r * vec2<f32>(-cosine, -sine); }
        default: { return r * vec2<f32>(sine, -cosine); }
    }
}

fn normals(words: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(normal_pair(words.x, words.y), normal_pair(words.z, words.w));
}
