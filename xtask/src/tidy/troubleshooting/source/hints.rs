//! The hints of an error type, from the function that goes through its variants.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};

use super::text::text_of;

/// Hints by the name of the variant.
pub(super) type Hints = BTreeMap<String, Vec<String>>;

/// Every function by its name.
#[derive(Default)]
pub(super) struct Functions<'a> {
    pub(super) found: BTreeMap<String, &'a syn::Block>,
}

impl<'a> Visit<'a> for Functions<'a> {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.found.insert(item.sig.ident.to_string(), &*item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.found.insert(item.sig.ident.to_string(), &item.block);
    }
}

/// The arms of a `match` over the variants of one type.
pub(super) struct Arms<'f> {
    pub(super) of: &'f str,
    pub(super) functions: &'f BTreeMap<String, &'f syn::Block>,
    /// Texts that have a name.
    pub(super) locals: BTreeMap<String, String>,
    pub(super) hints: Hints,
    pub(super) leaves_out: bool,
}

impl<'a> Visit<'a> for Arms<'_> {
    fn visit_local(&mut self, local: &'a syn::Local) {
        if let (syn::Pat::Ident(name), Some(value)) = (&local.pat, &local.init)
            && let Some(text) = text_of(&value.expr, &self.locals)
        {
            self.locals.insert(name.ident.to_string(), text);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_match(&mut self, expression: &'a syn::ExprMatch) {
        let arms = expression.arms.iter();
        let named: usize = arms.map(|arm| variants(&arm.pat, self.of).len()).sum();
        // One is told apart from all others for something else than its hint.
        if named < 2 {
            return visit::visit_expr_match(self, expression);
        }
        for arm in &expression.arms {
            self.leaves_out |= matches!(arm.pat, syn::Pat::Wild(_));
            let mut texts = Texts {
                functions: self.functions,
                locals: &self.locals,
                found: Vec::new(),
            };
            texts.visit_expr(&arm.body);
            for variant in variants(&arm.pat, self.of) {
                let hints = self.hints.entry(variant).or_default();
                hints.extend(texts.found.iter().cloned());
                hints.dedup();
            }
        }
    }
}

/// The variants of a type that a pattern names.
fn variants(pattern: &syn::Pat, of: &str) -> Vec<String> {
    let path = match pattern {
        syn::Pat::Or(several) => {
            return several
                .cases
                .iter()
                .flat_map(|case| variants(case, of))
                .collect();
        }
        syn::Pat::Struct(pattern) => &pattern.path,
        syn::Pat::TupleStruct(pattern) => &pattern.path,
        syn::Pat::Path(pattern) => &pattern.path,
        _ => return Vec::new(),
    };
    let names: Vec<String> = path
        .segments
        .iter()
        .map(|part| part.ident.to_string())
        .collect();
    match names.as_slice() {
        [.., of_type, variant] if of_type == of => vec![variant.clone()],
        _ => Vec::new(),
    }
}

/// The texts of an expression, and of the functions of the same file that it calls.
pub(super) struct Texts<'f> {
    pub(super) functions: &'f BTreeMap<String, &'f syn::Block>,
    pub(super) locals: &'f BTreeMap<String, String>,
    pub(super) found: Vec<String>,
}

impl<'a> Visit<'a> for Texts<'_> {
    fn visit_expr(&mut self, expression: &'a syn::Expr) {
        match text_of(expression, self.locals) {
            Some(text) => self.found.push(text),
            None => visit::visit_expr(self, expression),
        }
    }

    fn visit_expr_path(&mut self, expression: &'a syn::ExprPath) {
        let local = expression
            .path
            .get_ident()
            .and_then(|name| self.locals.get(&name.to_string()));
        self.found.extend(local.cloned());
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func
            && let Some(name) = function.path.get_ident()
            && let Some(block) = self.functions.get(&name.to_string())
            // It joins what it is given.
            && name != "with"
        {
            let mut texts = Texts {
                functions: &BTreeMap::new(),
                locals: &BTreeMap::new(),
                found: Vec::new(),
            };
            texts.visit_block(block);
            self.found.extend(texts.found);
        }
        visit::visit_expr_call(self, call);
    }

    // What is compared isn't said, and a closure makes a part of what is.
    fn visit_expr_closure(&mut self, _: &'a syn::ExprClosure) {}
    fn visit_pat(&mut self, _: &'a syn::Pat) {}
    fn visit_expr_binary(&mut self, _: &'a syn::ExprBinary) {}
}
