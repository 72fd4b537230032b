// Dense layer h = W x + b. x [slots,R,B,Q] vec4, params [R, weight [L,Q] | bias [Lq]] vec4 → h [R,B,Lq] vec4.
// A thread owns 4 rows × 4 outputs in registers and walks the inputs in order. Pads of h become 0.
//!include common/grid.wgsl
//!include common/dense.wgsl
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> h: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    let block = id % p.blocks;
    let out = (id / p.blocks) % out_quads();
    let run = id / (p.blocks * out_quads());
    if (run >= p.runs) { return; }
    let row = 4u * block;
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(p.batch - 1u));
    let outs = min(vec4<u32>(4u * out, 4u * out + 1u, 4u * out + 2u, 4u * out + 3u), vec4<u32>(p.outs - 1u));
    let weight = params_at(run);
    var sum = mat4x4<f32>();
    for (var quad = 0u; quad < p.quads; quad++) {
        let weights = mat4x4<f32>(params[weight + outs.x * p.quads + quad], params[weight + outs.y * p.quads + quad],
                                  params[weight + outs.z * p.quads + quad], params[weight + outs.w * p.quads + quad]);
        sum[0] += x[x_at(run, rows.x) + quad] * weights;
        sum[1] += x[x_at(run, rows.y) + quad] * weights;
        sum[2] += x[x_at(run, rows.z) + quad] * weights;
        sum[3] += x[x_at(run, rows.w) + quad] * weights;
    }
    let bias = params[weight + p.outs * p.quads + out];
    let live = vec4<u32>(4u * out) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.outs);
    let to = (run * p.batch + row) * out_quads() + out;
    for (var i = 0u; i < 4u; i++) {
        if (row + i < p.batch) { h[to + i * out_quads()] = select(vec4<f32>(), sum[i] + bias, live); }
    }
}
