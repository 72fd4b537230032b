//! Which GPUs there are, and which one a run takes.

use crate::{Error, Result};

/// What sort of device an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the machine's memory.
    Integrated,
    /// A GPU seen through a virtual machine.
    Virtual,
    /// A software implementation on the CPU.
    Software,
    /// The driver does not say.
    Other,
}

impl DeviceKind {
    /// One word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Software => "software adapter",
            Self::Other => "GPU",
        }
    }

    fn from_wgpu(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Cpu => Self::Software,
            wgpu::DeviceType::Other => Self::Other,
        }
    }

    /// The automatic choice takes the lowest rank; software adapters are never chosen unasked.
    fn rank(self) -> Option<u8> {
        match self {
            Self::Discrete => Some(0),
            Self::Integrated => Some(1),
            Self::Virtual => Some(2),
            Self::Other => Some(3),
            Self::Software => None,
        }
    }
}

/// What a person needs to know about one adapter.
#[derive(Clone, Debug)]
pub struct AdapterInfo {
    /// Position in [`Adapters::infos`], usable as [`AdapterChoice::Index`].
    pub index: usize,
    /// Name that the driver gives the device.
    pub name: String,
    /// Graphics interface: `vulkan`, `metal`, `dx12`.
    pub backend: String,
    /// Driver name.
    pub driver: String,
    /// Driver version and build.
    pub driver_info: String,
    /// Sort of device.
    pub kind: DeviceKind,
    /// Largest buffer in bytes.
    pub max_buffer_bytes: u64,
    /// Largest storage binding in bytes: the largest single array of a kernel.
    pub max_binding_bytes: u64,
    /// Largest number of threads in a workgroup.
    pub max_workgroup_threads: u32,
    /// Workgroup memory in bytes.
    pub max_workgroup_bytes: u32,
}

/// How a run says which adapter it wants.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum AdapterChoice {
    /// The first hardware adapter: discrete before integrated before virtual, never software.
    #[default]
    Auto,
    /// The adapter at this place in [`Adapters::infos`].
    Index(usize),
    /// The first adapter whose name contains this text, upper and lower case alike.
    Name(String),
    /// The first software adapter: for tests and continuous integration.
    Software,
}

impl std::fmt::Display for AdapterChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => write!(f, "that is hardware"),
            Self::Index(index) => write!(f, "with index {index}"),
            Self::Name(name) => write!(f, "whose name contains \"{name}\""),
            Self::Software => write!(f, "that is software"),
        }
    }
}

/// Every adapter of this machine, in the driver's order, found once: asking the drivers takes a while.
pub struct Adapters {
    all: Vec<wgpu::Adapter>,
    infos: Vec<AdapterInfo>,
}

impl Adapters {
    /// Asks the drivers. The environment variable `WGPU_BACKEND` restricts the backends.
    pub fn find() -> Self {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        let backends = descriptor.backends;
        let all = pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends));
        let infos = all.iter().enumerate().map(|(index, adapter)| describe(index, adapter)).collect();
        Self { all, infos }
    }

    /// What people need to know about each.
    pub fn infos(&self) -> &[AdapterInfo] {
        &self.infos
    }

    /// The adapter that `choice` names, with its description.
    pub(super) fn select(&self, choice: &AdapterChoice) -> Result<(wgpu::Adapter, AdapterInfo)> {
        let none = || Error::NoAdapter {
            wanted: choice.to_string(),
            found: self.infos.iter().map(|info| format!("{} {} ({})", info.index, info.name, info.backend)).collect(),
        };
        let index = choose(&self.infos, choice).ok_or_else(none)?;
        self.all.get(index).cloned().zip(self.infos.get(index).cloned()).ok_or_else(none)
    }
}

fn describe(index: usize, adapter: &wgpu::Adapter) -> AdapterInfo {
    let info = adapter.get_info();
    let limits = adapter.limits();
    AdapterInfo {
        index,
        name: info.name,
        backend: info.backend.to_string(),
        driver: info.driver,
        driver_info: info.driver_info,
        kind: DeviceKind::from_wgpu(info.device_type),
        max_buffer_bytes: limits.max_buffer_size,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_workgroup_threads: limits.max_compute_invocations_per_workgroup,
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
    }
}

fn choose(infos: &[AdapterInfo], choice: &AdapterChoice) -> Option<usize> {
    let found = match choice {
        AdapterChoice::Auto => infos
            .iter()
            .filter_map(|info| info.kind.rank().map(|rank| (rank, info)))
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, info)| info),
        AdapterChoice::Index(index) => infos.get(*index),
        AdapterChoice::Name(name) => {
            let name = name.to_lowercase();
            infos.iter().find(|info| info.name.to_lowercase().contains(&name))
        }
        AdapterChoice::Software => infos.iter().find(|info| info.kind == DeviceKind::Software),
    };
    found.map(|info| info.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(index: usize, name: &str, kind: DeviceKind) -> AdapterInfo {
        AdapterInfo {
            index,
            name: name.to_owned(),
            backend: "vulkan".to_owned(),
            driver: String::new(),
            driver_info: String::new(),
            kind,
            max_buffer_bytes: 0,
            max_binding_bytes: 0,
            max_workgroup_threads: 0,
            max_workgroup_bytes: 0,
        }
    }

    #[test]
    fn automatic_choice_prefers_discrete_and_never_takes_software() {
        let soft = info(0, "soft", DeviceKind::Software);
        let small = info(1, "Small", DeviceKind::Integrated);
        let big = info(2, "Big", DeviceKind::Discrete);
        assert_eq!(choose(&[soft.clone(), small.clone(), big], &AdapterChoice::Auto), Some(2));
        assert_eq!(choose(std::slice::from_ref(&soft), &AdapterChoice::Auto), None);
        assert_eq!(choose(&[soft.clone(), small.clone()], &AdapterChoice::Name("sMaLL".into())), Some(1));
        assert_eq!(choose(&[soft, small], &AdapterChoice::Index(7)), None);
    }
}
