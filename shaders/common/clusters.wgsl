// Members of clusters: sizes, and a component's share of its cluster. Needs bindings `labels` and `weights`, both [B,C].
struct Params { batch: u32, components: u32, clusters: u32, width: u32, quads: u32, pad0: u32, pad1: u32, pad2: u32 }
@group(0) @binding(0) var<uniform> p: Params;

fn weight_of(problem: u32, label: u32) -> f32 {
    var sum = 0.0;
    for (var c = problem * p.components; c < (problem + 1u) * p.components; c++) {
        if (labels[c] == label) { sum += weights[c]; }
    }
    return sum;
}

fn first_of(problem: u32, label: u32) -> u32 {
    var c = problem * p.components;
    while (c < (problem + 1u) * p.components && labels[c] != label) { c++; }
    return c;
}

// A cluster of weight 0 takes the moments of its first component.
fn share_of(c: u32, weight: f32, first: u32) -> f32 {
    if (weight == 0.0) { return select(0.0, 1.0, c == first); }
    return weights[c] / weight;
}
