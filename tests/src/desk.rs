//! A console without its window, as a test sits at it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_console::{Console, ConsoleConfig, Token};
use holdfast_domain::{CallId, Reply, Request};
use holdfast_protocol::window::{About, BoardFilter, Frame, FrameRequest};
use tokio::runtime::Runtime;

use crate::patience::until;

/// A console and the runtime that it lives in.
#[derive(Debug)]
pub struct Desk {
    runtime: Runtime,
    console: Console,
}

impl Desk {
    /// A console of the hub for whoever has the token.
    pub fn at(hub: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let hub_url = format!("ws://{hub}/v1/console");
        let config = ConsoleConfig {
            about: About {
                version: "test".to_owned(),
                hub_url: hub_url.clone(),
                embedded: false,
                bridge_url: None,
                connection_file: None,
            },
            hub_url,
            token: Token::new(token),
            seed: 1,
        };
        let console = {
            let _inside = runtime.enter();
            Console::start(config)
        };
        Ok(Self { runtime, console })
    }

    /// All that the window would paint now, with a call open or not.
    pub fn frame(&self, open: Option<&str>) -> anyhow::Result<Frame> {
        let request = FrameRequest {
            ack: 0,
            first: 0,
            count: 100,
            frozen: false,
            filter: BoardFilter::default(),
            open: open.map(CallId::new),
        };
        Ok(self.runtime.block_on(self.console.frame(request))?)
    }

    /// Waits until a frame shows something.
    pub fn until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&Frame) -> Option<T>,
    ) -> anyhow::Result<T> {
        let seen = until(what, limit, || Ok(look(&self.frame(None)?)));
        seen.with_context(|| format!("the desk shows {:#?}", self.frame(None)))
    }

    /// Asks for something.
    pub fn ask(&self, request: Request) -> Reply {
        self.runtime.block_on(self.console.request(request))
    }
}
