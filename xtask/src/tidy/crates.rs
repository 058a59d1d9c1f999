//! Rules on the crate graph: arrows one way, and what the pure crates may be built with.
//! Crates that may be nowhere at all stand in `deny.toml`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Finding;
use super::budget::{DIRECTIONS, IMPURE, PURE};

/// The crates of this workspace, and for each pure one all that is built with it.
#[derive(Debug, Default)]
pub struct Graph {
    members: Vec<Member>,
    /// Name of a pure crate to what `cargo tree` prints for it.
    trees: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Member {
    name: String,
    manifest: String,
    /// Crates of this workspace it names, whatever for.
    inside: Vec<String>,
    /// Crates from outside it names in `[dependencies]`.
    outside: Vec<String>,
}

impl Graph {
    /// Asks cargo, without touching `Cargo.lock`.
    pub fn load(root: &Path) -> Result<Self, String> {
        let text = cargo(root, &["metadata", "--format-version", "1", "--no-deps"])?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        let mut graph = Self {
            members: list(&value, "packages").map(member).collect(),
            trees: BTreeMap::new(),
        };
        for (name, _) in PURE {
            let arguments = [
                "tree", "--edges", "normal", "--target", "all", "--prefix", "depth",
            ];
            let arguments = [arguments.as_slice(), &["--locked", "--package", name]].concat();
            graph
                .trees
                .insert((*name).to_owned(), cargo(root, &arguments)?);
        }
        Ok(graph)
    }

    /// Runs every rule on the graph.
    pub fn check(&self, found: &mut Vec<Finding>) {
        for member in &self.members {
            direction(member, found);
            if let Some((_, allowed)) = PURE.iter().find(|(name, _)| *name == member.name) {
                allow_list(member, allowed, found);
            }
            if let Some(tree) = self.trees.get(&member.name) {
                reach(member, tree, found);
            }
        }
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn direction(member: &Member, found: &mut Vec<Finding>) {
    let Some((_, allowed)) = DIRECTIONS.iter().find(|(name, _)| *name == member.name) else {
        let what = format!("`{}` has no place in the crate graph of tidy", member.name);
        found.push(finding(member, "direction", what));
        return;
    };
    for used in member
        .inside
        .iter()
        .filter(|one| !allowed.contains(&one.as_str()))
    {
        let what = format!("`{}` must not depend on `{used}`", member.name);
        found.push(finding(member, "direction", what));
    }
}

/// Finds every impure crate that is built with a pure one, and the way to it.
/// Each line of the tree is a depth and a crate: `2libc v0.2.1`.
fn reach(member: &Member, tree: &str, found: &mut Vec<Finding>) {
    let mut way: Vec<&str> = Vec::new();
    for line in tree.lines() {
        let crate_part = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let depth = line[..line.len() - crate_part.len()].parse().unwrap_or(0);
        let name = crate_part.split(' ').next().unwrap_or_default();
        way.truncate(depth);
        way.push(name);
        if IMPURE.contains(&name) {
            let what = format!("`{name}` is reached by {}", way.join(" -> "));
            found.push(finding(member, "impure crate", what));
        }
    }
}

fn allow_list(member: &Member, allowed: &[&str], found: &mut Vec<Finding>) {
    for used in member
        .outside
        .iter()
        .filter(|one| !allowed.contains(&one.as_str()))
    {
        let what = format!(
            "`{used}` is not on the allow-list of the pure crate `{}`",
            member.name
        );
        found.push(finding(member, "allow-list", what));
    }
}

fn finding(member: &Member, rule: &'static str, what: String) -> Finding {
    Finding {
        file: member.manifest.clone(),
        line: 0,
        rule,
        what,
    }
}

fn member(package: &Value) -> Member {
    let manifest = text(package, "manifest_path");
    let mut member = Member {
        name: text(package, "name"),
        manifest: last_parts(&manifest),
        ..Member::default()
    };
    for dependency in list(package, "dependencies") {
        let name = text(dependency, "name");
        if dependency["path"].is_string() {
            member.inside.push(name);
        } else if dependency["kind"].is_null() {
            member.outside.push(name);
        }
    }
    member
}

/// `.../crates/mail/Cargo.toml` as `mail/Cargo.toml`: enough to find it, the same on every machine.
fn last_parts(path: &str) -> String {
    let parts: Vec<&str> = path.rsplit(['/', '\\']).take(2).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(name: &str, dependencies: Value, tree: &str) -> Vec<String> {
        let manifest = format!("/x/{name}/Cargo.toml");
        let package =
            json!({"name": name, "manifest_path": manifest, "dependencies": dependencies});
        let graph = Graph {
            members: vec![member(&package)],
            trees: BTreeMap::from([(name.to_owned(), tree.to_owned())]),
        };
        let mut found = Vec::new();
        graph.check(&mut found);
        found.iter().map(ToString::to_string).collect()
    }

    fn inside(name: &str) -> Value {
        json!([{"name": name, "kind": null, "path": "/x"}])
    }

    fn outside(name: &str, kind: Option<&str>) -> Value {
        json!([{"name": name, "kind": kind}])
    }

    #[test]
    fn arrows_go_one_way() {
        assert!(rules("sealgate-core", inside("sealgate-mail"), "").is_empty());
        for (name, used) in [
            ("sealgate-mail", "sealgate-core"),
            ("sealgate-net", "sealgate-store"),
            ("sealgate-portal", "sealgate-net"),
            ("sealgate-store", "sealgate"),
        ] {
            let found = rules(name, inside(used), "");
            let what = format!("direction: `{name}` must not depend on `{used}`");
            assert_eq!(found, [format!("{name}/Cargo.toml:0: {what}")]);
        }
        assert!(rules("eighth", json!([]), "")[0].contains("no place"));
    }

    #[test]
    fn pure_crates_keep_to_their_list() {
        assert!(rules("sealgate-mail", outside("memchr", None), "").is_empty());
        assert!(rules("sealgate-mail", outside("rand", Some("dev")), "").is_empty());
        assert!(rules("sealgate-net", outside("rand", None), "").is_empty());
        let found = rules("sealgate-mail", outside("rand", None), "");
        assert!(found[0].contains("allow-list: `rand`"), "{found:?}");
    }

    #[test]
    fn impure_crates_are_found_however_deep() {
        let tree =
            "0sealgate-mail v0.1.0 (/x)\n1serde v1.0.0\n1a v1.0.0\n2b v0.1.0\n3tokio v1.0.0\n";
        let found = rules("sealgate-mail", json!([]), tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("sealgate-mail -> a -> b -> tokio"),
            "{found:?}"
        );
        assert!(
            rules(
                "sealgate-mail",
                json!([]),
                "0sealgate-mail v0.1.0\n1serde v1.0.0\n"
            )
            .is_empty()
        );
    }
}
