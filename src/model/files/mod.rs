//! Rules about files: their names, their types, what may be uploaded, how they are shown in a browser.

pub mod addresses;
pub mod delivery;
pub mod hosts;
pub mod image;
pub mod names;
pub mod types;
