//! Which trace and span a piece of work belongs to, as W3C Trace Context writes it (header `traceparent`).

use std::fmt;

/// The header, in requests and where they are handed on.
pub const TRACEPARENT: &str = "traceparent";

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The id of the trace; never 0.
    pub trace: u128,
    /// The id of the span; never 0.
    pub span: u64,
    /// Whether whoever began the trace records it.
    pub sampled: bool,
}

impl Context {
    /// Reads a `traceparent`. `None` if it is malformed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = parts.next().filter(|version| is_hex(version, 2) && *version != "ff")?;
        let trace = parts.next().filter(|trace| is_hex(trace, 32))?;
        let span = parts.next().filter(|span| is_hex(span, 16))?;
        let flags = parts.next().filter(|flags| is_hex(flags, 2))?;
        // Later versions may have more parts.
        if version == "00" && parts.next().is_some() {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { trace, span, sampled: flags & 1 == 1 })
    }

    /// The id of the trace as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

/// As a `traceparent`.
impl fmt::Display for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{:032x}-{:016x}-0{}", self.trace, self.span, u8::from(self.sampled))
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::Context;

    #[test]
    fn a_place_is_known_by_a_well_formed_header() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let read = |text: &str| Context::read(text).map(|context| (context.trace_id(), context.sampled));
        let known = |sampled| Some((id.to_owned(), sampled));
        assert_eq!(read(&format!("00-{id}-00f067aa0ba902b7-01")), known(true));
        assert_eq!(read(&format!("00-{id}-00f067aa0ba902b7-02")), known(false));
        assert_eq!(read(&format!("cc-{id}-00f067aa0ba902b7-01-more")), known(true));
        for wrong in [
            String::new(),
            id.to_owned(),
            format!("00-{id}-00f067aa0ba902b7"),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{id}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            format!("00-{id}x-00f067aa0ba902b7-01"),
            format!("00-+{}-00f067aa0ba902b7-01", &id[1..]),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for sampled in [true, false] {
            let context = Context { trace: 1 << 100, span: 77, sampled };
            assert_eq!(Context::read(&context.to_string()), Some(context));
        }
    }
}
