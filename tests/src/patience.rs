//! Waiting for something outside of this process, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

/// How often is looked again: short beside what a person notices, long beside what a look costs.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until there is something to see, and gives it back. After `limit` it is an error that
/// names `what` was waited for. A look that fails ends the waiting at once.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        if Instant::now() >= deadline {
            bail!("waited {:.1} s in vain for {what}", limit.as_secs_f64());
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_again_until_it_sees() {
        let mut looks = 0;
        let seen = until("three looks", Duration::from_secs(10), || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(seen.unwrap(), 3);
    }

    #[test]
    fn it_gives_up_and_says_on_what() {
        let error = until("rain", Duration::from_millis(1), || Ok(None::<()>)).unwrap_err();
        assert_eq!(error.to_string(), "waited 0.0 s in vain for rain");
        let error: anyhow::Result<()> = until("rain", Duration::from_mins(10), || {
            bail!("the roof is gone")
        });
        assert_eq!(error.unwrap_err().to_string(), "the roof is gone");
    }
}
