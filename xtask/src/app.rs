//! The desktop app as cargo builds it.

use std::path::PathBuf;

use crate::place;

/// The feature under which the window's built files are embedded; without it the app looks for a
/// development server.
pub(crate) const EMBEDDED: &str = "holdfast/custom-protocol";

/// The app's program.
pub(crate) fn program(release: bool) -> PathBuf {
    let folder = if release { "release" } else { "debug" };
    place::target().join(folder).join("holdfast")
}
