//! The GM layer with covariances beside the diagonal, the columns that the joint layer puts before its inputs, and component weights.

use bures::device::{Buffer, Device};
use bures::kernels::gm_backward::{GmBackward, GmBackwardArgs};
use bures::kernels::gm_forward::{GmForward, GmForwardArgs};
use bures::kernels::gm_joint::{GmJoint, GmJointBackwardArgs, GmJointForwardArgs};
use bures::kernels::gm_state::GmState;
use bures::kernels::gm_weighted::GmWeighted;
use bures::kernels::shift_columns::{ShiftColumns, ShiftColumnsArgs};
use bures::kernels::simplex_step::{SimplexStep, SimplexStepArgs};
use bures::reference::gm_weights;
use bures::shape::GmDims;
use criterion::Criterion;

use crate::{INPUTS, OUTPUTS, devices, noise, time};

pub(crate) fn covariance(c: &mut Criterion) {
    for (name, device) in devices() {
        // Rank 0 is what the layer costs without a root; rank 784 is the full covariance.
        for (components, rank) in [(20, 0), (20, 4), (20, 32), (2, INPUTS)] {
            let dims = GmDims { runs: 1, batch: 64, components, inputs: INPUTS, outputs: OUTPUTS, rank };
            gm(c, &format!("{name}/K={components}/R={rank}"), &device, dims);
        }
        joint(c, name, &device);
        shift(c, name, &device);
        weighted(c, name, &device);
    }
}

fn gm(c: &mut Criterion, name: &str, device: &Device, dims: GmDims) {
    let x = noise(device, dims.x_len(), 1.0);
    let params = noise(device, dims.params_len(), 0.1);
    let dh = noise(device, dims.h_len(), 0.01);
    let (mut grads, mut h) = (noise(device, dims.params_len(), 0.0), noise(device, dims.h_len(), 0.0));
    let mut dx = noise(device, dims.x_len(), 0.0);
    let mut state = GmState::new(device, dims).expect("a state");
    let forward = GmForward::new(device, dims).expect("kernels");
    let backward = GmBackward::new(device, dims).expect("kernels");
    time(c, &format!("gm_covariance/forward/{name}"), device, |stream| {
        forward.record(stream, GmForwardArgs { x: &x, slot: 0, params: &params, state: &mut state, h: &mut h })
    });
    time(c, &format!("gm_covariance/backward/{name}"), device, |stream| {
        let (state, grads) = (&mut state, &mut grads);
        let args = GmBackwardArgs { x: &x, slot: 0, params: &params, state, dh: &dh, grads, dx: Some(&mut dx) };
        backward.record(stream, args)
    });
}

fn joint(c: &mut Criterion, name: &str, device: &Device) {
    let (batch, components, inputs) = (64, 20, 13);
    let len = GmJoint::dims(1, batch, components, inputs).params_len();
    let (x, params) = (noise(device, batch * 16, 1.0), noise(device, len, 0.3));
    let (mut grads, mut h) = (noise(device, len, 0.0), noise(device, batch * 4, 0.0));
    let dh = noise(device, batch * 4, 0.01);
    let mut layer = GmJoint::new(device, 1, batch, components, inputs).expect("kernels");
    time(c, &format!("gm_joint/{name}/64x13, K={components}"), device, |stream| {
        layer.forward(stream, GmJointForwardArgs { x: &x, slot: 0, params: &params, h: &mut h })?;
        layer.backward(stream, GmJointBackwardArgs { params: &params, dh: &dh, grads: &mut grads, dx: None })
    });
}

fn shift(c: &mut Criterion, name: &str, device: &Device) {
    let from = noise(device, 64 * INPUTS, 1.0);
    let mut to = Buffer::zeros(device, 64 * (INPUTS + 4)).expect("a buffer");
    let kernel = ShiftColumns::new(device).expect("a kernel");
    time(c, &format!("shift_columns/{name}/64x784"), device, |stream| {
        let columns = [INPUTS, INPUTS + 1];
        kernel.record(stream, ShiftColumnsArgs { columns, lead: 1, from: &from, slot: 0, to: &mut to })
    });
}

/// Beside `gm_covariance/…/R=0` it shows what weights cost.
fn weighted(c: &mut Criterion, name: &str, device: &Device) {
    let dims = GmDims { runs: 1, batch: 64, components: 20, inputs: INPUTS, outputs: OUTPUTS, rank: 0 };
    let at = gm_weights::weights(&dims);
    let params_len = at.end;
    let (x, dh) = (noise(device, dims.x_len(), 1.0), noise(device, dims.h_len(), 0.01));
    let mut params = Buffer::from_vec(device, vec![0.05; params_len]).expect("a buffer");
    let (mut grads, mut h) = (noise(device, params_len, 0.01), noise(device, dims.h_len(), 0.0));
    let mut layer = GmWeighted::new(device, dims).expect("kernels");
    time(c, &format!("gm_weighted/forward/{name}/K=20"), device, |stream| {
        layer.forward(stream, (&x, 0), &params, &mut h)
    });
    time(c, &format!("gm_weighted/backward/{name}/K=20"), device, |stream| {
        layer.backward(stream, (&x, 0), &params, &dh, (&mut grads, None))
    });
    let step = SimplexStep::new(device).expect("a kernel");
    time(c, &format!("simplex_step/{name}/K=20"), device, |stream| {
        let (weights, params, grads) = (at.start..at.start + 20, &mut params, &grads);
        step.record(stream, SimplexStepArgs { weights, params_len, rate: 1e-6, params, grads })
    });
}
