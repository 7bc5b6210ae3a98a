//! A database URL, and the same with another login.

use std::path::Path;

use secrecy::ExposeSecret as _;

use super::tells_no_secret;
use crate::{
    DatabaseTarget, DatabaseUrl, DatabaseUrlError, Host, LoginError, Password, PostgresTarget,
    SecretValue,
};

/// What stands for a login in [`template`]. No URL that is looked at has a `zz`.
const USER: &str = "zzUSERzz";
const PASSWORD: &str = "zzPASSWORDzz";

/// Three lines: a URL, then a user and a password that it is to be written with.
pub fn database_url(input: &[u8]) {
    let Ok(input) = str::from_utf8(input) else {
        return;
    };
    let mut lines = input.splitn(3, '\n');
    let [text, user, password] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let url = match DatabaseUrl::parse(text) {
        Ok(url) => url,
        Err(error) => return is_refused_without_quoting(text, &error),
    };
    is_kept_and_masked(text, &url);
    match (url.password(), Password::from_text(password)) {
        (Ok(old), Some(new)) => has_another_login(&url, &old, user, &new),
        (Err(error), _) => has_no_login(&url, user, &error),
        (Ok(_), None) => {}
    }
}

fn is_refused_without_quoting(text: &str, error: &DatabaseUrlError) {
    match error {
        DatabaseUrlError::UnsupportedDialect { dialect } => {
            assert!(dialect.len() <= 30 && text.trim().starts_with(dialect));
        }
        DatabaseUrlError::UnknownParameter { name } => {
            assert!(name.len() <= 40, "too long for the name of a parameter");
            let after_login = text.rsplit('@').next().unwrap_or_default();
            assert!(after_login.contains('?'), "it may be a piece of a password");
        }
        _ => tells_no_secret(&format!("{error}")),
    }
}

fn is_kept_and_masked(text: &str, url: &DatabaseUrl) {
    assert!(url.expose_secret() == text.trim(), "not what was given");
    let printed = url.to_string();
    assert!(!printed.contains(char::is_control), "it breaks lines");
    assert!(format!("{url:?}") == format!("DatabaseUrl({printed})"));
    if url.password().is_ok() {
        assert!(printed.contains("***"), "no mask");
    }
    let read_back = SecretValue::from(url).database_url();
    assert!(
        read_back.is_some_and(|read| read.is_ok_and(|again| leads_to_the_same(url, &again))),
        "what is stored is not what was read"
    );
}

fn has_no_login(url: &DatabaseUrl, user: &str, error: &LoginError) {
    let is_sqlite = matches!(url.target(), DatabaseTarget::Sqlite(_));
    assert!(is_sqlite == (*error == LoginError::NoServer));
    assert!(url.for_idle(user).is_err_and(|refusal| refusal == *error));
}

fn has_another_login(url: &DatabaseUrl, old_password: &Password, user: &str, new: &Password) {
    let can_be_written = !user.is_empty() && !user.contains(char::is_control);
    let Ok(edited) = url.with_login(user, new) else {
        return assert!(!can_be_written, "a user that a URL can hold");
    };
    assert!(can_be_written, "a user that no URL can hold");
    assert!(edited.user() == Ok(user), "another user");
    assert!(
        edited.password().is_ok_and(|read| read == *new),
        "another password"
    );
    assert!(place(url) == place(&edited), "another place");

    let old_user = url.user().unwrap_or_default();
    let back = edited.with_login(old_user, old_password);
    assert!(
        back.is_ok_and(|back| leads_to_the_same(url, &back)),
        "the old login leads elsewhere"
    );

    shows_nothing_of_a_password(url, user, &edited);
    changes_nothing_else(url, user, new, &edited);
    is_reached_through_another_socket(url, user, new);

    let idle = url.for_idle(user);
    let derived = old_password.derive_for_idle(user);
    assert!(
        idle.is_ok_and(|idle| idle.user() == Ok(user) && idle.password() == Ok(derived)),
        "another login for an idle role"
    );
}

/// Two URLs that differ in their passwords alone print the same.
fn shows_nothing_of_a_password(url: &DatabaseUrl, user: &str, edited: &DatabaseUrl) {
    let Some(Ok(other)) = Password::from_text(PASSWORD).map(|other| url.with_login(user, &other))
    else {
        unreachable!("a plain password is refused");
    };
    assert!(
        edited.to_string() == other.to_string(),
        "the printed URL depends on the password"
    );
    assert!(
        format!("{:?}", edited.target()) == format!("{:?}", other.target()),
        "the printed target depends on the password"
    );
}

/// All that stands around user and password is there before and after, byte for byte.
fn changes_nothing_else(url: &DatabaseUrl, user: &str, new: &Password, edited: &DatabaseUrl) {
    let is_ambiguous = |text: &str| text.contains("zz");
    let (before, after) = (url.expose_secret(), edited.expose_secret());
    if is_ambiguous(before) || is_ambiguous(user) {
        return;
    }
    let Some(Ok(template)) = Password::from_text(PASSWORD).map(|mark| url.with_login(USER, &mark))
    else {
        unreachable!("a plain login is refused");
    };
    let template = template.expose_secret();
    let filled = template
        .replace(USER, &percent_encoded(user))
        .replace(PASSWORD, &percent_encoded(new.expose_secret()));
    assert!(filled == after, "more than the login depends on the login");

    let marked = template.replace(PASSWORD, USER);
    let mut rest = Some(before);
    for (index, piece) in marked.split(USER).enumerate() {
        rest = match (rest, index) {
            (Some(rest), 0) => rest.strip_prefix(piece),
            (Some(rest), _) => rest.find(piece).and_then(|at| rest.get(at + piece.len()..)),
            (None, _) => None,
        };
    }
    assert!(rest.is_some(), "a piece of the URL is gone");
    let last = marked.rsplit(USER).next().unwrap_or_default();
    assert!(before.ends_with(last), "the URL ends otherwise");
}

fn is_reached_through_another_socket(url: &DatabaseUrl, user: &str, new: &Password) {
    let folder = Path::new("/proxy");
    let through = DatabaseUrl::parse(url.expose_secret()).map(|url| url.through_socket_in(folder));
    let edited = through.map(|through| through.with_login(user, new));
    let Ok(Ok(edited)) = edited else {
        unreachable!("a proxy makes a difference to the login");
    };
    if let DatabaseTarget::Postgres(target) = edited.target() {
        let is_expected = matches!(target.host, Host::UnixSocket(_));
        assert!(target.socket_folder.is_some() == is_expected);
    }
}

fn leads_to_the_same(one: &DatabaseUrl, other: &DatabaseUrl) -> bool {
    let target = |url: &DatabaseUrl| format!("{:?}", url.target());
    target(one) == target(other) && one.password() == other.password()
}

/// What a URL leads to, the login apart.
fn place(url: &DatabaseUrl) -> String {
    match url.target() {
        DatabaseTarget::Postgres(target) => {
            let user = String::new();
            let target = PostgresTarget {
                user,
                password: None,
                ..target.clone()
            };
            format!("{target:?}")
        }
        DatabaseTarget::Sqlite(target) => format!("{target:?}"),
    }
}

/// Written anew, so that a mistake of the crate's own encoding shows.
fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encoded).collect()
}
