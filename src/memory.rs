//! How much memory this machine has.

/// Taken for the machine's memory where the system does not tell: 64 GiB.
const UNKNOWN: f64 = (1_u64 << 36) as f64;

/// Bytes of memory of this machine, as Linux tells.
pub(crate) fn total() -> f64 {
    read().unwrap_or(UNKNOWN)
}

fn read() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}
