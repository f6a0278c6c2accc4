//! CPU time and memory of a process, read from `/proc` on Linux.

use std::collections::HashMap;
use std::fs;

use serde_json::{Value, json};

use crate::Failure;

/// Clock ticks a second in `/proc/…/stat`: 100 on every architecture that Linux and Rust share.
const TICKS: f64 = 100.0;

/// CPU seconds that the process has used so far in all its threads, those that ended included.
pub fn cpu_seconds(pid: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // the name of the program stands in parentheses and may hold anything
    let after = stat.rsplit_once(')').map(|(_, after)| after).ok_or("unreadable /proc/…/stat")?;
    let mut fields = after.split_ascii_whitespace().skip(11);
    let mut next = || fields.next().and_then(|field| field.parse::<u32>().ok()).ok_or("unreadable /proc/…/stat");
    Ok(f64::from(next()? + next()?) / TICKS)
}

/// Resident memory now and at its highest, in KiB.
pub fn memory(pid: u32) -> Result<(u64, u64), Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let read = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)?.split_ascii_whitespace().next()?.parse::<u64>().ok())
    };
    Ok((read("VmRSS:").ok_or("no VmRSS")?, read("VmHWM:").ok_or("no VmHWM")?))
}

/// The CPU time that some processes use between two moments; this process is among them as `load`.
pub struct Meter(Vec<(String, u32, f64)>);

impl Meter {
    pub fn start(watch: &HashMap<String, u32>) -> Result<Self, Failure> {
        let own = ("load".to_owned(), std::process::id());
        let all = watch.iter().map(|(name, pid)| (name.clone(), *pid)).chain([own]);
        Ok(Self(all.map(|(name, pid)| Ok((name, pid, cpu_seconds(pid)?))).collect::<Result<_, Failure>>()?))
    }

    /// For each process the CPU seconds since the start, and its memory in KiB.
    pub fn stop(self) -> Result<Value, Failure> {
        let mut report = serde_json::Map::new();
        for (name, pid, before) in self.0 {
            let (resident, peak) = memory(pid)?;
            report.insert(name, json!({ "cpu": cpu_seconds(pid)? - before, "rss_kib": resident, "peak_kib": peak }));
        }
        Ok(Value::Object(report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        let (resident, peak) = memory(pid).unwrap();
        assert!(resident > 100 && peak >= resident);
        let before = cpu_seconds(pid).unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_millis(200);
        while std::time::Instant::now() < end {
            std::hint::spin_loop();
        }
        assert!(cpu_seconds(pid).unwrap() > before);
    }
}
