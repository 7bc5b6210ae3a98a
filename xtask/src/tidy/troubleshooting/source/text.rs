//! Texts of the code, as people are shown them.

use std::collections::BTreeMap;

/// Of `#[error("…")]`; none where that of the cause is shown.
pub(super) fn message(attributes: &[syn::Attribute]) -> Option<String> {
    let error = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("error"))?;
    let tokens = error.meta.require_list().ok()?.tokens.clone();
    literal(&tokens.into_iter().next()?.to_string())
}

fn literal(token: &str) -> Option<String> {
    Some(syn::parse_str::<syn::LitStr>(token).ok()?.value())
}

/// The first paragraph, without links.
pub(super) fn documentation(attributes: &[syn::Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => {
                text_of(&pair.value, &BTreeMap::new())
            }
            _ => None,
        });
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    let paragraph = lines.split(String::is_empty).next().unwrap_or_default();
    paragraph.join(" ").replace("[`", "`").replace("`]", "`")
}

/// A text that stands there, or that `format!` makes; the latter may take in `locals`.
pub(super) fn text_of(expression: &syn::Expr, locals: &BTreeMap<String, String>) -> Option<String> {
    match expression {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        syn::Expr::Macro(call) => {
            let text = literal(&call.mac.tokens.clone().into_iter().next()?.to_string())?;
            Some(shown(&text, locals))
        }
        _ => None,
    }
}

/// A text of `format!` for people: what is put in stands in capitals, or as `…`.
pub(super) fn shown(text: &str, locals: &BTreeMap<String, String>) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        shown.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            shown.push('{');
            rest = after;
            continue;
        }
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        let name = place.split(':').next().unwrap_or_default();
        match locals.get(name) {
            Some(text) => shown.push_str(text),
            None if name.bytes().all(|byte| byte.is_ascii_digit()) => shown.push('…'),
            // The flags that have to be typed again.
            None if name == "flags" => {}
            None => shown.push_str(&name.to_uppercase()),
        }
        rest = after;
    }
    shown.push_str(rest);
    shown.replace("}}", "}")
}
