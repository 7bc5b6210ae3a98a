//! What people are told of a rotation, filled in: no value stands in it.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::emergency::Containment;

/// What the texts are filled in with.
pub(crate) struct Occasion<'a> {
    /// The run's name.
    pub(crate) run: &'a str,
    /// What the store calls the secret.
    pub(crate) secret: &'a str,
    /// The services that read it.
    pub(crate) services: Vec<&'a str>,
    /// The client whose secret it is, by its id.
    pub(crate) client: Option<String>,
    /// Who issues a client's secret, by the settings' name for them.
    pub(crate) issuers_contact: &'static str,
    /// What is to be expected of the rotation's steps.
    pub(crate) outages: &'a [&'static str],
    /// Whether others know the value, and what contains that.
    pub(crate) emergency: Option<Containment>,
    /// Whether clients' secrets have to be issued anew then.
    pub(crate) has_clients: bool,
    /// Who is told, by the settings' name for them.
    pub(crate) contacts: &'a [(String, String)],
    /// When the texts are written.
    pub(crate) now: Timestamp,
}

/// The texts, in Markdown, each with whom it is for.
pub(crate) fn announcements(occasion: &Occasion<'_>) -> String {
    let mut texts = vec![format!(
        "# Announcements of the run `{}`\n\nFilled in at {:.0}. Read them before you send them; what stands in brackets is yours to say.",
        occasion.run, occasion.now
    )];
    if occasion.emergency.is_some() {
        texts.push(occasion.incident());
        if let Some(client) = &occasion.client {
            texts.push(occasion.request(client));
        }
        if occasion.has_clients {
            texts.push(occasion.reissue());
        }
    } else {
        texts.push(occasion.window());
    }
    texts.push(occasion.done());
    texts.join("\n\n") + "\n"
}

