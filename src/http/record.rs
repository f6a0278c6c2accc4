//! What becomes known of a request while it is answered: for its log line, its metrics and its span.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use poem::Request;

use crate::domain::kernel::context::Context;

/// The record of a request. The middleware puts it on the request, and whoever learns something writes it in.
#[derive(Debug, Clone, Default)]
pub struct RequestRecord(Arc<Mutex<Known>>);

/// What is known of a request.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The route, as the table of routes has it.
    pub route: Option<Arc<str>>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// What the request is about.
    pub subject: Option<Subject>,
    /// The name of the key whose rights it has.
    pub key: Option<&'static str>,
    /// The user whose rights it has: an `objectId`, or `dashboard:NAME`.
    pub user: Option<String>,
}

/// What a request is about, as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A class.
    Class(String),
    /// A function of cloud code.
    Function(String),
    /// A job of cloud code.
    Job(String),
}

/// Longest name of a subject that is kept, in characters: a client may send any text in its place.
const LONGEST_NAME: usize = 128;

impl Subject {
    /// What a parameter of a path names, if it names a subject.
    #[must_use]
    pub fn of_parameter(name: &str, value: &str) -> Option<Self> {
        let value = || value.chars().take(LONGEST_NAME).collect();
        match name {
            "className" => Some(Self::Class(value())),
            "functionName" => Some(Self::Function(value())),
            "jobName" => Some(Self::Job(value())),
            _ => None,
        }
    }
}

impl RequestRecord {
    /// The record of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        request.data::<Self>().cloned().unwrap_or_default()
    }

    /// Sets the route.
    pub fn set_route(&self, route: Arc<str>) {
        self.change(|known| known.route = Some(route));
    }

    /// Sets the client's address.
    pub fn set_address(&self, address: IpAddr) {
        self.change(|known| known.address = Some(address));
    }

    /// Sets what the request is about.
    pub fn set_subject(&self, subject: Subject) {
        self.change(|known| known.subject = Some(subject));
    }

    /// Sets whose rights the request has.
    pub fn set_caller(&self, cx: &Context) {
        let dashboard = || cx.client.dashboard.as_deref().map(|name| format!("dashboard:{name}"));
        let user = cx.caller.user_id().map(str::to_owned).or_else(dashboard);
        self.change(|known| {
            known.key = Some(cx.caller.key());
            known.user = user;
        });
    }

    /// The route, if it has been set.
    #[must_use]
    pub fn route(&self) -> Option<Arc<str>> {
        self.known().route.clone()
    }

    /// What is known by now. Nobody else learns or sets anything while the caller has it.
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known());
    }
}

/// What has arrived of the body of a request. The connection puts it on requests that have one.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<(AtomicU64, AtomicBool)>);

impl Received {
    /// Counts bytes that have been read.
    pub fn add(&self, bytes: usize) {
        self.0.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Records that the client broke off before the end.
    pub fn break_off(&self) {
        self.0.1.store(true, Ordering::Relaxed);
    }

    /// The bytes that have been read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Whether the client broke off before the end.
    #[must_use]
    pub fn is_broken_off(&self) -> bool {
        self.0.1.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_short_whatever_a_client_sends() {
        let Some(Subject::Class(name)) = Subject::of_parameter("className", &"é".repeat(10_000)) else {
            panic!("no class")
        };
        assert_eq!(name.chars().count(), LONGEST_NAME);
        assert_eq!(Subject::of_parameter("objectId", "x"), None);
        assert_eq!(Subject::of_parameter("jobName", "clean"), Some(Subject::Job("clean".into())));
    }
}
