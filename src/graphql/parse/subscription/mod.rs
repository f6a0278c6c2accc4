//! Subscriptions: live queries for GraphQL clients.
//!
//! A dialect compiles a field to a [`Followed`]; [`events`] follows the query and writes each event as a response. A [`Subscriber`] is who
//! does so, over a web socket ([`socket`], which async-graphql-poem serves) or by one request whose answer is a stream ([`stream`]),
//! or by several that share such a stream ([`shared`]).

pub mod events;
pub mod plan;
pub mod shared;
pub mod socket;
pub mod stream;
pub mod subscriber;

pub use events::Events;
pub use plan::{EventPlan, Followed, event_type};
pub use subscriber::Subscriber;
