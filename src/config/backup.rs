//! Options of backups of the embedded store.

use super::declare::Status::Supported;
use super::declare::group;
use super::free::Free;
use super::values::TextList;

group! {
    /// Backups of the embedded store that the server makes by itself.
    pub struct Backup {
        /// Times of the day in UTC at which a backup is made, such as `03:00`; without any, none is made.
        schedule: TextList = TextList(Vec::new()), "schedule", "REPARSE_BACKUP_SCHEDULE", Supported;
        /// Number of backups to keep; older ones are removed.
        keep: u32 = 7, "keep", "REPARSE_BACKUP_KEEP", Supported;
        /// Where backups go: a folder, or an object store as in the option filesAdapter (default: the folder `backups` in the data directory).
        to: Option<Free> = None, "to", "REPARSE_BACKUP_TO", Supported;
    }
}

/// The minute of the day that a time such as `03:00` names.
#[must_use]
pub fn minute_of_day(time: &str) -> Option<u32> {
    let (hours, minutes) = time.split_once(':')?;
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::minute_of_day;

    #[test]
    fn times_of_the_day() {
        assert_eq!(minute_of_day("00:00"), Some(0));
        assert_eq!(minute_of_day("23:59"), Some(23 * 60 + 59));
        for bad in ["", "3:00", "24:00", "12:60", "12", "12:00:00", "+1:00", "ab:cd"] {
            assert_eq!(minute_of_day(bad), None, "{bad}");
        }
    }
}
