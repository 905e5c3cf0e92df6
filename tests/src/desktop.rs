//! A display in memory. Each test has its own, so no test disturbs another or the person who runs
//! it.

use std::process::Command;
use std::time::Duration;

use crate::patience::until;
use crate::program::Program;

/// How long the display may take to appear.
const APPEAR: Duration = Duration::from_secs(20);

/// The size of the display. The app's window fills it.
pub const SIZE: (u32, u32) = (1440, 900);

/// A display; it is gone when this is dropped.
#[derive(Debug)]
pub struct Desktop {
    number: u32,
    _server: Program,
}

impl Desktop {
    /// Opens one.
    pub fn open() -> anyhow::Result<Self> {
        let screen = format!("{}x{}x24", SIZE.0, SIZE.1);
        // It picks a free number by itself and says it, so two of them never quarrel over one.
        let server = Program::start(
            "Xvfb",
            Command::new("Xvfb").args(["-displayfd", "1", "-screen", "0", &screen, "-noreset"]),
        )?;
        let number = until("Xvfb to say its number", APPEAR, || {
            let said = server.said();
            Ok(said.lines().find_map(|line| line.trim().parse().ok()))
        })?;
        Ok(Self {
            number,
            _server: server,
        })
    }

    /// Its name, for the environment variable `DISPLAY`.
    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_desktops_live_side_by_side() {
        let (one, other) = (Desktop::open().unwrap(), Desktop::open().unwrap());
        assert_ne!(one.name(), other.name());
    }
}
