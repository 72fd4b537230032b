// Mean loss and number of errors of every run: row_losses [R,B], row_errors [R,B] → losses [slots,R], errors [slots,R] at
// `slot`. A workgroup a run: lanes take every LANES-th row, lane 0 adds the lanes in order.
struct Params { runs: u32, batch: u32, outs: u32, valid: u32, reference: u32, slot: u32, scale: f32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> row_losses: array<f32>;
@group(0) @binding(2) var<storage, read> row_errors: array<u32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> errors: array<u32>;

var<workgroup> lane_losses: array<f32, LANES>;
var<workgroup> lane_errors: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var loss = 0.0;
    var wrong = 0u;
    for (var row = lane; row < p.valid; row += LANES) {
        loss += row_losses[group.x * p.batch + row];
        wrong += row_errors[group.x * p.batch + row];
    }
    lane_losses[lane] = loss;
    lane_errors[lane] = wrong;
    workgroupBarrier();
    if (lane != 0u) { return; }
    for (var i = 1u; i < LANES; i++) {
        loss += lane_losses[i];
        wrong += lane_errors[i];
    }
    losses[p.slot * p.runs + group.x] = loss * p.scale;
    errors[p.slot * p.runs + group.x] = wrong;
}
