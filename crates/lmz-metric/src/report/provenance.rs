//! Where and when a result was made, for who wants to make it again.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What a figure does not depend on, and a reader may ask for: it differs between two runs of the same figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The revision of lmz's source that the program was built from (`LMZ_REVISION` when it was built), if that is
    /// known; the version stands beside it.
    pub revision: Option<String>,
    /// When the run ended, in UTC: `2026-11-29T16:07:18Z`.
    pub date: String,
    /// The command line, argument by argument.
    pub command: Vec<String>,
    /// Threads of the CPU.
    pub threads: u64,
    /// The machine's name.
    pub host: String,
    /// How many weights the model has.
    pub weights: u64,
}

impl Provenance {
    /// Of this process and this moment, for a model of so many weights that ran on so many threads.
    pub fn now(weights: u64, threads: usize) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let command = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
        Self {
            revision: option_env!("LMZ_REVISION").map(str::to_owned),
            date: date(since.map_or(0, |since| since.as_secs())),
            command: command.collect(),
            threads: threads as u64,
            host: host(),
            weights,
        }
    }
}

/// Name of this machine, as far as it can be told.
fn host() -> String {
    let file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = file.or_else(|| std::env::var("HOSTNAME").ok());
    name.map_or_else(|| "unknown".into(), |name| name.trim().to_owned())
}

/// Seconds since 1970 as a date in UTC (RFC 3339). The calendar is computed as in "chrono-Compatible Low-Level Date
/// Algorithms" (Howard Hinnant), `civil_from_days`, for dates after 1970.
fn date(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Eras of 400 years begin in March.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_968_438, "2026-11-29T16:07:18Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }
}
