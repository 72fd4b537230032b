// Grid signatures (Corollary 11): points m + Σ_k √λ_k c v_k over the product of optimal quantizers along k directions; masses multiply,
// W₂² = Σ_k λ_k D(n_k) + rest. means [C,Q] vec4; directions: MODE 0 coordinates [C,K], else unit vectors [C,K,Q] vec4 as bits;
// values: λ_k [C,K], then rest [C]; shape: n_k [C,K]; quantizers: (c, π) of n points from n(n−1) on, D(n) from `table` on
// → masses [C,P], locations [C,P,Q] vec4, distances [C]. One thread a vec4 of a location. The first cut varies slowest; points
// past a signature's own have mass 0 and lie at the mean.
//!include common/grid.wgsl
struct Params { components: u32, quads: u32, cuts: u32, points: u32, largest: u32, table: u32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> directions: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<f32>;
@group(0) @binding(4) var<storage, read> shape: array<u32>;
@group(0) @binding(5) var<storage, read> quantizers: array<f32>;
@group(0) @binding(6) var<storage, read_write> masses: array<f32>;
@group(0) @binding(7) var<storage, read_write> locations: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> distances: array<f32>;

fn points_of(cut: u32) -> u32 { return clamp(shape[cut], 1u, p.largest); }

// The step's direction: four entries of it.
fn direction(cut: u32, quad: u32) -> vec4<f32> {
    if (MODE == 0u) {
        return vec4<f32>(vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(directions[cut]));
    }
    let at = 4u * (cut * p.quads + quad);
    return bitcast<vec4<f32>>(vec4<u32>(directions[at], directions[at + 1u], directions[at + 2u], directions[at + 3u]));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let quad = id % p.quads;
    let point = id / p.quads % p.points;
    let c = id / (p.quads * p.points);
    if (c >= p.components) { return; }
    var location = means[c * p.quads + quad];
    var mass = 1.0;
    var rest = point;
    var distance = 0.0;
    for (var k = p.cuts; k > 0u; k--) {
        let cut = c * p.cuts + k - 1u;
        let n = points_of(cut);
        let at = n * (n - 1u) + 2u * (rest % n);
        rest /= n;
        mass *= quantizers[at + 1u];
        location += (sqrt(values[cut]) * quantizers[at]) * direction(cut, quad);
        distance += values[cut] * quantizers[p.table + n - 1u];
    }
    let unused = rest > 0u;
    locations[id] = select(location, means[c * p.quads + quad], unused);
    if (quad > 0u) { return; }
    masses[id / p.quads] = select(mass, 0.0, unused);
    if (point == 0u) { distances[c] = distance + values[p.components * p.cuts + c]; }
}
