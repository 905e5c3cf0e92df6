//! The desktop app as cargo builds it.

use std::path::PathBuf;

use crate::place;

/// The feature under which the window's built files are embedded; without it the app looks for a
/// development server.
pub(crate) const EMBEDDED: &str = "holdfast/custom-protocol";

/// The app's program, built in `profile`.
pub(crate) fn program(profile: &str) -> PathBuf {
    place::target().join(profile).join("holdfast")
}
