//! The window's sources: their packages, and the built files that the app embeds.

use std::fmt::Write as _;
use std::path::Path;
use std::time::UNIX_EPOCH;
use std::{fs, io};

use anyhow::Context as _;

use crate::{place, step};

/// What `npm run build` reads, below `ui/`.
const SOURCES: &[&str] = &[
    "src",
    "static",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

/// npm, in the window's folder.
pub(crate) fn npm(arguments: &[&str]) -> std::process::Command {
    step::command(&place::ui(), "npm", arguments)
}

/// Installs the packages when the lock file is not the one that they were installed from.
pub(crate) fn install() -> anyhow::Result<()> {
    let lock = fs::read(place::ui().join("package-lock.json")).context("read package-lock.json")?;
    let stamp = place::ui().join("node_modules/.holdfast-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    step::must("Install the window's packages", &mut npm(&["ci"]))?;
    fs::write(&stamp, lock).with_context(|| format!("write {}", stamp.display()))?;
    Ok(())
}

/// Builds `ui/dist` when a source is another than the one that it was built from.
pub(crate) fn build() -> anyhow::Result<()> {
    let sources = fingerprint(&place::ui())?;
    let stamp = place::target().join("xtask/ui-sources.txt");
    let built = place::ui().join("dist/index.html").exists();
    if built && fs::read_to_string(&stamp).is_ok_and(|of| of == sources) {
        return Ok(());
    }
    step::must("Build the window's files", &mut npm(&["run", "build"]))?;
    let folder = stamp.parent().context("the stamp lies in a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(&stamp, sources).with_context(|| format!("write {}", stamp.display()))?;
    Ok(())
}

/// Every source with its length and the time of its last change.
fn fingerprint(ui: &Path) -> anyhow::Result<String> {
    let mut lines = String::new();
    for source in SOURCES {
        list(&ui.join(source), &mut lines).with_context(|| format!("look at ui/{source}"))?;
    }
    Ok(lines)
}

fn list(path: &Path, lines: &mut String) -> io::Result<()> {
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(()); // not every source exists
    };
    if metadata.is_dir() {
        let mut inside = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        inside.sort();
        for path in inside {
            list(&path, lines)?;
        }
    } else {
        let changed = metadata
            .modified()?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{} {} {}",
            path.display(),
            metadata.len(),
            changed.as_nanos()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_an_addition_and_a_removal_change_the_fingerprint() {
        let ui = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(ui.path().join(name), text).unwrap();
        fs::create_dir_all(ui.path().join("src/lib")).unwrap();
        write("src/lib/a.ts", "1");
        let first = fingerprint(ui.path()).unwrap();
        assert_eq!(fingerprint(ui.path()).unwrap(), first);
        write("src/lib/a.ts", "12");
        let changed = fingerprint(ui.path()).unwrap();
        assert_ne!(changed, first);
        write("src/lib/b.ts", "1");
        let added = fingerprint(ui.path()).unwrap();
        assert_ne!(added, changed);
        fs::remove_file(ui.path().join("src/lib/b.ts")).unwrap();
        assert_eq!(fingerprint(ui.path()).unwrap(), changed);
        write("notes.txt", "no source");
        assert_eq!(fingerprint(ui.path()).unwrap(), changed);
    }
}
