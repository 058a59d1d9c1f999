//! What people and scripts use: REST API and pages
