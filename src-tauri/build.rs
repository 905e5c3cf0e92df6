//! Generates the permissions of the two commands, so that the window may call these and nothing
//! else.

fn main() {
    let commands = tauri_build::AppManifest::new().commands(&["frame", "request"]);
    let attributes = tauri_build::Attributes::new().app_manifest(commands);
    tauri_build::try_build(attributes).expect("tauri.conf.json and capabilities/ are complete");
}
