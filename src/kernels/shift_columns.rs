//! Rows with columns put before them or taken away.

use super::{Kernel, slot_range};
use crate::device::{Buffer, Device, Stream};
use crate::reference::shift_columns::shift_columns;
use crate::shape::stride;
use crate::{Error, Result};

/// Copies rows and shifts their columns; see [`shift_columns`].
pub struct ShiftColumns {
    #[cfg_attr(not(feature = "gpu"), allow(dead_code))]
    kernel: Kernel,
}

/// Arguments of [`ShiftColumns`].
pub struct ShiftColumnsArgs<'a> {
    /// Columns of `from` and of `to`.
    pub columns: [usize; 2],
    /// Columns of 0 before each row; where negative, columns that are left out.
    pub lead: isize,
    /// Rows `[slots, B, columns]`, strides rounded up.
    pub from: &'a Buffer<f32>,
    /// The block of `from` to take.
    pub slot: usize,
    /// Rows `[B, columns]`, overwritten.
    pub to: &'a mut Buffer<f32>,
}

impl ShiftColumns {
    /// The operation on `device`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the driver refuses the shader.
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self { kernel: Kernel::new(device, "shift_columns", &[])? })
    }

    /// Records the copy.
    ///
    /// # Errors
    /// [`Error::Shape`] where the arrays do not fit; otherwise what the driver reports.
    pub fn record(&self, stream: &mut Stream, args: ShiftColumnsArgs<'_>) -> Result<()> {
        const OP: &str = "shift of columns";
        let [width, to_width] = args.columns.map(stride);
        if args.columns.contains(&0) || !args.to.len().is_multiple_of(to_width) {
            let (expected, got) = (format!("rows of {to_width} elements"), format!("{} elements", args.to.len()));
            return Err(Error::Shape { op: OP, expected, got });
        }
        let range =
            slot_range(OP, "from [slots,B,columns]", args.from.len(), args.to.len() / to_width * width, args.slot)?;
        match stream {
            Stream::Cpu => shift_columns(args.columns, args.lead, &args.from.host()?[range], args.to.host_mut()?),
            #[cfg(feature = "gpu")]
            Stream::Gpu(recorder) => {
                let (lead, skip) = (args.lead.max(0), (-args.lead).max(0));
                let [columns, to_columns] = args.columns;
                let sizes = [args.to.len(), columns, to_columns, range.start, lead as usize, skip as usize, 0, 0];
                let uniform = sizes.map(|size| size as u32);
                let bindings = [args.from.raw()?, args.to.raw()?];
                self.kernel.run(recorder, bytemuck::cast_slice(&uniform), &bindings, args.to.len())
            }
        }
    }
}
