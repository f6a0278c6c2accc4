//! Parses every production file of the crate and lists what each module uses.
//!
//! Files are found as the compiler finds them: from `main.rs` and `lib.rs` along `mod` items. Items behind `#[cfg(test)]` are
//! left out, at any depth, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Lit, Pat, Token, UseTree};

/// The code of one module: a file, without the modules that are written inside it.
#[derive(Default)]
pub struct Module {
    /// Its path in the crate: `domain::read`. Empty for the root.
    pub path: String,
    /// Its file, below `src`.
    pub file: String,
    /// Modules of this crate that it uses.
    pub uses: BTreeSet<String>,
    /// Other crates that it uses.
    pub crates: BTreeSet<String>,
    /// Every string literal.
    pub texts: BTreeSet<String>,
    /// What it compares with by `==`, `match`, `contains` and similar: strings (in quotation marks) and paths.
    pub compared: BTreeSet<String>,
    /// Every identifier and string literal.
    pub words: BTreeSet<String>,
}

/// All production modules.
pub struct Sources {
    pub modules: Vec<Module>,
    /// Files below `src` that only tests use.
    pub test_files: BTreeSet<String>,
}

impl Sources {
    pub fn read(root: &Path) -> Self {
        let mut parsed = Vec::new();
        let mut test_files = BTreeSet::new();
        for file in ["lib.rs", "main.rs"] {
            collect(root, Path::new(file), "", &root.join(""), &mut parsed, &mut test_files);
        }
        let known: BTreeSet<String> = parsed.iter().map(|(path, ..)| path.clone()).collect();
        let modules = parsed.iter().map(|(path, file, items)| scan(path, file, items, &known)).collect();
        Self { modules, test_files }
    }

    /// Which module uses which, among those below one.
    pub fn arrows_within(&self, above: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let inside = |module: &str| super::within(module, above);
        let modules = self.modules.iter().filter(|module| inside(&module.path));
        modules
            .map(|module| {
                let named = module.uses.iter().map(String::as_str).filter(|to| inside(to)).collect();
                (module.path.as_str(), named)
            })
            .collect()
    }
}

/// The constants of `model/names.rs` that name a class, and what they name.
pub fn class_names(file: &Path) -> Vec<(String, String)> {
    let syntax = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
    let constant = |item: Item| {
        let Item::Const(constant) = item else { return None };
        let Expr::Lit(lit) = *constant.expr else { return None };
        let Lit::Str(name) = lit.lit else { return None };
        name.value().starts_with('_').then(|| (constant.ident.to_string(), name.value()))
    };
    syntax.items.into_iter().filter_map(constant).collect()
}

type Parsed = (String, String, Vec<Item>);

fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// Reads a file and the files of its `mod` items. `children` is the folder in which modules of this file are found.
fn collect(
    root: &Path,
    file: &Path,
    path: &str,
    children: &Path,
    parsed: &mut Vec<Parsed>,
    test_files: &mut BTreeSet<String>,
) {
    let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    items_of(root, file, path, children, syntax.items, parsed, test_files);
}

fn items_of(
    root: &Path,
    file: &Path,
    path: &str,
    children: &Path,
    items: Vec<Item>,
    parsed: &mut Vec<Parsed>,
    test_files: &mut BTreeSet<String>,
) {
    let mut own = Vec::new();
    for item in items {
        let Item::Mod(module) = item else {
            own.push(item);
            continue;
        };
        assert!(
            !module.attrs.iter().any(|attribute| attribute.path().is_ident("path")),
            "{}: a module of another path is not understood here",
            file.display()
        );
        let name = module.ident.to_string();
        let child = if path.is_empty() { name.clone() } else { format!("{path}::{name}") };
        let folder = children.join(&name);
        let tests = for_tests(&module.attrs);
        match module.content {
            Some(_) if tests => {}
            Some((_, items)) => items_of(root, file, &child, &folder, items, parsed, test_files),
            None => {
                let flat = folder.with_extension("rs");
                let found = if flat.exists() { flat } else { folder.join("mod.rs") };
                if tests {
                    test_files.insert(below(root, &found));
                    all_below(root, &folder, test_files);
                } else {
                    let found = PathBuf::from(below(root, &found));
                    collect(root, &found, &child, &folder, parsed, test_files);
                }
            }
        }
    }
    parsed.push((path.to_owned(), file.display().to_string(), own));
}

fn below(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap().display().to_string()
}

/// Every Rust file in a folder and the folders in it.
pub fn all_below(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_below(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(below(root, &path));
        }
    }
}

/// Collects what a module uses, after its imports are known.
struct Scan<'a> {
    module: Module,
    known: &'a BTreeSet<String>,
    /// Imported names and what they stand for.
    imported: HashMap<String, Vec<String>>,
    /// The first pass only reads `use` items.
    imports_only: bool,
}

