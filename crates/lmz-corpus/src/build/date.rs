//! Days, as sources write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::Month;

/// A day of the Gregorian calendar, `2026-06-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(time::Date);

impl Date {
    /// The day in a text that begins with one: `2026-06-01`, `2026-06-01T12:00:00Z`.
    pub fn leading(text: &str) -> Option<Self> {
        let day = text.get(..10)?;
        let rest = text.as_bytes().get(10);
        day.parse()
            .ok()
            .filter(|_| rest.is_none_or(|b| !b.is_ascii_digit()))
    }

    /// The day of `Mon, 2 Apr 2007 19:18:42 GMT`, as it is written, whatever its time zone.
    pub fn rfc822(text: &str) -> Option<Self> {
        let found = mail_parser::DateTime::parse_rfc822(text)?;
        Self::new(i32::from(found.year), found.month, found.day)
    }

    /// A day by its numbers.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let month = Month::try_from(month).ok()?;
        time::Date::from_calendar_date(year, month, day)
            .ok()
            .map(Self)
    }

    /// The day now, in UTC.
    pub fn today() -> Self {
        Self(time::OffsetDateTime::from(std::time::SystemTime::now()).date())
    }

    /// The day `days` later.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        let day = self.0.to_julian_day().saturating_add(days);
        Self(time::Date::from_julian_day(day).unwrap_or(self.0))
    }

    /// How many days lie between `earlier` and this one.
    pub fn since(self, earlier: Self) -> i32 {
        self.0.to_julian_day() - earlier.0.to_julian_day()
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a day as in 2026-06-01");
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, b)| match at {
                4 | 7 => *b == b'-',
                _ => b.is_ascii_digit(),
            });
        if !shaped {
            return Err(wrong());
        }
        let number = |from: usize, to: usize| text[from..to].parse::<u16>().unwrap_or(0);
        let (month, day) = (number(5, 7) as u8, number(8, 10) as u8);
        Self::new(i32::from(number(0, 4)), month, day).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(day) = self;
        write!(
            f,
            "{:04}-{:02}-{:02}",
            day.year(),
            u8::from(day.month()),
            day.day()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_sources_write_them() {
        let day = Date::new(2007, 4, 2);
        assert_eq!(Date::rfc822("Mon, 2 Apr 2007 19:18:42 GMT"), day);
        assert_eq!(Date::leading("2007-04-02T19:18:42Z"), day);
        assert_eq!(Date::leading("2007-04-02"), day);
        for text in [
            "2007-04-31",
            "2007-4-2",
            "2007-04-021",
            "",
            "ä007-04-02",
            "soon",
        ] {
            assert_eq!(Date::leading(text), None, "{text}");
        }
        assert_eq!(day.unwrap().to_string(), "2007-04-02");
        assert_eq!(day.unwrap().plus(29), Date::new(2007, 5, 1).unwrap());
        assert_eq!(day.unwrap().plus(29).since(day.unwrap()), 29);
    }
}
