//! A whole training step of a network that is one GM layer with logistic loss, in six dispatches and nothing on the host.

use super::gm_forward::GmProducts;
use super::gm_state::GmState;
#[cfg(feature = "gpu")]
use super::loss::LossTotal;
use super::optimizer::{Group, OptimizerKind, Update};
use super::{Kernel, Threads, gm_backward, slot_range};
use crate::Result;
use crate::device::{Buffer, Device, Stream};
use crate::reference::{gm_layer, loss};
use crate::shape::{GmDims, expect_len};

/// Forward pass, logistic loss, backward pass and optimiser, fused. The unfused operations give the same result up to rounding.
#[cfg_attr(not(feature = "gpu"), allow(dead_code))]
pub struct GmStep {
    kind: OptimizerKind,
    reference: bool,
    state: GmState,
    dh: Buffer<f32>,
    products: GmProducts,
    head: Kernel,
    contract: Kernel,
    update: Kernel,
    /// Outputs of the host twin; empty on a GPU, where they are never stored.
    h: Buffer<f32>,
    #[cfg(feature = "gpu")]
    total: Option<LossTotal>,
}

/// Arguments of [`GmStep`].
pub struct GmStepArgs<'a> {
    /// Inputs `[slots, R, B, dp]`.
    pub x: &'a Buffer<f32>,
    /// Classes `[slots, R, B]`.
    pub labels: &'a Buffer<u32>,
    /// The block of `x`, `labels`, `losses` and `errors` to take.
    pub slot: usize,
    /// Parameters `[R, P]`, updated.
    pub params: &'a mut Buffer<f32>,
    /// Learning rates of μ, σ, U and v.
    pub rates: [f32; 4],
    /// Coefficients of the penalty `½ l2 ‖θ‖²` of μ, σ, U and v.
    pub l2: [f32; 4],
    /// The optimiser's constants and state, `[R, P]`.
    pub update: Update<'a>,
    /// Mean losses `[slots, R]` before the update; block `slot` is overwritten.
    pub losses: &'a mut Buffer<f32>,
    /// Numbers of errors `[slots, R]` before the update; block `slot` is overwritten.
    pub errors: &'a mut Buffer<u32>,
}

impl GmStep {
    /// For a layer of sizes `dims`; with `reference`, class 0 has logit 0 and `L` outputs serve `L + 1` classes.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where a size is 0 or covariances are not diagonal; [`crate::Error::Limit`] or [`crate::Error::Gpu`] where the device
    /// cannot hold the scratch or refuses a shader.
    pub fn new(device: &Device, dims: GmDims, reference: bool, kind: OptimizerKind) -> Result<Self> {
        dims.check_diagonal("GM training step")?;
        let host = |len| if device.is_cpu() { len } else { 0 };
        Ok(Self {
            kind,
            reference,
            state: GmState::new(device, dims)?,
            dh: Buffer::zeros(device, dims.h_len())?,
            products: GmProducts::new(device, dims)?,
            head: Kernel::of(device, "gm_head", &[("OUTS", dims.outputs as u32)], Threads::Long)?,
            contract: gm_backward::contraction(device, dims)?,
            update: Kernel::new(device, "gm_update", &[("MODE", kind.mode())])?,
            h: Buffer::zeros(device, host(dims.h_len()))?,
            #[cfg(feature = "gpu")]
            total: if device.is_cpu() { None } else { Some(LossTotal::new(device, dims.runs * dims.batch)?) },
        })
    }

    /// Records one step.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where an array does not fit or the update is of another optimiser; otherwise what the driver reports.
    pub fn record(&mut self, stream: &mut Stream, args: GmStepArgs<'_>) -> Result<()> {
        const OP: &str = "GM training step";
        let dims = self.state.dims();
        let len = dims.runs * dims.params_len();
        let x = slot_range(OP, "x [slots,R,B,dp]", args.x.len(), dims.x_len(), args.slot)?;
        let labels = slot_range(OP, "labels [slots,R,B]", args.labels.len(), dims.runs * dims.batch, args.slot)?;
        let totals = slot_range(OP, "losses [slots,R]", args.losses.len(), dims.runs, args.slot)?;
        expect_len(OP, "errors [slots,R]", args.errors.len(), args.losses.len())?;
        expect_len(OP, "parameters [R,P]", args.params.len(), len)?;
        args.update.check(OP, self.kind, len)?;
        match stream {
            Stream::Cpu => {
                let (h, dh) = (self.h.host_mut()?, self.dh.host_mut()?);
                let (x, params) = (&args.x.host()?[x], args.params.host_mut()?);
                gm_layer::forward(x, params, self.state.host()?, h)?;
                let losses = &mut args.losses.host_mut()?[totals.clone()];
                let errors = &mut args.errors.host_mut()?[totals];
                let labels = &args.labels.host()?[labels];
                loss::logistic(loss_dims(&dims), self.reference, h, labels, dh, losses, errors)?;
                let groups = groups(&dims, args.rates, args.l2);
                let (rule, state) = args.update.host()?;
                gm_layer::step(x, dh, self.state.host()?, (&rule, &groups), params, state)
            }
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => self.run(recorder, dims, args),
        }
    }

    #[cfg(feature = "gpu")]
    fn run(&self, recorder: &mut crate::gpu::Recorder, dims: GmDims, args: GmStepArgs<'_>) -> Result<()> {
        let state = self.state.gpu()?;
        let Some(total) = &self.total else {
            let (expected, got) = ("a step made for a GPU".to_owned(), "one made for the CPU".to_owned());
            return Err(crate::Error::Shape { op: "GM training step", expected, got });
        };
        self.products.run(recorder, &self.state, args.x, args.slot, args.params)?;

        let mut uniform = state.plan.params(&dims, args.slot, 0);
        uniform.reference = u32::from(self.reference);
        let (labels, dh) = (args.labels.raw()?, self.dh.raw()?);
        let (row_losses, row_errors) = (total.row_losses.raw()?, total.row_errors.raw()?);
        let bindings = [state.sums.raw()?, state.moments.raw()?, labels, dh, state.coef.raw()?, row_losses, row_errors];
        let rows = (dims.runs * dims.batch) as u64;
        self.head.run_groups(recorder, bytemuck::bytes_of(&uniform), &bindings, rows)?;

        gm_backward::run_contraction(&self.contract, recorder, &self.state, args.x.raw()?, args.slot, dh)?;

        let (scale, settings) = args.update.uniform();
        (uniform.rates, uniform.l2, uniform.settings) = (args.rates.map(|rate| rate * scale), args.l2, settings);
        let [first, second] = args.update.state(&state.unused);
        let bindings = [state.contraction.raw()?, args.params.raw()?, first.raw()?, second.raw()?];
        let threads = gm_backward::update_threads(&dims);
        self.update.run(recorder, bytemuck::bytes_of(&uniform), &bindings, threads)?;
        total.run(recorder, &loss_dims(&dims), args.slot, args.losses, args.errors)
    }
}

fn loss_dims(dims: &GmDims) -> loss::LossDims {
    loss::LossDims { runs: dims.runs, batch: dims.batch, outputs: dims.outputs, valid: dims.batch }
}

fn groups(dims: &GmDims, rates: [f32; 4], l2: [f32; 4]) -> [Group; 4] {
    let ranges = [dims.mu(), dims.sigma(), dims.u(), dims.v()];
    std::array::from_fn(|i| Group { range: ranges[i].clone(), rate: rates[i], l2: l2[i] })
}
