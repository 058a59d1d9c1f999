//! Who asks, and what they may: signing in, sessions, API tokens, and the proof that handlers demand.

mod doors;
pub mod oidc;
pub mod own;
pub mod passwords;
mod permitted;
pub mod secrets;
pub mod sign_in;
pub mod totp;
pub mod tries;
mod who;

pub use doors::{Doors, Visitor};
pub use permitted::{
    Admin, Book, Needs, Oneself, Operate, Permitted, Posted, Read, Resell, Uploaded, Write,
};
pub use who::{
    Authenticated, CSRF_FIELD, CSRF_HEADER, SESSION_COOKIE, Signed, authenticate, cookie, sha256,
};
