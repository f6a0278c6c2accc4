//! The header `Range` (RFC 9110, 14).

use std::ops::Range;

/// Maximum number of ranges in a request; a request for more gets the whole file.
const MAX_RANGES: usize = 16;

/// The part of a file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of it, with status 200: the request has no valid range.
    Whole,
    /// These parts, with status 206: one, or several as `multipart/byteranges`.
    Parts(Vec<Range<u64>>),
    /// Nothing, with status 416: every range begins after the end of the file.
    Unsatisfiable,
}

/// Parses the header for a file of this length.
///
/// Invalid headers are ignored, as the RFC says: another unit, a malformed list, an end before its start. So are overlapping
/// or too many ranges, with which a small request could cause much work.
#[must_use]
pub fn select(header: Option<&str>, length: u64) -> Selection {
    let Some((unit, list)) = header.and_then(|header| header.split_once('=')) else { return Selection::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Selection::Whole;
    }
    let mut parts: Vec<Range<u64>> = Vec::new();
    for (count, spec) in list.split(',').map(str::trim).filter(|spec| !spec.is_empty()).enumerate() {
        let Some(range) = parse(spec, length) else { return Selection::Whole };
        if count == MAX_RANGES {
            return Selection::Whole;
        }
        if range.is_empty() {
            continue;
        }
        if parts.iter().any(|part| part.start < range.end && range.start < part.end) {
            return Selection::Whole;
        }
        parts.push(range);
    }
    if list.split(',').all(|spec| spec.trim().is_empty()) {
        Selection::Whole
    } else if parts.is_empty() {
        Selection::Unsatisfiable
    } else {
        Selection::Parts(parts)
    }
}

/// Parses a range and limits it to the file; empty if it begins after the end; `None` if it is not a range.
fn parse(spec: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        return Some(length.saturating_sub(number(last)?)..length);
    }
    let first = number(first)?;
    let end = if last.is_empty() { length } else { number(last).filter(|last| *last >= first)?.saturating_add(1) };
    Some(first..end.min(length).max(first))
}

/// Parses digits. A number that is too large becomes the largest number.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// `Content-Range` of a part.
#[must_use]
pub fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1))
}

/// `Content-Range` of 416.
#[must_use]
pub fn unsatisfied(length: u64) -> String {
    format!("bytes */{length}")
}

/// The framing of a response with several parts.
#[derive(Debug, Clone)]
pub struct Multipart {
    /// Bytes before each part, in order.
    pub heads: Vec<String>,
    /// Bytes after the last part.
    pub tail: String,
    /// `Content-Type` of the response.
    pub content_type: String,
    /// `Content-Length` of the response.
    pub length: u64,
}

impl Multipart {
    /// Builds the framing for these parts. `boundary` consists of random letters, so that it does not occur in the file.
    #[must_use]
    pub fn new(parts: &[Range<u64>], length: u64, content_type: &str, boundary: &str) -> Self {
        let head = |part| {
            let range = content_range(part, length);
            format!("\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {range}\r\n\r\n")
        };
        let heads: Vec<String> = parts.iter().map(head).collect();
        let tail = format!("\r\n--{boundary}--\r\n");
        let frame = heads.iter().map(String::len).sum::<usize>() + tail.len();
        let bytes: u64 = parts.iter().map(|part| part.end - part.start).sum();
        let content_type = format!("multipart/byteranges; boundary={boundary}");
        Self { heads, tail, content_type, length: bytes + frame as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let parts = |parts: &[(u64, u64)]| Selection::Parts(parts.iter().map(|(start, end)| *start..*end).collect());
        for (header, expected) in [
            ("bytes=0-0", parts(&[(0, 1)])),
            ("bytes=0-4", parts(&[(0, 5)])),
            ("bytes=5-", parts(&[(5, 10)])),
            ("bytes=9-9", parts(&[(9, 10)])),
            ("bytes=-3", parts(&[(7, 10)])),
            ("bytes=-100", parts(&[(0, 10)])),
            ("bytes=0-100", parts(&[(0, 10)])),
            ("bytes=0-99999999999999999999999999", parts(&[(0, 10)])),
            (" Bytes = 1-2 , 4-5 ", parts(&[(1, 3), (4, 6)])),
            ("bytes=,1-2,", parts(&[(1, 3)])),
            ("bytes=8-9,0-1", parts(&[(8, 10), (0, 2)])),
            ("bytes=0-1,20-30", parts(&[(0, 2)])),
            ("bytes=20-30", Selection::Unsatisfiable),
            ("bytes=10-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
            ("bytes=99999999999999999999999999-", Selection::Unsatisfiable),
            ("bytes=5-2", Selection::Whole),
            ("bytes=0-5,3-8", Selection::Whole),
            ("bytes=0-5,0-5", Selection::Whole),
            ("items=0-1", Selection::Whole),
            ("bytes", Selection::Whole),
            ("bytes=", Selection::Whole),
            ("bytes=,", Selection::Whole),
            ("bytes=-", Selection::Whole),
            ("bytes=a-b", Selection::Whole),
            ("bytes=1--2", Selection::Whole),
            ("bytes=+1-2", Selection::Whole),
            ("bytes=1-2-3", Selection::Whole),
            ("bytes=0x1-2", Selection::Whole),
            ("bytes=1.5-2", Selection::Whole),
            ("", Selection::Whole),
        ] {
            assert_eq!(select(Some(header), 10), expected, "{header}");
        }
        assert_eq!(select(None, 10), Selection::Whole);
        assert_eq!(select(Some("bytes=0-"), 0), Selection::Unsatisfiable);
        assert_eq!(select(Some("bytes=-5"), 0), Selection::Unsatisfiable);
        let many: Vec<String> = (0..17).map(|at| format!("{}-{}", at * 2, at * 2)).collect();
        assert_eq!(select(Some(&format!("bytes={}", many.join(","))), 100), Selection::Whole);
        assert_eq!(select(Some("bytes=0-18446744073709551615"), u64::MAX), parts(&[(0, u64::MAX)]));
    }

    #[test]
    fn several_parts_are_framed() {
        let multipart = Multipart::new(&[0..2, 8..10], 10, "text/plain", "b");
        assert_eq!(multipart.heads[1], "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n");
        let frame: usize = multipart.heads.iter().map(String::len).sum();
        assert_eq!(multipart.length, (frame + multipart.tail.len() + 4) as u64);
    }
}
