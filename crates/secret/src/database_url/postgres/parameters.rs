//! The parameters after the `?` of a Postgres URL.

use secrecy::SecretString;

use super::SslMode;
use crate::database_url::DatabaseUrlError;
use crate::database_url::grammar::{Parameter, Parts, refuse_control_characters};

/// What the query says, which goes before what stands in front of it.
#[derive(Default)]
pub(super) struct Overrides {
    pub(super) host: Option<String>,
    pub(super) port: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) ssl_mode: Option<SslMode>,
    pub(super) ssl_root_cert: Option<String>,
    pub(super) ignored: Vec<String>,
}

/// Parameters of libpq, psycopg, asyncpg and SQLAlchemy that change nothing
/// about which database is reached.
const IGNORED: [&str; 21] = [
    "application_name",
    "async_fallback",
    "client_encoding",
    "command_timeout",
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "max_cacheable_statement_size",
    "max_cached_statement_lifetime",
    "prepare_threshold",
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "server_settings",
    "statement_cache_size",
    "target_session_attrs",
    "tcp_user_timeout",
    "timeout",
];

/// Parameters that change what is connected to, or as whom: leaving one out
/// could lead somewhere else than the service goes.
const UNSUPPORTED: [&str; 17] = [
    "channel_binding",
    "database",
    "dbname",
    "direct_tls",
    "dsn",
    "hostaddr",
    "options",
    "passfile",
    "replication",
    "requirepeer",
    "service",
    "servicefile",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslnegotiation",
    "sslpassword",
];

impl Overrides {
    /// Reads every parameter, and refuses what this tool can't do without obeying.
    pub(super) fn read(parts: &Parts<'_>) -> Result<Overrides, DatabaseUrlError> {
        let mut overrides = Overrides::default();
        for parameter in parts.parameters()? {
            overrides.add(&parameter, parts)?;
        }
        Ok(overrides)
    }

    fn add(&mut self, parameter: &Parameter, parts: &Parts<'_>) -> Result<(), DatabaseUrlError> {
        let value = parameter.value.as_str();
        match parameter.name.as_str() {
            "host" if self.host.is_some() => Err(DatabaseUrlError::SeveralHosts),
            "host" => set_text(&mut self.host, "host", value),
            "port" => set_text(&mut self.port, "port", value),
            "user" => set_text(&mut self.user, "user", value),
            "password" => set(&mut self.password, "password", SecretString::from(value)),
            "ssl" => set(&mut self.ssl_mode, "ssl", parse_ssl(value)?),
            "sslmode" => set(
                &mut self.ssl_mode,
                "sslmode",
                parse_ssl_mode("sslmode", value)?,
            ),
            "sslrootcert" => set_text(&mut self.ssl_root_cert, "sslrootcert", value),
            name if IGNORED.contains(&name) => {
                self.ignored.push(name.to_owned());
                Ok(())
            }
            name => Err(refuse_parameter(name, parts)),
        }
    }
}

fn set<T>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), DatabaseUrlError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(DatabaseUrlError::RepeatedParameter { name }),
    }
}

fn set_text(
    place: &mut Option<String>,
    name: &'static str,
    value: &str,
) -> Result<(), DatabaseUrlError> {
    refuse_control_characters(value)?;
    set(place, name, value.to_owned())
}

fn refuse_parameter(name: &str, parts: &Parts<'_>) -> DatabaseUrlError {
    if let Some(name) = UNSUPPORTED
        .into_iter()
        .find(|unsupported| *unsupported == name)
    {
        return DatabaseUrlError::UnsupportedParameter { name };
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let nameable = (1..=40).contains(&name.len()) && name.bytes().all(is_name);
    if nameable && !parts.query_may_hold_pieces_of_a_password() {
        DatabaseUrlError::UnknownParameter {
            name: name.to_owned(),
        }
    } else {
        DatabaseUrlError::UnreadableParameter
    }
}

/// asyncpg's `ssl`, which takes the words of `sslmode`; the words for true and
/// false are what its function takes instead of text.
fn parse_ssl(value: &str) -> Result<SslMode, DatabaseUrlError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(SslMode::Require),
        "false" | "no" | "off" | "0" => Ok(SslMode::Disable),
        _ => parse_ssl_mode("ssl", value),
    }
}

