//! What people and scripts use. So far the words: states and modes in German and English, exactly as requirements.md gives them.

pub mod terms;
