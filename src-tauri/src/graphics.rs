//! Whether the window is composited, which has to be decided before GTK starts.
//!
//! Without a GPU, WebKit composites in software: that costs a hundred megabytes and unsteady
//! frames, and gains nothing. With one it is what keeps frames fast. WebKit reads its choice from
//! the environment; as setting a variable is not safe in a program that has threads, and libraries
//! of ours may start some, the app starts itself anew in its own place with the variable set.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

const CHOICE: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// Starts the app anew without compositing, if there is no GPU and nobody has chosen. Returns when
/// there is nothing to change.
pub(crate) fn settle() -> anyhow::Result<()> {
    if env::var_os(CHOICE).is_some() || has_gpu(Path::new("/dev/dri")) {
        return Ok(());
    }
    let error = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(CHOICE, "1")
        .exec();
    Err(anyhow::Error::new(error).context("start without compositing"))
}

/// A GPU that programs may render with has a render node.
fn has_gpu(devices: &Path) -> bool {
    fs::read_dir(devices).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_shows_by_its_render_node() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_gpu(&folder.path().join("dri")));
        assert!(!has_gpu(folder.path()));
        fs::write(folder.path().join("card0"), "").unwrap();
        assert!(
            !has_gpu(folder.path()),
            "a display controller alone renders nothing"
        );
        fs::write(folder.path().join("renderD128"), "").unwrap();
        assert!(has_gpu(folder.path()));
    }
}
