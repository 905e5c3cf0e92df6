//! Writes what is generated from the types of this crate: `generate ROOT-OF-THE-CHECKOUT`.
//! For `cargo xtask generate`, which so need not be built with this crate.

use std::error::Error;
use std::path::PathBuf;

use holdfast_protocol::generate;

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os()
        .nth(1)
        .ok_or("name the root of the checkout")?;
    let root = PathBuf::from(root);
    generate::typescript(&root.join("ui/src/lib/generated"))?;
    generate::json_schema(&root.join("docs/protocol"))?;
    generate::playbook_schema(&root.join("docs"))?;
    generate::playbook_page(&root.join("docs"))?;
    Ok(())
}
