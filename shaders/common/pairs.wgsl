// Pairs of Gaussians: number of the one in its list. With their eigenvalues, up to FLOOR of the largest counts as 0. Needs bindings
// `left_values` and `right_values`, [..,n].
struct Params { n: u32, stride: u32, left: u32, right: u32, count: u32, pad0: u32, pad1: u32, pad2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
const FLOOR: f32 = 2.3841858e-7;

fn left_of(pair: u32) -> u32 { return pair / p.right; }
fn right_of(pair: u32) -> u32 { return pair / (p.left * p.right) * p.right + pair % p.right; }

// The largest eigenvalues of a pair, 1 in place of 0.
fn scales_of(pair: u32) -> vec2<f32> {
    var largest = vec2<f32>();
    for (var k = 0u; k < p.n; k++) {
        largest = max(largest, vec2<f32>(left_values[left_of(pair) * p.n + k], right_values[right_of(pair) * p.n + k]));
    }
    return select(largest, vec2<f32>(1.0), largest == vec2<f32>());
}

fn kept(value: f32, largest: f32) -> f32 { return select(0.0, value, value > FLOOR * largest); }
