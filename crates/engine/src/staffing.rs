//! How long callers would wait for a human: the Erlang A queue (M/M/n+M).
//!
//! Calls arrive at random, each human serves one call at a time, and a caller leaves when their
//! patience ends. With arrivals `λ`, service `μ`, `n` humans and abandonment `θ` (each per second),
//!
//! ```text
//! x = nμ/θ   y = λ/θ   ρ = λ/(nμ)   B = Erlang B of n humans and load λ/μ
//! A(x, y)       = 1 + Σ y^j / ((x+1)(x+2)...(x+j)) = x e^y y^-x γ(x, y)
//! P(wait)       = A B / (1 + (A - 1) B)
//! P(leave|wait) = 1/(ρ A) + 1 - 1/ρ,  and the mean wait is P(leave)/θ
//! P(V > t)      = P(wait) γ(x, y e^-θt) / γ(x, y)      V: the wait of one who never leaves
//! ```
//!
//! after Palm (1957) and A. Mandelbaum and S. Zeltyn, "Service engineering in action: the
//! Palm/Erlang-A queue, with applications to call centers" (2007). Sums run from their largest
//! term and in logarithms, so that thousands of humans and a flood of calls neither overflow nor
//! vanish.

use std::fmt;

/// The most humans that are considered.
pub const HUMANS_MAX: u32 = 100_000;
/// The most arrivals an hour: the largest national helplines take about a million.
pub const ARRIVALS_PER_HOUR_MAX: f64 = 10_000_000.0;
/// The shortest handling time and patience in seconds: less is no conversation.
pub const SECONDS_MIN: f64 = 1.0;
/// The longest handling time and patience in seconds, a day: more is no call. It also bounds the
/// sums to less than a million terms.
pub const SECONDS_MAX: f64 = 86_400.0;

/// Terms below this share of a sum do not change it.
const NEGLIGIBLE: f64 = 1e-17;
/// Halvings of the interval of a quantile: a day becomes less than a microsecond.
const HALVINGS: u32 = 60;
/// Doublings until an upper bound of a quantile is found: from a millisecond to far beyond what
/// one human needs for a queue of the limits above.
const DOUBLINGS: u32 = 64;

/// A queue of callers who wait for humans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Staffing {
    arrivals_per_hour: f64,
    handle_s: f64,
    humans: u32,
    patience_s: f64,
}

/// What callers of such a queue meet once it has settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictedWait {
    /// The share of callers who wait at all, 0 to 1.
    pub wait_probability: f64,
    /// The mean wait in seconds over all callers, those included who are served at once and those
    /// who leave.
    pub mean_wait_s: f64,
    /// The share of callers who leave before a human answers, 0 to 1.
    pub abandoned_share: f64,
    /// The share of their time that humans talk, 0 to 1.
    pub occupancy: f64,
    staffing: Staffing,
}

/// Why there is no prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StaffingError {
    /// The arrivals are no number from 0 to [`ARRIVALS_PER_HOUR_MAX`].
    Arrivals(f64),
    /// The handling time is no number from [`SECONDS_MIN`] to [`SECONDS_MAX`].
    HandleTime(f64),
    /// The patience is no number from [`SECONDS_MIN`] to [`SECONDS_MAX`].
    Patience(f64),
    /// More humans than [`HUMANS_MAX`].
    Humans(u32),
    /// A quantile is asked for a share that is not from 0 to below 1.
    Share(f64),
}

impl Staffing {
    /// A queue: `arrivals_per_hour` calls for `humans` who need `handle_s` seconds for each on
    /// average, from callers who wait for `patience_s` seconds on average before they leave.
    pub fn new(
        arrivals_per_hour: f64,
        handle_s: f64,
        humans: u32,
        patience_s: f64,
    ) -> Result<Self, StaffingError> {
        // A comparison with a NaN is false, so a NaN is refused too.
        if !(0.0..=ARRIVALS_PER_HOUR_MAX).contains(&arrivals_per_hour) {
            return Err(StaffingError::Arrivals(arrivals_per_hour));
        }
        if !(SECONDS_MIN..=SECONDS_MAX).contains(&handle_s) {
            return Err(StaffingError::HandleTime(handle_s));
        }
        if !(SECONDS_MIN..=SECONDS_MAX).contains(&patience_s) {
            return Err(StaffingError::Patience(patience_s));
        }
        if humans > HUMANS_MAX {
            return Err(StaffingError::Humans(humans));
        }
        Ok(Self {
            arrivals_per_hour,
            handle_s,
            humans,
            patience_s,
        })
    }

    /// What its callers meet.
    pub fn predict(self) -> PredictedWait {
        let load = self.load();
        let settled = |wait_probability, abandoned_share, occupancy| PredictedWait {
            wait_probability,
            mean_wait_s: abandoned_share * self.patience_s,
            abandoned_share,
            occupancy,
            staffing: self,
        };
        if self.humans == 0 {
            return settled(1.0, 1.0, 0.0);
        }
        if load == 0.0 {
            return settled(0.0, 0.0, 0.0);
        }
        let n_humans = f64::from(self.humans);
        let ln_a = ln_a(self.capacity(), self.pressure());
        let blocked = erlang_b(self.humans, load);
        // The formula above, divided by A: nothing in it can overflow.
        let wait_probability = if blocked == 0.0 {
            0.0
        } else {
            blocked / (blocked + (1.0 - blocked) * (-ln_a).exp())
        };
        let leave_if_wait = 1.0 + (-ln_a).exp_m1() * n_humans / load;
        let abandoned = wait_probability * leave_if_wait.clamp(0.0, 1.0);
        let occupancy = (load * (1.0 - abandoned) / n_humans).clamp(0.0, 1.0);
        settled(wait_probability, abandoned, occupancy)
    }

