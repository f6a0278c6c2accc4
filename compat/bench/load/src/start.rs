//! Measures the time from the start of a process to its first healthy answer.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::process::{cpu_seconds, memory};

/// A server and how to ask for its health.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub command: Vec<String>,
    #[serde(default)]
    pub env: HashMap<String, String>,
    pub cwd: String,
    /// `host:port`.
    pub address: String,
    pub path: String,
    /// How often it is started.
    pub times: usize,
    /// How long it is left alone before its idle memory is read.
    pub settle: f64,
}

fn healthy(spec: &Spec) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&spec.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(
            format!("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", spec.path, spec.address).as_bytes(),
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"ok\""))
}

fn stop(child: &mut Child) -> Result<(), Failure> {
    Command::new("kill").arg(child.id().to_string()).status()?;
    let end = Instant::now() + Duration::from_secs(10);
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn once(spec: &Spec) -> Result<Value, Failure> {
    let (program, arguments) = spec.command.split_first().ok_or("no command")?;
    let mut command = Command::new(program);
    command.args(arguments).envs(&spec.env).current_dir(&spec.cwd);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn()?;
    while !healthy(spec) {
        if let Some(status) = child.try_wait()? {
            return Err(format!("{program} ended: {status}").into());
        }
        if begin.elapsed() > Duration::from_mins(1) {
            stop(&mut child)?;
            return Err(format!("{program} is not healthy after a minute").into());
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    let milliseconds = begin.elapsed().as_secs_f64() * 1000.0;
    let cpu = cpu_seconds(child.id())?;
    std::thread::sleep(Duration::from_secs_f64(spec.settle));
    let (resident, peak) = memory(child.id())?;
    stop(&mut child)?;
    Ok(json!({ "ms": milliseconds, "cpu": cpu, "rss_kib": resident, "peak_kib": peak }))
}

/// A list with one entry for each start.
pub fn run(spec: &Spec) -> Result<Value, Failure> {
    (0..spec.times).map(|_| once(spec)).collect()
}
