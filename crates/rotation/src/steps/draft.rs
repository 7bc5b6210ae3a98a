//! The announcements, filled in before anybody has to send one.

use std::path::PathBuf;

use async_trait::async_trait;
use jiff::Timestamp;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::announcements::{Occasion, announcements};
use crate::client_secret;
use crate::context::{Context, old_version};
use crate::emergency::Containment;
use crate::error::Error;
use crate::material::Material;
use crate::secrets::{GMA_CLIENT_SECRET, Secret};
use crate::steps::CLOSE;

/// Writes the announcements.
pub(crate) struct Draft {
    outages: Vec<&'static str>,
    emergency: Option<Containment>,
}

/// Puts the step in its place: after the check, and after what closes the services at
/// once. The outages of all other steps are what is announced.
pub(crate) fn draft(
    steps: &mut Vec<Box<dyn Step<Context, Error>>>,
    emergency: Option<Containment>,
) {
    let outages = steps.iter().filter_map(|step| step.about().outage);
    let draft = Draft {
        outages: outages.collect(),
        emergency,
    };
    let names = steps.iter().map(|step| step.about().name);
    let place = names.take_while(|name| BEFORE.contains(name)).count();
    steps.insert(place, Box::new(draft));
}

/// The steps that come before it.
const BEFORE: [&str; 2] = ["check", CLOSE];

/// What journals call the step.
pub(crate) const NAME: &str = "draft";

const ABOUT: About = About {
    name: NAME,
    title: "Write the announcements",
    kind: Kind::Change,
    told: None,
    does: "Fills in what people are told: which secret, which services, the window, the outage to \
           expect, what they have to do. Shows it, and writes it into `announcements.md` beside the run's \
           journal. No value stands in it.",
    touches: "a file beside the journal",
    verified: "the file is there",
    undo: Undo::Nothing("the file is kept"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Draft {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// It was for what comes next: after that, people may tidy it up.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let is_over = old_version(facts).is_ok();
        Ok(Observed::when(is_over || path(context).is_file()))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let client = match context.material {
            Material::ClientSecret(_) => client_secret::id(context).await.ok(),
            Material::Key(_) | Material::Login(_) => None,
        };
        let services = context.consumers.iter().map(|one| one.service.as_str());
        let text = announcements(&Occasion {
            run: log.run_name().as_str(),
            secret: &context.store.name,
            services: services.collect(),
            client,
            issuers_contact: issuers_contact(context),
            outages: &self.outages,
            emergency: self.emergency,
            has_clients: matches!(context.material, Material::Key(_)),
            contacts: &context.contacts,
            now: Timestamp::now(),
        });
        platform::local::write_whole_file(&path(context), text.as_bytes())?;
        for line in text.lines() {
            log.say(line);
        }
        log.say(&format!("this stands in `{}`", path(context).display()));
        Ok(Applied::Done)
    }
}

/// As the steps that ask for the value say it.
fn issuers_contact(context: &Context) -> &'static str {
    match Secret::named(&context.store.variable) {
        Some(GMA_CLIENT_SECRET) => "gma",
        _ => "red_hat_sso",
    }
}

fn path(context: &Context) -> PathBuf {
    context.run_folder.join("announcements.md")
}
