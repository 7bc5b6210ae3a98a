//! Failures that the command line itself has words for.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};

use super::Entry;
use super::hints::Texts;
use super::text::text_of;

/// The failures that a file makes of words of its own.
#[derive(Default)]
pub(super) struct Calls {
    pub(super) entries: Vec<Entry>,
}

impl<'a> Visit<'a> for Calls {
    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        if module.ident != "tests" {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        if call.method == "hint"
            && let Some(made) = failure_made(&call.receiver)
        {
            let mut texts = Texts {
                functions: &BTreeMap::new(),
                locals: &BTreeMap::new(),
                found: Vec::new(),
            };
            call.args
                .iter()
                .for_each(|argument| texts.visit_expr(argument));
            self.entries.extend(entry(made, texts.found));
        } else {
            visit::visit_expr_method_call(self, call);
        }
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        match constructor(call) {
            Some(_) => self.entries.extend(entry(call, Vec::new())),
            None => visit::visit_expr_call(self, call),
        }
    }
}

/// The call at the beginning of a chain.
fn failure_made(expression: &syn::Expr) -> Option<&syn::ExprCall> {
    match expression {
        syn::Expr::MethodCall(call) => failure_made(&call.receiver),
        syn::Expr::Call(call) if constructor(call).is_some() => Some(call),
        _ => None,
    }
}

/// What a failure of a constructor means.
fn constructor(call: &syn::ExprCall) -> Option<&'static str> {
    let syn::Expr::Path(function) = &*call.func else {
        return None;
    };
    let names: Vec<String> = function
        .path
        .segments
        .iter()
        .map(|part| part.ident.to_string())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["Failure", "check"] => Some("Nothing was changed (exit code 1)."),
        ["Failure", "usage"] => Some("Wrong usage; nothing was changed (exit code 64)."),
        ["Failure", "stopped"] => Some("Nothing was begun (exit code 3)."),
        _ => None,
    }
}

/// None where the words are those of an error, which has an entry of its own.
fn entry(call: &syn::ExprCall, next: Vec<String>) -> Option<Entry> {
    let message = text_of(call.args.first()?, &BTreeMap::new())?;
    let has_words = message
        .split(' ')
        .filter(|word| word.chars().all(char::is_lowercase))
        .count()
        > 1;
    has_words.then(|| Entry {
        message: message.lines().next().unwrap_or_default().to_owned(),
        meaning: constructor(call).unwrap_or_default().to_owned(),
        next,
    })
}
