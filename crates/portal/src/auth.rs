//! Who asks, and what they may: sessions, API tokens, and the proof that handlers demand.

mod permitted;
mod who;

pub use permitted::{
    Admin, Book, Needs, Oneself, Operate, Permitted, Posted, Read, Resell, Uploaded, Write,
};
pub use who::{Authenticated, CSRF_FIELD, CSRF_HEADER, SESSION_COOKIE, Signed, authenticate};
