// Gradient of a 2×2 pooling: dh goes to the pixel that was taken, all others get 0. x [rows, big], dh [rows, small] → dx [rows, big].
// One thread a value of dx.
//!include common/grid.wgsl
//!include common/max_pool.wgsl
@group(0) @binding(2) var<storage, read> dh: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.rows * p.big) { return; }
    let at = id % p.big;
    let channel = at / (p.height * p.width);
    let y = at / p.width % p.height / 2u;
    let column = at % p.width / 2u;
    dx[id] = 0.0;
    if (channel >= p.channels || y >= p.height / 2u || column >= p.width / 2u) { return; }
    let first = id / p.big * p.big + (channel * p.height + 2u * y) * p.width + 2u * column;
    let source = id / p.big * p.small + (channel * (p.height / 2u) + y) * (p.width / 2u) + column;
    if (largest(first) == id) { dx[id] = dh[source]; }
}