fn parse_ssl_mode(parameter: &'static str, value: &str) -> Result<SslMode, DatabaseUrlError> {
    match value {
        "disable" => Ok(SslMode::Disable),
        "allow" => Ok(SslMode::Allow),
        "prefer" => Ok(SslMode::Prefer),
        "require" => Ok(SslMode::Require),
        "verify-ca" => Ok(SslMode::VerifyCa),
        "verify-full" => Ok(SslMode::VerifyFull),
        _ => Err(DatabaseUrlError::BadSslMode { parameter }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Overrides, DatabaseUrlError> {
        Overrides::read(&Parts::of(&format!("postgresql://u:pw@h/db?{query}"))?)
    }

    fn error(query: &str) -> DatabaseUrlError {
        match read(query) {
            Ok(_) => panic!("`{query}` was read"),
            Err(error) => error,
        }
    }

    #[test]
    fn reads_every_word_for_tls() {
        for (word, mode) in [
            ("disable", SslMode::Disable),
            ("allow", SslMode::Allow),
            ("prefer", SslMode::Prefer),
            ("require", SslMode::Require),
            ("verify-ca", SslMode::VerifyCa),
            ("verify-full", SslMode::VerifyFull),
        ] {
            assert_eq!(
                read(&format!("sslmode={word}")).unwrap().ssl_mode,
                Some(mode)
            );
            assert_eq!(read(&format!("ssl={word}")).unwrap().ssl_mode, Some(mode));
        }
        assert_eq!(read("ssl=True").unwrap().ssl_mode, Some(SslMode::Require));
        assert_eq!(read("ssl=false").unwrap().ssl_mode, Some(SslMode::Disable));
        assert_eq!(
            error("ssl=maybe"),
            DatabaseUrlError::BadSslMode { parameter: "ssl" }
        );
        assert_eq!(
            error("sslmode=true"),
            DatabaseUrlError::BadSslMode {
                parameter: "sslmode"
            }
        );
    }

    #[test]
    fn keeps_the_names_of_what_it_leaves_out() {
        let overrides = read("timeout=5&application_name=a%20b&host=&x&&port=1").unwrap();
        assert_eq!(overrides.ignored, ["timeout", "application_name"]);
        assert_eq!(
            (overrides.host, overrides.port.as_deref()),
            (None, Some("1"))
        );
        for name in IGNORED {
            assert_eq!(read(&format!("{name}=1")).unwrap().ignored, [name]);
        }
    }

    #[test]
    fn refuses_by_name_what_leads_elsewhere() {
        for name in UNSUPPORTED {
            let refused = error(&format!("{name}=secret-value"));
            assert_eq!(refused, DatabaseUrlError::UnsupportedParameter { name });
            assert!(refused.to_string().contains(&format!("`{name}`")));
            assert!(!refused.to_string().contains("secret-value"));
        }
        let unknown = DatabaseUrlError::UnknownParameter {
            name: "new_one".to_owned(),
        };
        assert_eq!(error("new_one=secret-value"), unknown);
    }

    #[test]
    fn names_nothing_that_may_be_a_piece_of_a_password() {
        assert_eq!(
            error("password=hun&ter2=x"),
            DatabaseUrlError::UnreadableParameter
        );
        assert_eq!(error("hun@ter2=x"), DatabaseUrlError::UnreadableParameter);
        assert_eq!(error("a%20b=x"), DatabaseUrlError::UnreadableParameter);
    }

    #[test]
    fn refuses_what_is_given_twice() {
        assert_eq!(error("host=a&host=b"), DatabaseUrlError::SeveralHosts);
        for name in ["port", "user", "password", "sslrootcert"] {
            let repeated = error(&format!("{name}=1&{name}=1"));
            assert_eq!(repeated, DatabaseUrlError::RepeatedParameter { name });
        }
        let both = error("ssl=require&sslmode=disable");
        assert_eq!(
            both,
            DatabaseUrlError::RepeatedParameter { name: "sslmode" }
        );
    }

    #[test]
    fn refuses_line_breaks_and_bytes_that_are_not_utf8() {
        assert_eq!(error("host=a%0Ab"), DatabaseUrlError::ControlCharacter);
        assert!(matches!(
            error("user=%FF"),
            DatabaseUrlError::NotUtf8 { .. }
        ));
        assert!(matches!(error("%FF=a"), DatabaseUrlError::NotUtf8 { .. }));
    }
}
