//! Rules on Rust code: sizes, `unsafe`, durable receipts, documented limits, lints switched off.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ImplItemFn, Item, ItemConst, ItemFn, ItemImpl, ItemMod, Signature,
    TraitItemFn,
};

use super::Finding;
use super::budget::*;
use super::files::Source;

/// Runs every code rule on one Rust file. `is_test` says that the whole file is test code.
pub fn check(source: &Source, is_test: bool, found: &mut Vec<Finding>) {
    let file = match syn::parse_file(&source.text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().start().line;
            found.push(finding(source, line, "syntax", error.to_string()));
            return;
        }
    };
    let mut reader = Reader {
        source,
        test_depth: usize::from(is_test),
        test_lines: 0,
        found,
    };
    reader.visit_file(&file);
    let lines = source.text.lines().count() - reader.test_lines;
    if !is_test && lines > FILE_LINES {
        let what = format!("{lines} lines without tests, allowed are {FILE_LINES}");
        found.push(finding(source, lines, "file length", what));
    }
    let described = file.attrs.iter().any(|one| one.path().is_ident("doc"));
    if !described && !is_test && is_of_a_crate(&source.path) {
        let what = "no `//!` comment says what this file decides".to_owned();
        found.push(finding(source, 1, "file comment", what));
    }
    check_unsafe(source, found);
}

fn is_of_a_crate(path: &str) -> bool {
    path.contains("/src/") || path.starts_with("src/")
}

fn finding(source: &Source, line: usize, rule: &'static str, what: String) -> Finding {
    Finding {
        file: source.path.clone(),
        line,
        rule,
        what,
    }
}

/// `unsafe` is a word of the language, so any token of that name counts; strings and comments do not.
fn check_unsafe(source: &Source, found: &mut Vec<Finding>) {
    let allowed = [UNSAFE_MODULE, UNSAFE_BENCH].contains(&source.path.as_str())
        || source.path.starts_with(UNSAFE_MODULE_DIRECTORY);
    let Ok(tokens) = source.text.parse::<TokenStream>() else {
        return;
    };
    let mut waiting = vec![tokens];
    while let Some(stream) = waiting.pop() {
        for token in stream {
            match token {
                TokenTree::Group(group) => waiting.push(group.stream()),
                TokenTree::Ident(word) if word == "unsafe" && !allowed => {
                    let what = format!("allowed in {UNSAFE_MODULE} only");
                    found.push(finding(source, word.span().start().line, "unsafe", what));
                }
                _ => {}
            }
        }
    }
}

/// Whether these attributes make an item test code: `#[cfg(test)]`, `#[test]`, `#[tokio::test]`.
pub fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| {
        let last = one
            .path()
            .segments
            .last()
            .map(|part| part.ident.to_string());
        let is_cfg_test = one.path().is_ident("cfg")
            && matches!(&one.meta, syn::Meta::List(list) if list.tokens.to_string() == "test");
        is_cfg_test || last.as_deref() == Some("test")
    })
}

