//! Files that every page uses: the stylesheet, the script, the sign. They change with the program only: pages ask for them by
//! an address that says which content is meant, and what is asked for so is kept for good.

use std::sync::LazyLock;

use axum::extract::Query;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::auth::sha256;
use crate::limits::{STATIC_AGE, STATIC_AGE_UNNAMED, STATIC_VERSION_OCTETS};
use crate::routes::{PageRoute, open};

/// A file that every page uses.
#[derive(Debug)]
pub struct StaticFile {
    path: &'static str,
    media_type: &'static str,
    text: &'static str,
    version: LazyLock<String>,
}

/// The stylesheet.
pub static STYLE: StaticFile = StaticFile {
    path: "/static/portal.css",
    media_type: "text/css; charset=utf-8",
    text: include_str!("../../static/portal.css"),
    version: LazyLock::new(|| version(STYLE.text)),
};

/// The script.
pub static SCRIPT: StaticFile = StaticFile {
    path: "/static/portal.js",
    media_type: "text/javascript; charset=utf-8",
    text: include_str!("../../static/portal.js"),
    version: LazyLock::new(|| version(SCRIPT.text)),
};

/// The sign of the program.
pub static SIGN: StaticFile = StaticFile {
    path: "/static/sign.svg",
    media_type: "image/svg+xml",
    text: include_str!("../../static/sign.svg"),
    version: LazyLock::new(|| version(SIGN.text)),
};

/// What tells one content of a file from every other.
fn version(text: &str) -> String {
    let digest = sha256(&[text.as_bytes()]);
    let some = digest.iter().take(STATIC_VERSION_OCTETS);
    some.map(|octet| format!("{octet:02x}")).collect()
}

impl StaticFile {
    /// Where pages ask for this very content.
    pub fn address(&self) -> String {
        format!("{}?v={}", self.path, *self.version)
    }

    /// The file. Only the content that was asked for is kept for good: while an installation is brought up to date, a node may be
    /// asked for the content of another version of the program.
    fn answer(&self, asked: &Asked) -> Response {
        let age = match asked.v == *self.version {
            true => format!("public, max-age={STATIC_AGE}, immutable"),
            false => format!("public, max-age={STATIC_AGE_UNNAMED}"),
        };
        let headers = [
            (header::CONTENT_TYPE, self.media_type.to_owned()),
            (header::CACHE_CONTROL, age),
        ];
        (headers, self.text).into_response()
    }
}

/// What an address of a file says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    v: String,
}

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        route(&STYLE, STYLE.path),
        route(&SCRIPT, SCRIPT.path),
        route(&SIGN, SIGN.path),
        route(&SIGN, "/favicon.ico"),
    ]
}

fn route(file: &'static StaticFile, path: &'static str) -> PageRoute {
    open(Method::GET, path, move |asked: Query<Asked>| async move {
        file.answer(&asked)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The colours of a theme by their names.
    type Colours = BTreeMap<String, [f64; 3]>;

    fn colours(block: &str) -> Colours {
        let declarations = block.split(';').filter_map(|line| line.split_once(": #"));
        let colour = |(name, hex): (&str, &str)| {
            let name = name.rsplit("--").next()?.to_owned();
            let number = u32::from_str_radix(hex.trim(), 16).ok()?;
            let part = |shift: u32| f64::from(number >> shift & 255) / 255.0;
            Some((name, [part(16), part(8), part(0)]))
        };
        declarations.filter_map(colour).collect()
    }

    fn themes() -> [Colours; 2] {
        let mut roots = STYLE.text.split(":root {").skip(1);
        let mut next = || colours(roots.next().unwrap().split('}').next().unwrap());
        [next(), next()]
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: [f64; 3]) -> f64 {
        let linear = |part: f64| match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = colour.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    /// WCAG 2.2, level AA: 4.5 for text, 3 for what shows where a control or a shape is.
    #[test]
    fn everything_can_be_read_in_both_themes() {
        const TEXTS: [&str; 7] = [
            "ink",
            "quiet",
            "accent",
            "accent-deep",
            "bad",
            "good",
            "warn",
        ];
        const GROUNDS: [&str; 4] = ["paper", "side", "raised", "hover"];
        const PAIRS: [(&str, &str, f64); 14] = [
            ("on-accent", "accent", 4.5),
            ("on-accent", "accent-deep", 4.5),
            ("accent-deep", "accent-soft", 4.5),
            ("ink", "accent-soft", 4.5),
            ("ink", "good-soft", 4.5),
            ("ink", "warn-soft", 4.5),
            ("ink", "bad-soft", 4.5),
            ("ink", "info-soft", 4.5),
            ("bad", "bad-soft", 4.5),
            ("paper", "bad", 4.5),
            ("quiet", "accent-soft", 4.5),
            ("accent", "info-soft", 4.5),
            ("edge", "paper", 3.0),
            ("info", "paper", 3.0),
        ];
        let texts = TEXTS
            .iter()
            .flat_map(|text| GROUNDS.map(|ground| (*text, ground, 4.5)));
        let pairs: Vec<_> = texts.chain(PAIRS).collect();
        for (theme, name) in themes().iter().zip(["light", "dark"]) {
            for (text, ground, least) in &pairs {
                let own = contrast(theme[*text], theme[*ground]);
                assert!(own >= *least, "{name}: {text} on {ground} is {own:.2}");
            }
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for file in [STYLE.text, SCRIPT.text] {
            for foreign in [
                "url(",
                "@import",
                "http:",
                "https:",
                "//cdn",
                "eval(",
                "@font-face",
            ] {
                assert!(!file.contains(foreign), "{foreign}");
            }
        }
    }

    #[test]
    fn templates_have_no_style_or_script_of_their_own() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join("templates")];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                for refused in [
                    " style=",
                    "<style",
                    "javascript:",
                    " onclick=",
                    " onchange=",
                    "|safe",
                ] {
                    assert!(!text.contains(refused), "{}: {refused}", path.display());
                }
                let scripts = text.matches("<script").count();
                assert_eq!(
                    scripts,
                    usize::from(path.ends_with("base.html")),
                    "{}",
                    path.display()
                );
                seen += 1;
            }
        }
        assert!(seen > 20);
    }

    #[test]
    fn only_the_content_that_was_asked_for_is_kept_for_good() {
        let file = &SCRIPT;
        for (asked, kept) in [
            (file.version.as_str(), true),
            ("", false),
            ("0123456789abcdef", false),
        ] {
            let answer = file.answer(&Asked {
                v: asked.to_owned(),
            });
            let age = answer.headers()[header::CACHE_CONTROL].to_str().unwrap();
            assert_eq!(age.contains("immutable"), kept, "{asked}: {age}");
        }
        assert_ne!(STYLE.address(), SCRIPT.address().replace(".js", ".css"));
    }
}
