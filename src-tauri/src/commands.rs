//! What the window may call.

use holdfast_console::Console;
use holdfast_domain::{Reply, Request};
use holdfast_protocol::window::{Frame, FrameRequest};
use tauri::State;

/// What the window paints next.
#[tauri::command]
pub(crate) async fn frame(
    console: State<'_, Console>,
    request: FrameRequest,
) -> Result<Frame, String> {
    console
        .frame(request)
        .await
        .map_err(|gone| gone.to_string())
}

/// Asks the hub for something; a refusal is a reply too.
#[tauri::command]
pub(crate) async fn request(console: State<'_, Console>, request: Request) -> Result<Reply, ()> {
    Ok(console.request(request).await)
}
