//! The pages: forms and links that work without script. One file for each topic, its templates beside in `templates/`.

pub mod mailboxes;
pub mod problem;
pub mod statics;

use crate::routes::PageRoute;

/// Every page of the portal.
pub fn routes() -> Vec<PageRoute> {
    [mailboxes::routes(), statics::routes()]
        .into_iter()
        .flatten()
        .collect()
}
