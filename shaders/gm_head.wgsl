// The middle of a fused training step with logistic loss, a workgroup a row: outputs h of the GM layer, loss and dh, and the
// coefficients of the backward contraction; formulas in gm_output, logistic and gm_coefficients.
// sums [R,B+1,K,L+2], moments [R,B,K], labels [slots,R,B] → dh [R,B,Lp], coef [R,B,K], row_losses [R,B], row_errors [R,B].
// The grid has exactly one workgroup a row folded over (x, y), so that control flow is uniform around the barriers.
//!include common/grid.wgsl
//!include common/gm.wgsl
//!include common/gm_output.wgsl
//!include common/gm_coefficients.wgsl
//!include common/softmax.wgsl
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> dh: array<f32>;
@group(0) @binding(5) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> row_losses: array<f32>;
@group(0) @binding(7) var<storage, read_write> row_errors: array<u32>;

var<workgroup> logits: array<f32, OUTS>;
var<workgroup> gradients: array<f32, OUTS>;

fn logit(l: u32) -> f32 { return logits[l]; }
fn dh_of(run: u32, row: u32, l: u32) -> f32 { return gradients[l]; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group.y * groups.x + group.x;
    let live = number < p.runs * p.batch;
    // A workgroup past the end repeats the last row and writes nothing, which keeps the barriers in uniform control flow.
    let id = min(number, p.runs * p.batch - 1u);
    let row = id % p.batch;
    let run = id / p.batch;
    for (var l = lane; l < p.outs; l += LANES) { logits[l] = output_of(run, row, l); }
    workgroupBarrier();
    let label = labels[p.slot * p.runs * p.batch + id];
    let s = softmax_of(p.outs, p.reference);
    let scale = 1.0 / f32(p.batch);
    for (var l = lane; l < p.outs; l += LANES) {
        let gradient = logistic_gradient(s, p.reference, label, l, scale);
        gradients[l] = gradient;
        if (live) { dh[id * 4u * out_quads() + l] = gradient; }
    }
    workgroupBarrier();
    if (!live) { return; }
    for (var k = lane; k < p.comps; k += LANES) { coef[id * p.comps + k] = coefficients_of(run, row, k); }
    if (lane == 0u) {
        row_losses[id] = logistic_loss(s, p.outs, p.reference, label);
        row_errors[id] = select(0u, 1u, s.predicted != label);
    }
}
