//! Rules about files: their names, their types, what may be uploaded, how they are shown in a browser.

pub mod delivery;
pub mod extensions;
pub mod names;
pub mod types;
