// Nearest centres: means [B,C,Q] vec4, centres [B,k,Q] vec4 → labels [B,C], the lowest of several at one distance. One thread a component.
//!include common/grid.wgsl
struct Params { count: u32, components: u32, clusters: u32, quads: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> centres: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> labels: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = thread_number(group, groups, LANES, lane);
    if (id >= p.count) { return; }
    let first = id / p.components * p.clusters;
    var best = 0u;
    var least = 0.0;
    for (var cluster = 0u; cluster < p.clusters; cluster++) {
        var sum = vec4<f32>();
        for (var quad = 0u; quad < p.quads; quad++) {
            let apart = means[id * p.quads + quad] - centres[(first + cluster) * p.quads + quad];
            sum += apart * apart;
        }
        let distance = (sum.x + sum.y) + (sum.z + sum.w);
        if (cluster == 0u || distance < least) {
            least = distance;
            best = cluster;
        }
    }
    labels[id] = best;
}
