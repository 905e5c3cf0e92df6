//! Where things are in the checkout.

use std::path::{Path, PathBuf};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask/ lies in the root of the checkout")
        .to_owned()
}

/// The window's sources, an npm package.
pub(crate) fn ui() -> PathBuf {
    root().join("ui")
}

/// The bridge for Pipecat, a Python package.
pub(crate) fn pipecat() -> PathBuf {
    root().join("bridges/pipecat")
}

/// Cargo's output folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}
