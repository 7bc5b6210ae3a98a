//! Whose secrets were under the key that others know.

use std::path::PathBuf;

use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::Context;
use crate::error::Error;
use crate::facts;

/// Lists the clients whose secrets have to be issued anew.
pub(super) struct ListClients;

const ABOUT: About = About {
    name: "list-clients",
    title: "List the clients whose secrets have to be issued anew",
    kind: Kind::Change,
    told: Some("the owners of these clients, by `incidents` of the contacts in the settings"),
    does: "Writes the order and the id of every client into `clients.csv` beside the run's journal. Who \
           has the old key and a copy of the table knows their secrets, whatever key they are under now: \
           only new ones help.",
    touches: "a file beside the journal",
    verified: "the file is there",
    undo: Undo::Nothing("the file is kept"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for ListClients {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let is_counted = facts.count(facts::CLIENTS_LISTED).is_ok();
        Ok(Observed::when(is_counted && client_list(context).is_file()))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let clients = context.table()?.clients().await?;
        let mut text = String::from("order_id,client_id\n");
        for client in &clients {
            text.push_str(&format!(
                "{},{}\n",
                csv(&client.order_id),
                csv(&client.client_id)
            ));
        }
        platform::local::write_whole_file(&client_list(context), text.as_bytes())?;
        let count = u64::try_from(clients.len()).unwrap_or(u64::MAX);
        log.record(facts::CLIENTS_LISTED, Fact::Count(count))?;
        log.say(&format!(
            "{count} clients are listed in `{}`",
            client_list(context).display()
        ));
        Ok(Applied::Done)
    }
}

fn client_list(context: &Context) -> PathBuf {
    context.run_folder.join("clients.csv")
}

/// A field as RFC 4180 wants it.
fn csv(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