    /// Humans who would be busy if nobody left.
    fn load(self) -> f64 {
        self.arrivals_per_hour / 3_600.0 * self.handle_s
    }

    /// x: calls that all humans end while one caller's patience lasts.
    fn capacity(self) -> f64 {
        f64::from(self.humans) * self.patience_s / self.handle_s
    }

    /// y: calls that arrive while one caller's patience lasts.
    fn pressure(self) -> f64 {
        self.arrivals_per_hour / 3_600.0 * self.patience_s
    }

    /// P(V > t) / P(V > 0) in logarithms; needs a human.
    fn ln_longer_than(self, seconds: f64, ln_a_now: f64) -> f64 {
        let gone = seconds / self.patience_s;
        let later = self.pressure() * (-gone).exp();
        // ln γ(x, z) - ln γ(x, y) with γ(x, z) = z^x e^-z A(x, z) / x.
        -self.capacity() * gone - self.pressure() * (-gone).exp_m1() + ln_a(self.capacity(), later)
            - ln_a_now
    }
}

impl PredictedWait {
    /// The seconds within which a human answers this share of the callers, were all to stay: what
    /// a caller can honestly be told. None when nobody ever answers.
    pub fn wait_s_quantile(&self, share: f64) -> Result<Option<f64>, StaffingError> {
        if !(0.0..1.0).contains(&share) {
            return Err(StaffingError::Share(share));
        }
        let staffing = self.staffing;
        if staffing.humans == 0 {
            return Ok(None);
        }
        if self.wait_probability <= 1.0 - share {
            return Ok(Some(0.0));
        }
        let target = (1.0 - share).ln() - self.wait_probability.ln();
        let ln_a_now = ln_a(staffing.capacity(), staffing.pressure());
        let is_longer = |seconds: f64| staffing.ln_longer_than(seconds, ln_a_now) > target;
        let mut above = 0.001;
        for _ in 0..DOUBLINGS {
            if !is_longer(above) {
                break;
            }
            above *= 2.0;
        }
        let mut below = 0.0;
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(below, above);
            if is_longer(middle) {
                below = middle;
            } else {
                above = middle;
            }
        }
        Ok(Some(above))
    }
}

/// The share of calls that find every human busy when nobody waits (Erlang B), by its recursion.
fn erlang_b(humans: u32, load: f64) -> f64 {
    (1..=humans).fold(1.0, |blocked, n| {
        let offered = load * blocked;
        offered / (f64::from(n) + offered)
    })
}

/// ln A(x, y). The terms grow while `y > x + j`, so the sum begins at the largest.
fn ln_a(x: f64, y: f64) -> f64 {
    let peak = (y - x).floor().max(0.0);
    // Both sums are relative to the largest term.
    let mut sum = 1.0;
    let mut term = 1.0;
    let mut j = peak;
    while term > sum * NEGLIGIBLE {
        j += 1.0;
        term *= y / (x + j);
        sum += term;
    }
    if peak == 0.0 {
        // Without the leading 1, which swallows what is small beside it.
        return ln_1p_of_terms(x, y, sum);
    }
    term = 1.0;
    j = peak;
    while term > sum * NEGLIGIBLE && j > 0.0 {
        term *= (x + j) / y;
        sum += term;
        j -= 1.0;
    }
    peak * y.ln() - (ln_gamma(x + peak + 1.0) - ln_gamma(x + 1.0)) + sum.ln()
}

/// ln of `sum`, exactly also where all its terms but the first are tiny.
fn ln_1p_of_terms(x: f64, y: f64, sum: f64) -> f64 {
    let second = y / (x + 1.0);
    if second > 1e-3 {
        return sum.ln();
    }
    // The fourth term is below 1e-9 of the second here, the fifth below 1e-12 and so on.
    let third = second * y / (x + 2.0);
    let fourth = third * y / (x + 3.0);
    let fifth = fourth * y / (x + 4.0);
    (second + third + fourth + fifth).ln_1p()
}

/// ln Γ(z) for z of 1 and more: Stirling's series, from 16 on exact to 14 digits.
fn ln_gamma(z: f64) -> f64 {
    let mut z = z;
    let mut product = 1.0_f64;
    while z < 16.0 {
        product *= z;
        z += 1.0;
    }
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square / 1_260.0));
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    (z - 0.5) * z.ln() - z + half_ln_tau + series - product.ln()
}

impl fmt::Display for StaffingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrivals(value) => write!(
                f,
                "{value} is no number of calls an hour; give 0 to {ARRIVALS_PER_HOUR_MAX}"
            ),
            Self::HandleTime(value) => write!(
                f,
                "{value} s is no handling time; give {SECONDS_MIN} to {SECONDS_MAX} s"
            ),
            Self::Patience(value) => write!(
                f,
                "{value} s is no patience; give {SECONDS_MIN} to {SECONDS_MAX} s"
            ),
            Self::Humans(value) => {
                write!(f, "{value} humans are too many; give 0 to {HUMANS_MAX}")
            }
            Self::Share(value) => write!(
                f,
                "{value} is no share of callers; give a number from 0 to below 1"
            ),
        }
    }
}

impl std::error::Error for StaffingError {}

#[cfg(test)]
mod tests;