fn scan(path: &str, file: &str, items: &[Item], known: &BTreeSet<String>) -> Module {
    let module = Module { path: path.to_owned(), file: file.to_owned(), ..Module::default() };
    let mut scan = Scan { module, known, imported: HashMap::new(), imports_only: true };
    for imports_only in [true, false] {
        scan.imports_only = imports_only;
        for item in items {
            scan.visit_item(item);
        }
    }
    scan.module
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl Scan<'_> {
    /// The absolute path for a path in this module, or nothing if it starts outside the crate or at a local name.
    fn absolute(&self, segments: &[String]) -> Option<Vec<String>> {
        let here: Vec<String> =
            self.module.path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let first = segments.first()?;
        let (mut start, mut rest) = match first.as_str() {
            "crate" | "$crate" | "reparse" => (Vec::new(), &segments[1..]),
            "self" => (here, &segments[1..]),
            "super" => (here, segments),
            name => {
                let mut child = here;
                child.push(name.to_owned());
                if self.known.contains(&child.join("::")) {
                    return Some(child.into_iter().chain(segments[1..].iter().cloned()).collect());
                }
                let meant = self.imported.get(name)?;
                return Some(meant.iter().chain(&segments[1..]).cloned().collect());
            }
        };
        while rest.first().is_some_and(|segment| segment == "super") {
            start.pop();
            rest = &rest[1..];
        }
        Some(start.into_iter().chain(rest.iter().cloned()).collect())
    }

    fn names(&mut self, segments: &[String]) {
        if let Some(absolute) = self.absolute(segments) {
            self.depends_on(&absolute);
        } else if segments.len() > 1 {
            self.module.crates.insert(segments[0].clone());
        }
    }

    /// Records the innermost module on a path. A path directly below the root is an item of the root and no module.
    fn depends_on(&mut self, absolute: &[String]) {
        for length in (1..=absolute.len()).rev() {
            let candidate = absolute[..length].join("::");
            if self.known.contains(&candidate) {
                if candidate != self.module.path {
                    self.module.uses.insert(candidate);
                }
                return;
            }
        }
    }

    fn use_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(item, before)),
            UseTree::Glob(_) => self.import(before, None),
            UseTree::Name(name) if name.ident == "self" => {
                let alias = before.last().cloned();
                self.import(before, alias);
            }
            UseTree::Name(name) => self.import(&with(&name.ident), Some(name.ident.to_string())),
            UseTree::Rename(rename) => self.import(&with(&rename.ident), Some(rename.rename.to_string())),
        }
    }

    fn import(&mut self, segments: &[String], alias: Option<String>) {
        if self.imports_only {
            let absolute = self.absolute(segments);
            // `use names;` beside `use crate::model::names;` would point at itself
            if let (Some(absolute), Some(alias)) = (absolute, alias) {
                self.imported.insert(alias, absolute);
            }
        } else if let Some(absolute) = self.absolute(segments) {
            self.depends_on(&absolute);
        } else {
            self.module.crates.insert(segments[0].clone());
        }
    }

    /// Paths and strings in the tokens of a macro with its own grammar.
    fn tokens(&mut self, tokens: TokenStream, comparing: bool) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let finish = |scan: &mut Self, path: &mut Vec<String>| {
            if !path.is_empty() {
                scan.names(path);
                if comparing {
                    scan.compares_path(path);
                }
                path.clear();
            }
        };
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        finish(self, &mut path);
                    }
                    self.module.words.insert(ident.to_string());
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Punct(_) => {
                    finish(self, &mut path);
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    finish(self, &mut path);
                    colons = 0;
                    self.tokens(group.stream(), comparing);
                }
                TokenTree::Literal(literal) => {
                    finish(self, &mut path);
                    colons = 0;
                    if let Lit::Str(text) = Lit::new(literal) {
                        self.text(&text.value(), comparing);
                    }
                }
            }
        }
        finish(self, &mut path);
    }

    fn text(&mut self, text: &str, comparing: bool) {
        self.module.texts.insert(text.to_owned());
        self.module.words.insert(text.to_owned());
        if comparing {
            self.module.compared.insert(format!("\"{text}\""));
        }
    }

    fn compares_path(&mut self, segments: &[String]) {
        if let Some(absolute) = self.absolute(segments) {
            self.module.compared.insert(absolute.join("::"));
        }
    }

    /// Records one side of a comparison, looking through references, calls, lists and parentheses.
    fn compares(&mut self, side: &Expr) {
        match side {
            Expr::Path(path) => self.compares_path(&segments(&path.path)),
            Expr::Lit(lit) => {
                if let Lit::Str(text) = &lit.lit {
                    self.text(&text.value(), true);
                }
            }
            Expr::Reference(inner) => self.compares(&inner.expr),
            Expr::Unary(inner) => self.compares(&inner.expr),
            Expr::Paren(inner) => self.compares(&inner.expr),
            Expr::Array(list) => list.elems.iter().for_each(|element| self.compares(element)),
            Expr::Tuple(list) => list.elems.iter().for_each(|element| self.compares(element)),
            Expr::Call(call) => call.args.iter().for_each(|argument| self.compares(argument)),
            Expr::MethodCall(call) => self.compares(&call.receiver),
            _ => {}
        }
    }
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Methods that compare.
const COMPARING: [&str; 8] =
    ["eq", "ne", "contains", "contains_key", "eq_ignore_ascii_case", "starts_with", "strip_prefix", "is_some_and"];

