//! Files that every page uses: the stylesheet, the script, the sign. They change with the program only.

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};

use crate::routes::{PageRoute, open};

const STYLE: &str = include_str!("../../static/portal.css");
const SCRIPT: &str = include_str!("../../static/portal.js");
const SIGN: &str = include_str!("../../static/sign.svg");

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        open(Method::GET, "/static/portal.css", || {
            file("text/css; charset=utf-8", STYLE)
        }),
        open(Method::GET, "/static/portal.js", || {
            file("text/javascript; charset=utf-8", SCRIPT)
        }),
        open(Method::GET, "/static/sign.svg", || {
            file("image/svg+xml", SIGN)
        }),
        open(Method::GET, "/favicon.ico", || file("image/svg+xml", SIGN)),
    ]
}

async fn file(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, text).into_response()
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
        let mut roots = STYLE.split(":root {").skip(1);
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
        for file in [STYLE, SCRIPT] {
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
}
