//! The interop matrix: which cells there are, who takes part, and what each cell must show.
//!
//! In a cell one program writes and another one reads. It passes if what was written names the algorithms of the cell and is
//! encoded as it says, if the reader calls it good, and if the content comes out octet for octet.
//!
//! A skipped cell runs all the same. It may only fail, and only where the peer cannot read what it writes itself, or cannot
//! write it; and where it does not read what `openssl` writes either.

pub mod bouncy_castle;
pub mod cell;
pub mod gpgsm;
pub mod matrix;
pub mod nss;
pub mod openssl;
pub mod ours;
pub mod peer;
pub mod people;
pub mod report;
pub mod skip;
pub mod wrap;
