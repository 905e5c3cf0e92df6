//! Saves a picture of the app's window once it shows live calls:
//! `holdfast-snapshot FILE.png APP [ARGUMENTS..]`. For `cargo xtask console --snapshot`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_tests::window::Opening;

/// How long the platform may take to have calls on the board.
const CALLS: Duration = Duration::from_mins(1);

/// How long is waited, beyond that, for a call that needs somebody: a board on which nothing
/// happens is true too, and says less.
const NEED: Duration = Duration::from_secs(20);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let picture = PathBuf::from(arguments.next().context("name the picture to save")?);
    let mut opening = Opening::of(arguments.next().context("name the app to open")?);
    for argument in arguments {
        opening = opening.argument(argument);
    }
    let window = opening.open()?;
    window.find("[role=row][data-call]", CALLS)?;
    let _ = window.find("[role=row][data-need]:not([data-need=calm])", NEED);
    window.picture(&picture)?;
    Ok(())
}
