//! Settings of convolutional networks.

use serde::{Deserialize, Serialize};

use crate::data::ImageShape;
use crate::nn::{Picture, VggHead};
use crate::{Error, Result};

/// What ends a convolutional network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// Two dense layers.
    #[default]
    Dense,
    /// A GM layer.
    Gm,
}

impl Head {
    /// Whether it need not be written into a file.
    pub(super) fn is_dense(&self) -> bool {
        *self == Self::Dense
    }

    /// The layers that it is, a GM layer having so many components.
    pub(super) fn with(self, components: usize) -> VggHead {
        match self {
            Self::Dense => VggHead::Dense,
            Self::Gm => VggHead::Gm(components),
        }
    }
}

/// By what widths are divided where a file does not say it.
pub(super) fn full_width() -> usize {
    1
}

/// Whether that need not be written into a file.
pub(super) fn is_full_width(narrow: &usize) -> bool {
    *narrow == full_width()
}

/// The pictures of a data set.
pub(super) fn picture(image: Option<ImageShape>) -> Result<Picture> {
    let found = image.map(|image| Picture { channels: image.channels, height: image.height, width: image.width });
    found.ok_or_else(|| Error::Config("the data are no pictures, which convolutions and augmentation need".to_owned()))
}
