//! The times at which a periodic task runs.

use std::time::Duration;

use chrono::Weekday;

use crate::clock::Timestamp;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The first Monday after 1970-01-01, which was a Thursday.
const FIRST_MONDAY: Duration = Duration::from_secs(4 * 24 * 3600);

/// The times at which a task runs. Hours and weekdays are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Once in each period, counted from 1970: an hourly task runs shortly after each full hour.
    Every(Duration),
    /// Once a day, shortly after this hour.
    Daily(u8),
    /// Once a week, shortly after this hour of this day.
    Weekly(Weekday, u8),
}

/// One slot of a task, which one worker has taken.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Slot {
    /// The name of the task.
    pub name: String,
    /// The start of the slot.
    #[sqlx(rename = "slot")]
    pub start: Timestamp,
}

impl Schedule {
    /// Returns the length of a slot.
    pub fn period(self) -> Duration {
        match self {
            Schedule::Every(period) => period,
            Schedule::Daily(_) => DAY,
            Schedule::Weekly(..) => 7 * DAY,
        }
    }

    /// Returns the start of some slot, counted from 1970.
    pub(in crate::queue) fn origin(self) -> Duration {
        match self {
            Schedule::Every(_) => Duration::ZERO,
            Schedule::Daily(hour) => HOUR * u32::from(hour),
            Schedule::Weekly(day, hour) => {
                FIRST_MONDAY + DAY * day.num_days_from_monday() + HOUR * u32::from(hour)
            }
        }
    }
}

/// The name of a task, and when it runs.
pub type Scheduled<'a> = (&'a str, Schedule);

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, Timelike};

    use super::*;

    #[test]
    fn an_origin_is_at_the_hour_and_on_the_day() {
        let at = |schedule: Schedule| {
            DateTime::from_timestamp(i64::try_from(schedule.origin().as_secs()).unwrap(), 0).unwrap()
        };
        assert_eq!(at(Schedule::Every(HOUR)), DateTime::UNIX_EPOCH);
        assert_eq!(at(Schedule::Daily(3)).hour(), 3);
        for day in [Weekday::Mon, Weekday::Thu, Weekday::Sun] {
            let weekly = at(Schedule::Weekly(day, 23));
            assert_eq!((weekly.weekday(), weekly.hour(), weekly.minute()), (day, 23, 0));
        }
    }
}
