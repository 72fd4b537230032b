// Step of the Fisher–Rao flow on the simplex: w_k ← w_k exp(−rate g_k) / Σ, the exponents shifted so that the largest is 0.
// grads [R,P], params [R,P], both from `first` on K values → params in place. One thread a run: components are few. A rate of 0
// keeps the bits.
//!include common/grid.wgsl
struct Params { runs: u32, comps: u32, first: u32, stride: u32, rate: f32, pad0: u32, pad1: u32, pad2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read_write> params: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let run = thread_number(group, groups, LANES, lane);
    if (run >= p.runs || p.rate == 0.0) { return; }
    let at = run * p.stride + p.first;
    var smallest = grads[at];
    for (var k = 1u; k < p.comps; k++) { smallest = min(smallest, grads[at + k]); }
    var sum = 0.0;
    for (var k = 0u; k < p.comps; k++) {
        let moved = params[at + k] * exp(-p.rate * (grads[at + k] - smallest));
        params[at + k] = moved;
        sum += moved;
    }
    for (var k = 0u; k < p.comps; k++) { params[at + k] = params[at + k] / sum; }
}
