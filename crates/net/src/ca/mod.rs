//! Authorities that certify the keys of managed mailboxes, one file each.

pub mod builtin;