impl<'ast> Visit<'ast> for Scan<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if !for_tests(&item.attrs) {
            visit::visit_trait_item_fn(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !for_tests(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if !for_tests(&call.attrs) {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_expr_block(&mut self, block: &'ast syn::ExprBlock) {
        if !for_tests(&block.attrs) {
            visit::visit_expr_block(self, block);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !for_tests(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &[]);
    }

    /// Attributes (including docstrings) and `pub(in …)` use nothing.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if !self.imports_only {
            self.names(&segments(path));
        }
        visit::visit_path(self, path);
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.text(&text.value(), false);
    }

    fn visit_ident(&mut self, ident: &'ast syn::Ident) {
        self.module.words.insert(ident.to_string());
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        if self.imports_only {
            return;
        }
        self.names(&segments(&called.path));
        let name = called.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        if name == "matches" {
            // its patterns would pass for expressions
            return self.tokens(called.tokens.clone(), true);
        }
        match called.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            Ok(list) => list.iter().for_each(|argument| self.visit_expr(argument)),
            Err(_) => self.tokens(called.tokens.clone(), false),
        }
    }

    fn visit_expr_binary(&mut self, expression: &'ast syn::ExprBinary) {
        if !self.imports_only && matches!(expression.op, syn::BinOp::Eq(_) | syn::BinOp::Ne(_)) {
            self.compares(&expression.left);
            self.compares(&expression.right);
        }
        visit::visit_expr_binary(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if !self.imports_only && COMPARING.iter().any(|name| call.method == name) {
            self.compares(&call.receiver);
            call.args.iter().for_each(|argument| self.compares(argument));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat(&mut self, pattern: &'ast Pat) {
        if !self.imports_only {
            match pattern {
                Pat::Path(path) => self.compares_path(&segments(&path.path)),
                // a constant that was imported looks like a binding
                Pat::Ident(ident) => self.compares_path(&[ident.ident.to_string()]),
                Pat::Lit(lit) => {
                    if let Lit::Str(text) = &lit.lit {
                        self.text(&text.value(), true);
                    }
                }
                _ => {}
            }
        }
        visit::visit_pat(self, pattern);
    }
}

#[test]
fn tests_are_left_out_and_nothing_else() {
    let source = r#"
        #[cfg(test)]
        mod tests { use crate::never::a; }
        use crate::{model::names::{self, USER}, error as e};
        use super::super::storage as store;
        #[cfg(unix)]
        fn after(x: &str) -> bool {
            #[cfg(test)]
            crate::never::b();
            let inside = { use mongodb::bson; bson::doc! { "a": crate::clock::now() } };
            matches!(x, names::ROLE | "_Session") || x == USER || [names::HOOKS].contains(&x) || Some(x) == inside
        }
        impl S {
            #[cfg(test)]
            fn only_here() { crate::never::c() }
        }
    "#;
    let items = syn::parse_file(source).unwrap().items;
    let known = ["a", "a::b", "model", "model::names", "error", "storage", "clock", "never"].map(str::to_owned).into();
    let mut parsed = Vec::new();
    items_of(Path::new(""), Path::new("a/b.rs"), "a::b", Path::new(""), items, &mut parsed, &mut BTreeSet::new());
    let [(path, file, items)] = &parsed[..] else { panic!("{} modules", parsed.len()) };
    let module = scan(path, file, items, &known);
    let texts = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
    assert_eq!(texts(&module.uses), ["clock", "error", "model::names", "storage"]);
    assert!(module.crates.contains("mongodb"));
    let compared: Vec<_> =
        module.compared.iter().filter(|name| name.contains("names::") || name.contains('"')).collect();
    assert_eq!(compared, ["\"_Session\"", "model::names::HOOKS", "model::names::ROLE", "model::names::USER"]);
}
