// The gradient of a convolution's parameters from its parts: parts [splits,R,O,9C+1] → gradients [R, weight [O,weights] | bias], pads
// 0. Splits are added in order. One thread an entry.
//!include common/grid.wgsl
//!include common/conv.wgsl
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradients: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.runs * p.params) { return; }
    let at = id % p.params;
    let run = id / p.params;
    let of_bias = at >= p.outs * p.weights;
    let row = select(at / p.weights, at - p.outs * p.weights, of_bias);
    let k = select(at % p.weights, inner(), of_bias);
    let live = row < p.outs && (of_bias || k < inner());
    let splits = (p.batch + p.per_split - 1u) / p.per_split;
    var sum = 0.0;
    for (var split = 0u; split < splits; split++) {
        sum += parts[((split * p.runs + run) * p.outs + min(row, p.outs - 1u)) * (inner() + 1u) + min(k, inner())];
    }
    gradients[id] = select(0.0, sum, live);
}
