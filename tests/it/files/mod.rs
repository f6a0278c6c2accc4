//! File stores: the same cases for each of them, and what each alone promises.

mod clouds;
mod commands;
mod conformance;
mod gridfs;
mod http;
mod images;
mod memory;
mod npm;
mod places;
mod settings;
mod upkeep;
