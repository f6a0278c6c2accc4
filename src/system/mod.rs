//! What every operating system has in a form of its own, one file for each thing. Nothing else asks which system this is, except
//! where one has something that others lack altogether.

pub mod folders;
pub mod limits;
pub mod local_socket;
pub mod signals;
pub mod supervisor;
