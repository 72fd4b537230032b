// The largest of every 2×2 pixels; a last odd row or column is dropped. x [rows, big] → h [rows, small], pads 0. One thread a value of h.
//!include common/grid.wgsl
//!include common/max_pool.wgsl
@group(0) @binding(2) var<storage, read_write> h: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.rows * p.small) { return; }
    let at = id % p.small;
    let width = p.width / 2u;
    let height = p.height / 2u;
    if (at >= p.channels * height * width) {
        h[id] = 0.0;
        return;
    }
    let line = at / width / height * p.height + at / width % height * 2u;
    h[id] = x[largest(id / p.small * p.big + line * p.width + at % width * 2u)];
}
