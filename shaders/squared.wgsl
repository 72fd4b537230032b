// Squared loss of every row, ‖y − h‖², and its gradient −2 (y − h) / valid.
// h [R,B,Lp], targets [slots,R,B,Lp] → dh [R,B,Lp], row_losses [R,B], row_errors [R,B] = 0. Rows past `valid` give zeros.
// One thread a row.
//!include common/grid.wgsl
struct Params { runs: u32, batch: u32, outs: u32, valid: u32, reference: u32, slot: u32, scale: f32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> h: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
@group(0) @binding(3) var<storage, read_write> dh: array<f32>;
@group(0) @binding(4) var<storage, read_write> row_losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> row_errors: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.batch) { return; }
    let width = (p.outs + 3u) / 4u * 4u;
    let counts = id % p.batch < p.valid;
    var sum = 0.0;
    for (var l = 0u; l < width; l++) {
        var residual = 0.0;
        if (counts && l < p.outs) { residual = targets[(p.slot * p.runs * p.batch + id) * width + l] - h[id * width + l]; }
        sum += residual * residual;
        dh[id * width + l] = -2.0 * p.scale * residual;
    }
    row_losses[id] = sum;
    row_errors[id] = 0u;
}
