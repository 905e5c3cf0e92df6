//! Holdfast on the desktop: the window around the console.
//!
//! ```text
//! arguments -> desk (hub and simulator of our own, or a team's hub) -> console -> window
//! ```
//!
//! Deliberately absent: any decision. What the window shows is made in `console`, what happens to
//! calls in the hub.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod commands;
mod connection_file;
mod desk;
#[cfg(target_os = "linux")]
mod graphics;

use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use tauri::RunEvent;
use tracing_subscriber::EnvFilter;

use arguments::Arguments;

/// How long the hub of this app may take to write its last checkpoint. A person who closes a
/// window does not wait longer; the journal is whole without it.
const CLOSE_MAX: Duration = Duration::from_secs(3);

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    #[cfg(target_os = "linux")]
    graphics::settle()?;
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    tauri::async_runtime::set(runtime.handle().clone());
    let (console, mut own_hub) = runtime.block_on(desk::open(&arguments))?;

    let app = tauri::Builder::default()
        .manage(console)
        .invoke_handler(tauri::generate_handler![commands::frame, commands::request])
        .build(tauri::generate_context!())
        .context("open the window")?;
    #[cfg(unix)]
    runtime.spawn(leave_when_told(app.handle().clone()));
    app.run(move |_, event| {
        if let RunEvent::Exit = event
            && let Some(own_hub) = own_hub.take()
        {
            let close = async { tokio::time::timeout(CLOSE_MAX, own_hub.close()).await };
            if runtime.block_on(close).is_err() {
                tracing::warn!("the hub was stopped before its last checkpoint");
            }
        }
    });
    Ok(())
}

/// Ends the app in order when the system asks it to.
#[cfg(unix)]
async fn leave_when_told(app: tauri::AppHandle) {
    if let Err(error) = told_to_leave().await {
        tracing::warn!(%error, "the app cannot hear the system's signals");
        return;
    }
    app.exit(0);
}

#[cfg(unix)]
async fn told_to_leave() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
