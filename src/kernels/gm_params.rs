//! The uniform block that the GM layer's shaders share, and how the work is cut for a device.

use crate::gpu::Gpu;
use crate::shape::GmDims;

/// Mirrors `Params` of `shaders/common/gm.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct GmParams {
    batch: u32,
    quads: u32,
    comps: u32,
    outs: u32,
    runs: u32,
    slot: u32,
    pub(super) splits: u32,
    split_first: u32,
    split_step: u32,
    split_span: u32,
    blocks: u32,
    tiles: u32,
    pub(super) reference: u32,
    inv_comps: f32,
    rank: u32,
    pad: u32,
    pub(super) rates: [f32; 4],
    pub(super) l2: [f32; 4],
    pub(super) settings: [f32; 4],
}

/// How the GM layer's products are cut into threads. It depends on the device's kind and on one run's sizes, never on
/// the number of runs: a run must give the same bits alone and among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct GmPlan {
    /// Rows that a thread of the forward product owns.
    pub(super) rows: u32,
    /// Quads of inputs that a thread of the contraction owns.
    pub(super) quads: u32,
    /// Columns that a thread of either owns: m, s² and outputs.
    pub(super) columns: u32,
    /// Tiles of outputs.
    pub(super) tiles: u32,
    /// Parts into which the inputs are cut, each with partial sums of its own.
    pub(super) splits: u32,
    /// Whether neighbouring threads take neighbouring inputs.
    pub(super) splits_first: bool,
}

impl GmPlan {
    /// Threads below which a GPU idles, and the same for a software adapter.
    const GPU_THREADS: usize = 16_384;
    const SOFTWARE_THREADS: usize = 128;
    /// Most outputs that one thread takes; where there are more, tiles of `TILE` outputs, whose rows of `dh` are whole vec4s.
    const MOST_OUTPUTS: usize = 12;
    const TILE: usize = 8;

    pub(super) fn new(software: bool, dims: &GmDims) -> Self {
        let outputs = if dims.outputs <= Self::MOST_OUTPUTS { dims.outputs } else { Self::TILE };
        let tiles = dims.outputs.div_ceil(outputs);
        let (rows, quads, threads) = if software { (16, 4, Self::SOFTWARE_THREADS) } else { (4, 1, Self::GPU_THREADS) };
        let unsplit = dims.batch.div_ceil(rows) * dims.components * tiles;
        // A split of fewer than four quads costs more to add up than it saves.
        let most = (dims.input_stride() / 16).clamp(1, 32);
        let splits = threads.div_ceil(unsplit).clamp(1, most);
        Self {
            rows: rows as u32,
            quads,
            columns: outputs as u32 + 2,
            tiles: tiles as u32,
            splits: splits as u32,
            splits_first: !software,
        }
    }

    pub(super) fn of(gpu: &Gpu, dims: &GmDims) -> Self {
        Self::new(gpu.is_software(), dims)
    }

    /// The constants of `shaders/common/gm_tiles.wgsl`.
    pub(super) fn tile_consts(&self) -> [(&'static str, u32); 2] {
        [("COLS", self.columns), ("TILED", u32::from(self.tiles > 1))]
    }

    /// Threads of the forward product.
    pub(super) fn forward_threads(&self, dims: &GmDims) -> usize {
        dims.batch.div_ceil(self.rows as usize) * dims.components * (self.tiles * self.splits) as usize * dims.runs
    }

    /// Blocks of inputs of the contraction; one more thread a component sums ρ.
    pub(super) fn contraction_blocks(&self, dims: &GmDims) -> usize {
        (dims.input_stride() / 4).div_ceil(self.quads as usize)
    }

    pub(super) fn params(&self, dims: &GmDims, slot: usize, blocks: usize) -> GmParams {
        let quads = (dims.input_stride() / 4) as u32;
        let split_quads = quads.div_ceil(self.splits);
        GmParams {
            batch: dims.batch as u32,
            quads,
            comps: dims.components as u32,
            outs: dims.outputs as u32,
            runs: dims.runs as u32,
            slot: slot as u32,
            splits: self.splits,
            split_first: if self.splits_first { 1 } else { split_quads },
            split_step: if self.splits_first { self.splits } else { 1 },
            split_span: if self.splits_first { quads } else { split_quads },
            blocks: blocks as u32,
            tiles: self.tiles,
            inv_comps: 1.0 / dims.components as f32,
            rank: dims.rank as u32,
            ..GmParams::default()
        }
    }
}
