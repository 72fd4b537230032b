// Bindings of an activation's gradient, dh from h and dz, in vec4.
struct Params { len: u32, width: u32, pad0: u32, pad1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> h: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dz: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dh: array<vec4<f32>>;
