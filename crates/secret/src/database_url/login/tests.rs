//! Every URL times every login.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at passwords of their own"
)]

use std::path::Path;

use super::*;

/// `{login}` is the place of user and password, and all else has to stay.
const FORMS: [&str; 12] = [
    "postgresql+asyncpg://{login}@/lightspeed_agent?host=/cloudsql/p:us-central1:i",
    "postgresql+asyncpg://{login}@host.containers.internal:5432/lightspeed_agent",
    "postgres://{login}@SERVICE/DB",
    "postgresql+psycopg2://{login}@[::1]:5433/db?sslmode=verify-full&sslrootcert=%2Fca.pem",
    "postgresql://{login}@[fe80::1%eth0]/db",
    "postgresql://{login}@/db?host=%2Frun%2Fpostgresql&port=5433",
    "postgresql://{login}@/db?host=/run/.s.PGSQL.5433&connect_timeout=5",
    "postgresql://{login}@h/a b+c?application_name=a+b%20c&&timeout=&keepalives=1",
    "postgresql://{login}@h:1/db?",
    "postgresql://{login}@h:1/db?host=other:5434",
    "postgresql://{login}@h:1/db?ssl=true&command_timeout=5&",
    "postgresql://{login}@h/db?user=&password=",
];

const USERS: [&str; 8] = [
    "insights",
    "insights_b",
    "us er",
    "us:er",
    "us/er@h",
    "50%",
    "ü%40",
    "\"quoted\"",
];

const PASSWORDS: [&str; 10] = [
    "hunter2",
    "-._~",
    "p@ss",
    "p:a/s?s#w",
    "100%",
    "%41",
    "a+b c",
    "a&b=c",
    "pässwörd",
    "'\"\\$`",
];

fn password(text: &str) -> Password {
    Password::from_text(text).unwrap()
}

fn parse(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text).unwrap()
}

/// What a URL leads to, the login apart.
fn place(url: &DatabaseUrl) -> String {
    match url.target() {
        DatabaseTarget::Postgres(target) => format!(
            "{:?}",
            PostgresTarget {
                user: String::new(),
                password: None,
                ..target.clone()
            }
        ),
        DatabaseTarget::Sqlite(_) => unreachable!(),
    }
}

#[test]
fn another_login_leads_to_the_same_place() {
    for form in FORMS {
        let before = parse(&form.replace("{login}", "old%40user:old%2Fpass"));
        assert_eq!(before.user(), Ok("old@user"));
        for user in USERS {
            for text in PASSWORDS {
                let after = before.with_login(user, &password(text)).unwrap();
                assert_eq!(after.user(), Ok(user), "{form}");
                let read_back = after.password().ok().unwrap();
                assert!(read_back == password(text), "another password: {form}");
                assert_eq!(place(&after), place(&before));
            }
        }
    }
}

#[test]
fn nothing_else_changes_by_a_byte() {
    for form in FORMS {
        let before = parse(&form.replace("{login}", "old%40user:old%2Fpass"));
        let after = before.with_login("a@b", &password("c/d")).unwrap();
        let expected = form.replace("{login}", "a%40b:c%2Fd");
        assert!(after.expose_secret() == expected, "{form} became {after}");
        let back = after.with_login("old@user", &password("old/pass")).unwrap();
        assert!(back.expose_secret() == before.expose_secret(), "{form}");
    }
}

#[test]
fn a_login_in_parameters_is_replaced_there() {
    for (before, after) in [
        (
            "postgresql://u@h/db?password=old+pass&x%61=&user",
            "postgresql://n@h/db?password=p%2B&x%61=&user",
        ),
        (
            "postgresql:///db?user=a&host=/run&p%61ssword=b",
            "postgresql:///db?user=n&host=/run&p%61ssword=p%2B",
        ),
        (
            "postgresql://x:y@h/db?user=a&password=b",
            "postgresql://x:y@h/db?user=n&password=p%2B",
        ),
        (
            "postgresql://x:y@h/db?user=a&timeout=3",
            "postgresql://x:p%2B@h/db?user=n&timeout=3",
        ),
    ] {
        let url = parse(before).with_login("n", &password("p+")).unwrap();
        assert!(url.expose_secret() == after, "{before} became {url}");
        assert_eq!(url.user(), Ok("n"));
        let read_back = url.password().ok().unwrap();
        assert!(read_back == password("p+"), "another password: {before}");
    }
}

