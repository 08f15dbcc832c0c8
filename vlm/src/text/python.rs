//! What chat templates take from Python: how values are written, JSON, and dates.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value, escape_formatter};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Writes a value as `str` does, and refuses what is not meant to be read, so that a list of parts given to a template
/// that knows only text does not get into a prompt unseen.
pub(super) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let refused = |what| Err(Error::new(ErrorKind::InvalidOperation, format!("{what} is written where text belongs")));
    match value.kind() {
        ValueKind::None => Ok(out.write_str("None")?),
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "True" } else { "False" })?),
        ValueKind::Seq | ValueKind::Iterable => refused("a list"),
        ValueKind::Map => refused("a mapping"),
        _ => escape_formatter(out, state, value),
    }
}

/// A value as `json.dumps(value, ensure_ascii=False, indent=indent)` writes it.
pub(super) fn to_json(value: &Value, options: &Kwargs) -> Result<String, Error> {
    let invalid = |reason: String| Error::new(ErrorKind::InvalidOperation, reason);
    let indent: Option<usize> = options.get("indent")?;
    if options.get::<Option<bool>>("ensure_ascii")? == Some(true) {
        return Err(invalid("tojson: ensure_ascii is not known".into()));
    }
    options.assert_all_used()?;
    // More than anybody wants to read would only eat memory.
    match indent.filter(|indent| *indent <= 64) {
        Some(indent) => dump(value, PrettyFormatter::with_indent(&vec![b' '; indent])),
        None if indent.is_some() => Err("tojson: indent is too wide".into()),
        None => dump(value, Spaced(CompactFormatter)),
    }
    .map_err(invalid)
}

fn dump(value: &Value, formatter: impl Formatter) -> Result<String, String> {
    let mut json = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut json, formatter)).map_err(|error| error.to_string())?;
    String::from_utf8(json).map_err(|error| error.to_string())
}

/// One line with spaces after commas and colons.
struct Spaced(CompactFormatter);

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time, UTC, as `strftime` writes it in English.
pub(super) fn format_time(unix_s: i64, format: &str) -> Result<String, Error> {
    let (days, second) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let month_name = MONTHS[month - 1];
    // The epoch was a Thursday.
    let day_name = DAYS[(days + 4).rem_euclid(7) as usize];
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let directive = rest.next();
        out += &match directive {
            Some('a') => day_name[..3].to_owned(),
            Some('A') => day_name.to_owned(),
            Some('b') => month_name[..3].to_owned(),
            Some('B') => month_name.to_owned(),
            Some('d') => format!("{day:02}"),
            Some('m') => format!("{month:02}"),
            Some('y') => format!("{:02}", year.rem_euclid(100)),
            Some('Y') => year.to_string(),
            Some('F') => format!("{year}-{month:02}-{day:02}"),
            Some('H') => format!("{hour:02}"),
            Some('M') => format!("{minute:02}"),
            Some('S') => format!("{:02}", second % 60),
            Some('T') => format!("{hour:02}:{minute:02}:{:02}", second % 60),
            Some('%') => "%".to_owned(),
            _ => {
                let reason = format!("strftime_now: {format:?} has a directive that is not known");
                return Err(Error::new(ErrorKind::InvalidOperation, reason));
            }
        };
    }
    Ok(out)
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
///
/// Source: `civil_from_days` in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms". Years begin in March
/// there, so that the leap day is the last one.
fn date(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (400 * era + year_of_era + i64::from(month <= 2), month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_around_leap_days() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (19_782, (2024, 2, 29)),
            (19_783, (2024, 3, 1)),
            (-25_509, (1900, 2, 28)),
            (-25_508, (1900, 3, 1)),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
    }

    #[test]
    fn time_is_written_as_asked() {
        // Python: datetime.fromtimestamp(1709251199, UTC).strftime(...)
        let written = format_time(1_709_251_199, "%A %a, %d %b (%B) %y %Y %m %F %T %H:%M:%S 100%%").unwrap();
        assert_eq!(written, "Thursday Thu, 29 Feb (February) 24 2024 02 2024-02-29 23:59:59 23:59:59 100%");
        assert!(format_time(0, "%Q").unwrap_err().to_string().contains("\"%Q\""));
        assert!(format_time(i64::MAX, "%Y").is_ok() && format_time(i64::MIN, "%Y %").is_err());
    }
}
