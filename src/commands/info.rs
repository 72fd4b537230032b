//! `bures info`.

use serde_json::{Value, json};

use super::{Common, print_json};
use crate::Result;
use crate::device::Device;

pub(super) fn run(common: &Common) -> Result<()> {
    let (adapters, chosen) = look(common);
    if common.json {
        let default = chosen.as_ref().map_or(Value::Null, |device| json!(device.describe()));
        return print_json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "cpu_threads": rayon::current_num_threads(),
            "adapters": adapters,
            "device": default,
        }));
    }
    say!("bures {}", env!("CARGO_PKG_VERSION"))?;
    say!("  cpu  {}", Device::Cpu.describe())?;
    for adapter in &adapters {
        let text = |key: &str| adapter[key].as_str().unwrap_or_default().to_owned();
        let driver = format!("{} {}", text("driver"), text("driver_info"));
        say!(
            "  {:>3}  {} · {} · {} · {}",
            adapter["index"],
            text("name"),
            text("kind"),
            text("backend"),
            driver.trim()
        )?;
        say!(
            "       array at most {} MiB, buffer {} MiB, workgroup {} threads and {} KiB · self-test: {}",
            mebibytes(&adapter["max_binding_bytes"]),
            mebibytes(&adapter["max_buffer_bytes"]),
            adapter["max_workgroup_threads"],
            adapter["max_workgroup_bytes"].as_u64().unwrap_or(0) / 1024,
            text("self_test"),
        )?;
    }
    if adapters.is_empty() {
        say!("       no GPU adapter")?;
    }
    let device = chosen?;
    say!("runs use: {}", device.describe())?;
    Ok(())
}

fn mebibytes(bytes: &Value) -> u64 {
    bytes.as_u64().unwrap_or(0) >> 20
}

/// Every adapter with the self-test's verdict, and the device that a run would take.
#[cfg(feature = "gpu")]
fn look(common: &Common) -> (Vec<Value>, Result<Device>) {
    let found = crate::gpu::Adapters::find();
    let verdict = |index: usize| match Device::open_among(&found, Some(&index.to_string()), false) {
        Ok(_) => "passed".to_owned(),
        Err(why) => why.to_string(),
    };
    let describe = |a: &crate::gpu::AdapterInfo| {
        json!({
            "index": a.index,
            "name": a.name,
            "kind": a.kind.label(),
            "backend": a.backend,
            "driver": a.driver,
            "driver_info": a.driver_info,
            "max_binding_bytes": a.max_binding_bytes,
            "max_buffer_bytes": a.max_buffer_bytes,
            "max_workgroup_threads": a.max_workgroup_threads,
            "max_workgroup_bytes": a.max_workgroup_bytes,
            "self_test": verdict(a.index),
        })
    };
    let adapters = found.infos().iter().map(describe).collect();
    (adapters, Device::open_among(&found, common.adapter.as_deref(), common.software))
}

#[cfg(not(feature = "gpu"))]
fn look(common: &Common) -> (Vec<Value>, Result<Device>) {
    (Vec::new(), common.device())
}