#[test]
fn white_space_around_the_url_is_dropped() {
    let url = parse(" postgresql://u:pw@h/db\n");
    let after = url.with_login("n", &password("new")).unwrap();
    assert!(after.expose_secret() == "postgresql://n:new@h/db", "kept");
}

#[test]
fn a_url_without_a_login_to_rotate_is_refused() {
    let sqlite = parse("sqlite+aiosqlite:///./file.db");
    assert_eq!(sqlite.user(), Err(LoginError::NoServer));
    for text in ["postgresql://u@h/db", "postgresql://u:@h/db"] {
        let error = parse(text).with_login("n", &password("p")).unwrap_err();
        let user = "u".to_owned();
        assert_eq!(error, LoginError::NoPassword { user }, "{text}");
        assert!(parse(text).password().is_err());
    }
    let error = sqlite.with_login("n", &password("p")).unwrap_err();
    assert_eq!(error, LoginError::NoServer);
}

#[test]
fn the_hint_says_why_there_is_nothing_to_rotate() {
    let user = "u".to_owned();
    let hint = LoginError::NoPassword { user }.hint().unwrap();
    assert!(hint.contains("isn't in the secret"), "{hint}");
    assert_eq!(LoginError::NoServer.hint(), None);
    let refused = LoginError::User(DatabaseUrlError::MissingUser);
    assert_eq!(refused.hint(), DatabaseUrlError::MissingUser.hint());
}

#[test]
fn the_buffer_of_a_new_url_never_grows() {
    for form in FORMS {
        let url = form.replace("{login}", "u:p");
        let parts = Parts::of(&url).unwrap();
        for (user, password) in [("n", "a"), ("n", "a longer one"), ("a longer one", "p")] {
            let at_most = parts.length() + 2 * (encode(user).len() + encode(password).len());
            let written = write(&parts, user, password);
            assert_eq!(written.capacity(), at_most, "{form}");
            assert!(written.len() <= at_most, "{form}");
        }
    }
}

#[test]
fn a_user_that_no_url_can_hold_is_refused() {
    for form in ["postgresql://u:pw@h/db", "postgresql://u:pw@h/db?user=n"] {
        let url = parse(form);
        for (user, reason) in [
            ("", DatabaseUrlError::MissingUser),
            ("a\nb", DatabaseUrlError::ControlCharacter),
        ] {
            let error = url.with_login(user, &password("p")).unwrap_err();
            assert_eq!(error, LoginError::User(reason), "{form}");
        }
    }
}

#[test]
fn the_url_of_an_idle_role_follows_from_that_in_use() {
    let url = parse("postgresql://insights_b:new@h/db");
    let idle = url.for_idle("insights").unwrap();
    assert_eq!(idle.user(), Ok("insights"));
    let derived = password("new").derive_for_idle("insights");
    assert!(idle.password().ok().unwrap() == derived, "another password");
    assert_eq!(place(&idle), place(&url));
}

#[test]
fn neither_message_nor_mask_shows_the_new_password() {
    let url = parse("postgresql://u:pw@h/db?password=x");
    let after = url.with_login("n", &password("hunter2")).unwrap();
    let printed = format!("{after} {after:?} {:?}", after.target());
    assert!(!printed.contains("hunter2"), "it shows");
}

#[test]
fn a_proxys_socket_is_kept_for_another_login() {
    let url = parse("postgresql://u:old@/db?host=/cloudsql/p:r:i");
    let url = url.through_socket_in(Path::new("/tmp/sql1/p:r:i"));
    let other = url.with_login("v", &Password::generate()).unwrap();
    let DatabaseTarget::Postgres(target) = other.target() else {
        unreachable!()
    };
    let folder = target.socket_folder.as_deref();
    assert_eq!(folder, Some(Path::new("/tmp/sql1/p:r:i")));
    assert!(
        matches!(&target.host, crate::Host::UnixSocket(host) if host == Path::new("/cloudsql/p:r:i"))
    );
    assert!(
        !other.expose_secret().contains("sql1"),
        "it stands in the URL"
    );
}

#[test]
fn a_url_without_a_socket_takes_no_proxy() {
    let url = parse("postgresql://u:old@h:5432/db").through_socket_in(Path::new("/tmp/x"));
    assert!(
        matches!(url.target(), DatabaseTarget::Postgres(target) if target.socket_folder.is_none())
    );
}
