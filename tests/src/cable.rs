//! A network cable between two programs that a test can cut and mend.

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;

/// A cable to a server on loopback. Programs connect to [`Cable::end`] instead of the server.
///
/// Its listener lives as long as the test program: it costs one blocked thread.
#[derive(Debug)]
pub struct Cable {
    end: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    cut: bool,
    /// Both halves of every connection that was made through it.
    plugged: Vec<TcpStream>,
    /// How many bytes may still go from the near end to the server before the cable breaks by
    /// itself; None for any number.
    bytes_left: Option<usize>,
}

impl Cable {
    /// A whole cable to `server`.
    pub fn to(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("lay a cable")?;
        let end = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                // A failed plug is a refused connection to the one who asked, as with a cut cable.
                let _ = plug(near, server, &shared);
            }
        });
        Ok(Self { end, state })
    }

    /// Where programs connect.
    pub fn end(&self) -> SocketAddr {
        self.end
    }

    /// Breaks every connection at once, in the middle of what is being sent, and lets none through
    /// until [`Cable::mend`].
    pub fn cut(&self) {
        cut(&mut lock(&self.state));
    }

    /// Breaks by itself after `bytes` more bytes towards the server: in the middle of a frame.
    pub fn cut_after(&self, bytes: usize) {
        lock(&self.state).bytes_left = Some(bytes);
    }

    /// True while it is cut.
    pub fn is_cut(&self) -> bool {
        lock(&self.state).cut
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        let mut state = lock(&self.state);
        state.cut = false;
        state.bytes_left = None;
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cut(state: &mut State) {
    state.cut = true;
    for stream in state.plugged.drain(..) {
        // An error means that it is broken already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn plug(near: TcpStream, server: SocketAddr, state: &Arc<Mutex<State>>) -> io::Result<()> {
    if lock(state).cut {
        return near.shutdown(Shutdown::Both);
    }
    let far = TcpStream::connect(server)?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let halves = [near.try_clone()?, far.try_clone()?];
    lock(state).plugged.extend(halves);
    let (near_reads, far_writes) = (near.try_clone()?, far.try_clone()?);
    let counted = Arc::clone(state);
    thread::spawn(move || carry(near_reads, far_writes, Some(&counted)));
    thread::spawn(move || carry(far, near, None));
    Ok(())
}

/// Carries bytes one way until either side ends; `counted` is set on the way to the server.
fn carry(mut from: TcpStream, mut to: TcpStream, counted: Option<&Mutex<State>>) {
    let mut buffer = [0_u8; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let passes = counted.map_or(length, |state| pass(&mut lock(state), length));
        if to.write_all(&buffer[..passes]).is_err() {
            break;
        }
        if passes < length {
            if let Some(state) = counted {
                cut(&mut lock(state));
            }
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// How many of `length` bytes still pass.
fn pass(state: &mut State, length: usize) -> usize {
    let Some(left) = &mut state.bytes_left else {
        return length;
    };
    let passes = length.min(*left);
    *left -= passes;
    passes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::patience::until;

    /// A server that sends back what it hears.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut writes = stream.try_clone().unwrap();
                    io::copy(&mut stream, &mut writes)
                });
            }
        });
        address
    }

    fn says(stream: &mut TcpStream, word: &[u8]) -> Option<Vec<u8>> {
        stream.write_all(word).ok()?;
        let mut heard = vec![0; word.len()];
        stream.read_exact(&mut heard).ok()?;
        Some(heard)
    }

    #[test]
    fn a_cut_cable_carries_nothing_until_it_is_mended() {
        let cable = Cable::to(echo()).unwrap();
        let mut stream = TcpStream::connect(cable.end()).unwrap();
        assert_eq!(says(&mut stream, b"here").unwrap(), b"here");
        cable.cut();
        assert_eq!(says(&mut stream, b"there"), None);
        let mut again = TcpStream::connect(cable.end()).unwrap();
        assert_eq!(says(&mut again, b"there"), None);
        cable.mend();
        until("the mended cable to carry", Duration::from_secs(5), || {
            let mut stream = TcpStream::connect(cable.end())?;
            Ok(says(&mut stream, b"here"))
        })
        .unwrap();
    }

    #[test]
    fn it_breaks_in_the_middle_of_a_word() {
        let cable = Cable::to(echo()).unwrap();
        let mut stream = TcpStream::connect(cable.end()).unwrap();
        cable.cut_after(3);
        stream.write_all(b"hello").unwrap();
        let mut heard = Vec::new();
        // How the break shows on this side (an end or a reset) is the system's choice.
        let _ = stream.read_to_end(&mut heard);
        assert!(heard.len() <= 3, "{heard:?}");
        assert!(cable.is_cut());
    }
}