impl Occasion<'_> {
    fn window(&self) -> String {
        let Occasion { secret, now, .. } = self;
        format!(
            "## Before the window, to {}\n\n**Short interruption: the secret `{secret}` is replaced**\n\n\
             - Window: it begins when the run goes on after this announcement, not before {now:.0}.\n\
             - Services: {}\n{}\
             - What to do: nothing beforehand. What failed within the window can be repeated after it.",
            self.named(&["users", "on_call"]),
            self.services(),
            self.outages(),
        )
    }

    fn incident(&self) -> String {
        let Occasion { secret, now, .. } = self;
        let closed = match self.emergency {
            Some(Containment { close: true, .. }) => {
                "- Until the new value serves, nobody may call these services.\n"
            }
            _ => "",
        };
        format!(
            "## Now, to {}\n\n**Incident: the secret `{secret}` may be known to others**\n\n\
             - Window: we replace it now, since {now:.0}; another text says when that is over.\n\
             - Services: {}\n{}{closed}\
             - What to do: keep all logs. Don't deploy, restart or change these services meanwhile. What \
             failed can be repeated when it is over.",
            self.named(&["incidents", "on_call", "users"]),
            self.services(),
            self.outages(),
        )
    }

    fn request(&self, client: &str) -> String {
        let verb = match self.emergency {
            Some(Containment { revoke: true, .. }) => {
                "Please revoke the secret of the client named here now, and issue a new one at once"
            }
            _ => {
                "Please issue a new secret for the client named here at once, and revoke the old one \
                 when we tell you that the new one serves"
            }
        };
        format!(
            "## Now, to {}\n\n**Urgent: the secret of the client `{client}` may be known to others**\n\n{verb}. \
             Send it by the agreed channel, not by mail.",
            self.named(&[self.issuers_contact]),
        )
    }

    fn reissue(&self) -> String {
        format!(
            "## When `clients.csv` is written beside the journal, to the owners of these clients\n\n\
             **Your client secret has to be replaced**\n\n\
             - The key `{}`, which protected stored client secrets, may have become known to others. We \
             have replaced it.\n\
             - What to do: register anew for the orders in the list; their old client secrets stop working \
             a week from today.\n\
             - Use of them by others: [what the assessment has found, or that it isn't finished].",
            self.secret
        )
    }

    fn done(&self) -> String {
        let (who, gone): (&[_], _) = match self.emergency {
            Some(_) => (&["users", "on_call", "incidents"], "destroyed"),
            None => (&["users", "on_call"], "disabled"),
        };
        format!(
            "## When the run is over, to {}\n\n**Done: the secret `{}` was replaced**\n\n\
             The new value serves {}, and the old one is {gone}. `report.md` beside the journal has the \
             times.",
            self.named(who),
            self.secret,
            self.services(),
        )
    }

    fn services(&self) -> String {
        let names = self.services.iter().map(|name| format!("`{name}`"));
        names.collect::<Vec<_>>().join(", ")
    }

    fn outages(&self) -> String {
        if self.outages.is_empty() {
            return "- Expected outage: none.\n".to_owned();
        }
        self.outages.iter().fold(String::new(), |mut text, outage| {
            // Never fails on a String.
            let _ = writeln!(text, "- Expected outage: {outage}.");
            text
        })
    }

    /// Those of the contacts, with their addresses where the settings have them.
    fn named(&self, names: &[&str]) -> String {
        let contact = |name: &&str| match self.contacts.iter().find(|(known, _)| known == name) {
            Some((_, address)) => format!("`{name}` ({address})"),
            None => format!("`{name}`"),
        };
        names.iter().map(contact).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTAGE: &str = "known orders can't be answered for seconds";

    fn told(emergency: Option<Containment>) -> String {
        let contacts = [("users".to_owned(), "all@example.com".to_owned())];
        announcements(&Occasion {
            contacts: &contacts,
            ..occasion(emergency)
        })
    }

    fn occasion(emergency: Option<Containment>) -> Occasion<'static> {
        Occasion {
            run: "dcr-encryption-key-1",
            secret: "dcr-encryption-key",
            services: vec!["marketplace-handler"],
            client: None,
            issuers_contact: "gma",
            outages: &[OUTAGE],
            emergency,
            has_clients: true,
            contacts: &[],
            now: Timestamp::UNIX_EPOCH,
        }
    }

    /// Whoever doesn't issue it needs no word of a leak.
    #[test]
    fn a_new_value_is_asked_of_those_who_issue_it_alone() {
        let told = announcements(&Occasion {
            client: Some("a-client".to_owned()),
            ..occasion(Some(Containment::default()))
        });
        let request = "to `gma`\n\n**Urgent: the secret of the client `a-client`";
        assert!(told.contains(request), "{told}");
        assert!(
            told.contains("revoke the old one when we tell you"),
            "{told}"
        );
        assert!(!told.contains("red_hat_sso"), "{told}");
    }

    #[test]
    fn where_the_value_is_revoked_first_that_is_asked_for_first() {
        let revoked = Containment {
            revoke: true,
            ..Containment::default()
        };
        let told = announcements(&Occasion {
            client: Some("a-client".to_owned()),
            ..occasion(Some(revoked))
        });
        let request = "revoke the secret of the client named here now, and issue a new one";
        assert!(told.contains(request), "{told}");
    }

    #[test]
    fn a_window_is_announced_with_what_differs() {
        let told = told(None);
        for piece in [
            "to `users` (all@example.com), `on_call`\n",
            "the secret `dcr-encryption-key` is replaced",
            "Services: `marketplace-handler`",
            &format!("Expected outage: {OUTAGE}."),
            "not before 1970-01-01T00:00:00Z",
            "the old one is disabled",
        ] {
            assert!(told.contains(piece), "{piece} is missing: {told}");
        }
        assert!(!told.contains("Incident"), "{told}");
    }

    #[test]
    fn an_emergency_says_what_is_closed_and_who_has_to_register_anew() {
        let closed = Containment {
            close: true,
            ..Containment::default()
        };
        let told = told(Some(closed));
        for piece in [
            "Incident: ",
            "nobody may call",
            "register anew",
            "[what the assessment has found",
            "is destroyed",
        ] {
            assert!(told.contains(piece), "{piece} is missing: {told}");
        }
    }
}
