// Softmax of one row of logits, shifted by their maximum so that nothing overflows. Needs `logit(l)`.
// With a reference class, class 0 has logit 0 and column l is class l + 1. The lowest class wins a tie.
struct Softmax { shift: f32, sum: f32, predicted: u32 }

fn softmax_of(outs: u32, reference: u32) -> Softmax {
    var s = Softmax(0.0, 0.0, 0u);
    if (reference == 0u) { s.shift = logit(0u); }
    for (var l = 0u; l < outs; l++) {
        let h = logit(l);
        if (h > s.shift) { s.shift = h; s.predicted = l + reference; }
    }
    if (reference == 1u) { s.sum = exp(-s.shift); }
    for (var l = 0u; l < outs; l++) { s.sum += exp(logit(l) - s.shift); }
    return s;
}

fn logistic_loss(s: Softmax, outs: u32, reference: u32, label: u32) -> f32 {
    var of_label = 0.0;
    if (label >= reference) { of_label = logit(min(label - reference, outs - 1u)); }
    return log(s.sum) + (s.shift - of_label);
}

fn logistic_gradient(s: Softmax, reference: u32, label: u32, l: u32, scale: f32) -> f32 {
    let gradient = (exp(logit(l) - s.shift) / s.sum - select(0.0, 1.0, label == l + reference)) * scale;
    // A smaller one changes no sum and makes subnormal products, which are slow on a CPU.
    return select(0.0, gradient, abs(gradient) > 1e-18);
}
