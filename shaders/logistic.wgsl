// Multi-class logistic loss of every row, −h_y + log Σ exp h, and its gradient (softmax − 1[y]) / valid.
// h [R,B,Lp], labels [slots,R,B] → dh [R,B,Lp], row_losses [R,B], row_errors [R,B]. Rows past `valid` give zeros.
// One thread a row; shifted log-sum-exp, logits to ±1e5.
//!include common/grid.wgsl
//!include common/softmax.wgsl
struct Params { runs: u32, batch: u32, outs: u32, valid: u32, reference: u32, slot: u32, scale: f32, pad: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> h: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> dh: array<f32>;
@group(0) @binding(4) var<storage, read_write> row_losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> row_errors: array<u32>;

var<private> row_at: u32;

fn logit(l: u32) -> f32 { return h[row_at + l]; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.batch) { return; }
    let width = (p.outs + 3u) / 4u * 4u;
    row_at = id * width;
    let counts = id % p.batch < p.valid;
    let label = labels[p.slot * p.runs * p.batch + id];
    let s = softmax_of(p.outs, p.reference);
    for (var l = 0u; l < width; l++) {
        var gradient = 0.0;
        if (counts && l < p.outs) { gradient = logistic_gradient(s, p.reference, label, l, p.scale); }
        dh[row_at + l] = gradient;
    }
    row_losses[id] = select(0.0, logistic_loss(s, p.outs, p.reference, label), counts);
    row_errors[id] = select(0u, 1u, counts && s.predicted != label);
}
