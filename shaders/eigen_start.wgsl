// Start of the eigenpairs of symmetric positive semidefinite matrices: matrices [G,n,Np] → rows [G,n,n] = S divided by the largest entry of
// its diagonal, turned [G,n,n] = 1, worst [G,2] = 1. One thread an entry. Sweeps of eigen_sweep follow, then eigen_finish.
//!include common/grid.wgsl
struct Params { n: u32, stride: u32, count: u32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> matrices: array<f32>;
@group(0) @binding(2) var<storage, read_write> rows: array<f32>;
@group(0) @binding(3) var<storage, read_write> turned: array<f32>;
@group(0) @binding(4) var<storage, read_write> worst: array<f32>;
//!include common/eigen_scale.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let i = id % p.n;
    let e = id / p.n % p.n;
    let g = id / (p.n * p.n);
    if (g >= p.count) { return; }
    rows[id] = matrices[(g * p.n + e) * p.stride + i] * inverse_scale(g);
    turned[id] = select(0.0, 1.0, e == i);
    if (e == 0u && i == 0u) {
        worst[2u * g] = 1.0;
        worst[2u * g + 1u] = 1.0;
    }
}
