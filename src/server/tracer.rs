//! Starts the traces that the options ask for.

use super::StartError;
use crate::adapters::otlp::{Exporter, QUEUE, Sender, Settings};
use crate::config::Options;
use crate::config::traces::{Traces, endpoint_of, pairs};
use crate::config::values::Sampler;
use crate::random::Random;
use crate::traces::{self, Sampling};

/// Starts to trace. `None`: the options ask for no traces, or another server of this process has started it.
///
/// # Errors
/// If the options cannot be met.
pub(super) fn start(options: &Options, random: &dyn Random) -> Result<Option<Exporter>, StartError> {
    let Some(settings) = settings(&options.own.traces, random).map_err(StartError::Configuration)? else {
        return Ok(None);
    };
    let sender = Sender::new(settings);
    let sender = sender.map_err(|error| StartError::Configuration(format!("option traces: {error}")))?;
    let mut seed = [0; 8];
    random.fill(&mut seed);
    let spans = traces::start(sampling(&options.own.traces), u64::from_le_bytes(seed), QUEUE);
    Ok(spans.map(|spans| sender.start(spans)))
}

fn settings(options: &Traces, random: &dyn Random) -> Result<Option<Settings>, String> {
    let Some(endpoint) = &options.endpoint else { return Ok(None) };
    let endpoint = endpoint_of(endpoint)?;
    let headers = options.headers.as_ref().map(|headers| pairs(headers.expose())).transpose()?.unwrap_or_default();
    let mut resource = vec![
        ("service.name".to_owned(), options.service_name.clone()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id".to_owned(), random.hex(16)),
    ];
    let more = options.resource.as_deref().map(pairs).transpose()?.unwrap_or_default();
    // The name has an option of its own; of the rest, what the administrator says holds.
    let more: Vec<_> = more.into_iter().filter(|(name, _)| name != "service.name").collect();
    resource.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    resource.extend(more);
    Ok(Some(Settings { endpoint, headers, resource }))
}

fn sampling(options: &Traces) -> Sampling {
    match options.sampler {
        Sampler::AlwaysOn => Sampling::new(1.0, false),
        Sampler::AlwaysOff => Sampling::new(0.0, false),
        Sampler::TraceIdRatio => Sampling::new(options.ratio, false),
        Sampler::ParentBasedAlwaysOn => Sampling::ALL,
        Sampler::ParentBasedAlwaysOff => Sampling::new(0.0, true),
        Sampler::ParentBasedTraceIdRatio => Sampling::new(options.ratio, true),
    }
}
