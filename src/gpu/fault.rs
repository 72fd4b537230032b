//! What went wrong on the device since the last call. The driver reports by callback, on any thread; the next call returns it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Error, Result};

#[derive(Clone, Default)]
pub(super) struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// First error that no scope caught; later ones usually follow from it.
    error: Option<String>,
    /// Set once the device is gone, and never cleared.
    lost: Option<String>,
}

impl Faults {
    /// Installs the callbacks on `device`.
    pub(super) fn watch(&self, device: &wgpu::Device) {
        let faults = self.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            faults.with(|state| {
                state.error.get_or_insert_with(|| error.to_string());
            });
        }));
        let faults = self.clone();
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the device reports "destroyed", which is no fault.
            if !matches!(reason, wgpu::DeviceLostReason::Destroyed) {
                faults.with(|state| state.lost = Some(message.clone()));
            }
        });
    }

    /// Returns, and forgets, the first error since the last check; a lost device stays lost.
    pub(super) fn check(&self, op: &str) -> Result<()> {
        self.with(|state| {
            if let Some(message) = &state.lost {
                return Err(Error::DeviceLost(message.clone()));
            }
            match state.error.take() {
                Some(what) => Err(Error::Gpu { op: op.to_owned(), what }),
                None => Ok(()),
            }
        })
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs `f` inside error scopes and returns what it made, or the driver's complaint as [`Error::Gpu`].
pub(super) fn scoped<T>(device: &wgpu::Device, op: &str, f: impl FnOnce() -> T) -> Result<T> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let made = f();
    let errors = [validation.pop(), internal.pop(), memory.pop()].map(pollster::block_on);
    match errors.into_iter().flatten().next() {
        Some(error) => Err(Error::Gpu { op: op.to_owned(), what: error.to_string() }),
        None => Ok(made),
    }
}
