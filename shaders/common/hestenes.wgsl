// One-sided Jacobi (Hestenes, 1958): the n rows of a matrix, n ≤ 128, are rotated in pairs until all are orthogonal. A sweep over all pairs
// goes in the order of a round-robin tournament: pairs of a round share no row. A workgroup a matrix; a dispatch does some rounds of one
// sweep. (The software adapter ends loops after 65,535 turns of an invocation, all of its loops together.)
// Needs bindings `rows` and `worst` and a function `rotate_too(first, second, c, s)`, which gives another matrix the same rotations.
// Entry e of row r lies at e·n + r, so that lanes that work on neighbouring rows read neighbours. worst [G,2] is the largest cosine
// between rows that the last whole sweep met, and that of the sweep under way; 0 is none to speak of, and ends the work.
struct Params { n: u32, count: u32, first_round: u32, end_round: u32 }
@group(0) @binding(0) var<uniform> p: Params;
const ORTHOGONAL: f32 = 1e-6;   // f32 rounds cosines by about 1e-7
const NEGLIGIBLE: f32 = 1e-14;  // squared length of rows that count as 0, where entries are near 1

var<workgroup> lane_worst: array<f32, LANES>;
var<workgroup> before: f32;

// Makes rows i and j orthogonal; returns the cosine that they had, or 0 where it is small enough.
fn rotate(at: u32, i: u32, j: u32) -> f32 {
    var products = vec3<f32>();
    for (var e = 0u; e < p.n; e++) {
        let pair = vec2<f32>(rows[at + e * p.n + i], rows[at + e * p.n + j]);
        products += vec3<f32>(pair * pair, pair.x * pair.y);
    }
    let cosine = abs(products.z) / (sqrt(products.x) * sqrt(products.y));
    if (min(products.x, products.y) < NEGLIGIBLE || cosine <= ORTHOGONAL) { return 0.0; }
    let zeta = (products.y - products.x) / (2.0 * products.z);
    let t = select(-1.0, 1.0, zeta >= 0.0) / (abs(zeta) + sqrt(1.0 + zeta * zeta));
    let c = 1.0 / sqrt(1.0 + t * t);
    let s = c * t;
    for (var e = 0u; e < p.n; e++) {
        let first = at + e * p.n + i;
        let second = at + e * p.n + j;
        let pair = vec2<f32>(rows[first], rows[second]);
        rows[first] = c * pair.x - s * pair.y;
        rows[second] = s * pair.x + c * pair.y;
        rotate_too(first, second, c, s);
    }
    return cosine;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let g = group.y * groups.x + group.x;
    if (g >= p.count) { return; }
    if (lane == 0u) {
        if (p.first_round == 0u) {
            worst[2u * g] = worst[2u * g + 1u];
            worst[2u * g + 1u] = 0.0;
        }
        before = worst[2u * g];
    }
    if (workgroupUniformLoad(&before) == 0.0) { return; }
    let players = p.n + p.n % 2u;
    var mine = 0.0;
    for (var round = p.first_round; round < p.end_round; round++) {
        for (var k = lane; k < players / 2u; k += LANES) {
            // The last player keeps its place, the others go round; with an odd number of rows it is not there.
            let i = select((round + k) % (players - 1u), players - 1u, k == 0u);
            let j = (round + players - 1u - k) % (players - 1u);
            if (i < p.n) { mine = max(mine, rotate(g * p.n * p.n, i, j)); }
        }
        storageBarrier();
    }
    lane_worst[lane] = mine;
    workgroupBarrier();
    if (lane == 0u) {
        for (var i = 1u; i < LANES; i++) { mine = max(mine, lane_worst[i]); }
        worst[2u * g + 1u] = max(worst[2u * g + 1u], mine);
    }
}