struct Reader<'a> {
    source: &'a Source,
    /// Above 0: inside test code.
    test_depth: usize,
    /// Lines of test modules so far.
    test_lines: usize,
    found: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    fn add(&mut self, span: Span, rule: &'static str, what: String) {
        let one = finding(self.source, span.start().line, rule, what);
        self.found.push(one);
    }

    /// Reads what is inside an item, as test code if its attributes say so.
    fn within(&mut self, attributes: &[Attribute], read: impl FnOnce(&mut Self)) {
        let step = usize::from(is_test_only(attributes));
        self.test_depth += step;
        read(self);
        self.test_depth -= step;
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        let name = &signature.ident;
        let lines = lines_between(signature.span(), block.brace_token.span.close());
        let beside_table = if self.test_depth > 0 {
            FUNCTION_LINES
        } else {
            LINES_BESIDE_TABLE
        };
        if lines > FUNCTION_LINES && lines - largest_table(block) > beside_table {
            let what = format!("`{name}` has {lines} lines, allowed are {FUNCTION_LINES}");
            self.add(signature.span(), "function length", what);
        }
        self.parameters(signature);
    }

    fn parameters(&mut self, signature: &Signature) {
        let count = signature
            .inputs
            .iter()
            .filter(|one| matches!(one, syn::FnArg::Typed(_)))
            .count();
        if count > PARAMETERS {
            let name = &signature.ident;
            let what = format!("`{name}` has {count}, allowed are {PARAMETERS}, then a struct");
            self.add(signature.span(), "parameters", what);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if self.test_depth == 0 && is_test_only(&module.attrs) {
            self.test_lines += lines_between(module.span(), module.span());
        }
        self.within(&module.attrs, |reader| {
            visit::visit_item_mod(reader, module)
        });
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.sig, &function.block);
        self.within(&function.attrs, |reader| {
            visit::visit_item_fn(reader, function)
        });
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        match &function.default {
            Some(block) => self.function(&function.sig, block),
            None => self.parameters(&function.sig),
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let is_receipt = item.trait_.as_ref().is_some_and(|(path, _)| {
            path.segments
                .last()
                .is_some_and(|part| part.ident == RECEIPT)
        });
        self.within(&item.attrs, |reader| {
            let at_home = RECEIPT_HOMES
                .iter()
                .any(|home| reader.source.path.starts_with(home));
            if is_receipt && reader.test_depth == 0 && !at_home {
                let what = format!(
                    "`{RECEIPT}` may be implemented in {} only",
                    RECEIPT_HOMES.join(", ")
                );
                reader.add(item.span(), "receipt", what);
            }
            visit::visit_item_impl(reader, item);
        });
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        let in_limits = self.source.path.ends_with("/limits.rs");
        if in_limits && doc_words(&item.attrs) < LIMIT_DOC_WORDS {
            let what = format!("`{}` has no doc comment with its reason", item.ident);
            self.add(item.span(), "limit", what);
        }
        visit::visit_item_const(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let switches_off =
            attribute.path().is_ident("allow") || attribute.path().is_ident("expect");
        if let (true, 0, syn::Meta::List(list)) = (switches_off, self.test_depth, &attribute.meta) {
            let names = list.tokens.to_string();
            let is_aws = self.source.path.starts_with("crates/smime/src/aws");
            let guarded = names
                .split([',', ':', ' '])
                .find(|name| GUARDED_LINTS.contains(name) && !(is_aws && *name == "unsafe_code"));
            if let Some(name) = guarded {
                let what = format!("`{name}` may not be switched off outside tests");
                self.add(attribute.span(), "lint", what);
            }
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        visit::visit_item(self, item);
    }
}

fn doc_words(attributes: &[Attribute]) -> usize {
    attributes
        .iter()
        .filter_map(|one| match &one.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(&pair.value),
            _ => None,
        })
        .filter_map(|value| match value {
            Expr::Lit(literal) => Some(&literal.lit),
            _ => None,
        })
        .map(|literal| match literal {
            syn::Lit::Str(text) => text.value().split_whitespace().count(),
            _ => 0,
        })
        .sum()
}

/// Lines from the first line of `first` to the last line of `last`, both counted.
fn lines_between(first: Span, last: Span) -> usize {
    last.end().line + 1 - first.start().line
}

/// Lines of the largest flat table in a block: a `match` with short arms, or an array.
fn largest_table(block: &Block) -> usize {
    let mut tables = Tables(0);
    tables.visit_block(block);
    tables.0
}

struct Tables(usize);

impl<'ast> Visit<'ast> for Tables {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        let is_table = match expression {
            Expr::Match(table) => table
                .arms
                .iter()
                .all(|arm| lines_between(arm.span(), arm.span()) <= TABLE_ARM_LINES),
            Expr::Array(_) => true,
            Expr::Macro(call) => call.mac.path.is_ident("vec"),
            _ => false,
        };
        if is_table {
            self.0 = self
                .0
                .max(lines_between(expression.span(), expression.span()));
        }
        visit::visit_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_in(path: &str, text: &str) -> Vec<&'static str> {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let mut found = Vec::new();
        check(&source, false, &mut found);
        found.iter().map(|one| one.rule).collect()
    }

    fn rules(body: &str) -> Vec<&'static str> {
        rules_in("crates/mail/src/x.rs", &format!("//! A file.\n{body}"))
    }

    #[test]
    fn each_rule_finds_its_bad_input() {
        let long = format!("fn f() {{\n{}}}", "    g();\n".repeat(70));
        let long_method = format!("impl A {{ fn f(&self) {{\n{}}} }}", "    g();\n".repeat(70));
        let file = "const A: u8 = 1;\n".repeat(600);
        let cases: &[(&str, &str)] = &[
            ("function length", &long),
            ("function length", &long_method),
            ("file length", &file),
            ("parameters", "fn f(a: A, b: B, c: C, d: D, e: E, f: F) {}"),
            (
                "parameters",
                "trait T { fn f(a: A, b: B, c: C, d: D, e: E, f: F); }",
            ),
            ("unsafe", "fn f() { unsafe { g() } }"),
            ("unsafe", "macro_rules! m { () => { unsafe { g() } } }"),
            ("receipt", "impl smtp::Receipt for Mine { }"),
            ("lint", "#[allow(clippy::unwrap_used)] fn f() {}"),
            ("lint", "#[allow(unsafe_code)] fn f() {}"),
            ("lint", "mod a { #![allow(clippy::indexing_slicing)] }"),
            ("syntax", "fn f( {"),
        ];
        for (rule, body) in cases {
            assert_eq!(rules(body), [*rule], "{}", &body[..body.len().min(60)]);
        }
        assert_eq!(
            rules_in("crates/mail/src/x.rs", "fn f() {}"),
            ["file comment"]
        );
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let just = format!("fn f() {{\n{}}}", "    g();\n".repeat(68));
        let table = format!(
            "fn f() {{\n match x {{\n{}}} }}",
            "    A => 1,\n".repeat(90)
        );
        let array = format!("fn f() {{\n g(&[\n{}]); }}", "    (1, 2),\n".repeat(90));
        let tests = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}",
            "    const A: u8 = 1;\n".repeat(700)
        );
        let cases: &[&str] = &[
            &just,
            &table,
            &array,
            &tests,
            "impl A { fn f(&self, a: A, b: B, c: C, d: D, e: E) {} }",
            "/// It is unsafe\nfn f() { g(\"unsafe\") }",
            "#[cfg(test)] mod tests { impl Receipt for Mine { } }",
            "#[cfg(test)] #[allow(clippy::unwrap_used)] mod tests { }",
            "#![cfg_attr(test, allow(clippy::unwrap_used))]",
        ];
        for body in cases {
            assert_eq!(rules(body), [""; 0], "{}", &body[..body.len().min(60)]);
        }
    }

    #[test]
    fn a_table_does_not_excuse_the_code_beside_it() {
        let table = "    A => 1,\n".repeat(60);
        let code = "    g();\n".repeat(30);
        assert_eq!(
            rules(&format!("fn f() {{\n{code} match x {{\n{table}}} }}")),
            ["function length"]
        );
        let wide = "    A => {\n g();\n g();\n g();\n }\n".repeat(20);
        assert_eq!(
            rules(&format!("fn f() {{ match x {{\n{wide}}} }}")),
            ["function length"]
        );
    }

    #[test]
    fn limits_carry_their_reason() {
        let path = "crates/mail/src/limits.rs";
        let bare = "//! Limits.\npub const A: usize = 1;";
        let short = "//! Limits.\n/// The limit.\npub const A: usize = 1;";
        let good =
            "//! Limits.\n/// Longest line, RFC 5322 section 2.1.1.\npub const A: usize = 1;";
        assert_eq!(rules_in(path, bare), ["limit"]);
        assert_eq!(rules_in(path, short), ["limit"]);
        assert_eq!(rules_in(path, good), [""; 0]);
    }

    #[test]
    fn store_and_the_crypto_wrapper_have_their_rights() {
        let receipt = "//! A file.\nimpl Receipt for Durable { }";
        assert_eq!(rules_in("crates/store/src/tx.rs", receipt), [""; 0]);
        let wrapper = "//! A file.\n#![allow(unsafe_code)]\nfn f() { unsafe { g() } }";
        assert_eq!(rules_in("crates/smime/src/aws.rs", wrapper), [""; 0]);
        assert_eq!(
            rules_in("crates/smime/src/key.rs", wrapper),
            ["lint", "unsafe"]
        );
    }
}
