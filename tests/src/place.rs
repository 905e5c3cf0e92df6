//! Where things are.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root of the checkout")
        .to_owned()
}

/// A program of ours, from the build that the running test belongs to.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // Tests run from target/PROFILE/deps, programs from target/PROFILE.
    let path = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    let Some(path) = path else {
        bail!(
            "{name} is not built beside {}. `cargo xtask test` builds it; or run \
             `cargo build --workspace --all-targets --features holdfast/custom-protocol`",
            own.display()
        );
    };
    Ok(path)
}

/// Python, with the bridge for Pipecat and its packages.
pub fn python() -> anyhow::Result<PathBuf> {
    let path = root().join("bridges/pipecat/.venv/bin/python");
    if !path.exists() {
        bail!(
            "{} does not exist. `cargo xtask test` makes it",
            path.display()
        );
    }
    Ok(path)
}

/// A port on loopback that nobody listens on now.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("ask for a free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_built_is_named_with_what_to_do() {
        let error = binary("no-such-program").unwrap_err().to_string();
        assert!(error.contains("no-such-program is not built") && error.contains("cargo build"));
    }

    #[test]
    fn a_free_port_can_be_listened_on() {
        TcpListener::bind(("127.0.0.1", free_port().unwrap())).unwrap();
    }
}
