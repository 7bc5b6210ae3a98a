//! Services that nobody may call while others have the value they read.

use async_trait::async_trait;
use jiff::Timestamp;
use platform::{Callers, Change};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Observed, Step, Undo};

use super::caller_list::CallerList;
use crate::context::Context;
use crate::error::Error;
use crate::facts;

/// Takes everybody off the services' lists of callers.
pub(crate) struct Close;

/// What journals call the step; it tells how a run contains its emergency.
pub(crate) const NAME: &str = "close";

const CLOSING: About = About {
    name: NAME,
    title: "Close the services to all callers",
    kind: Kind::Change,
    told: Some("`users`, `on_call` and `incidents` of the contacts in the settings"),
    does: "Writes down who is on each service's own list of callers, in `callers.csv` beside the run's \
           journal, and takes all of them off it. It may take minutes until that holds everywhere. \
           Instances run on; events that are pushed to a service are refused, and sent again later.",
    touches: "who may call the services",
    verified: "nobody is on a service's list any more",
    undo: Undo::By("everybody who was on the lists is put on them again"),
    outage: Some("nobody can use the services until they are opened again"),
};

#[async_trait(?Send)]
impl Step<Context, Error> for Close {
    fn about(&self) -> &'static About {
        &CLOSING
    }

    /// Opened again is a later step's work.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        if facts.time(facts::OPENED).is_ok() {
            return Ok(Observed::Present);
        }
        if facts.count(facts::CALLERS_REFUSED).is_err() {
            return Ok(Observed::Absent);
        }
        Ok(Observed::when(first_caller(context).await?.is_none()))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        // After a crash, who is on the lists now is not who was.
        let admitted = match CallerList::read(context)? {
            Some(admitted) => admitted,
            None => CallerList::ask(context).await?.write(context)?,
        };
        let count = u64::try_from(admitted.all().count()).unwrap_or(u64::MAX);
        log.record(facts::CALLERS_REFUSED, Fact::Count(count))?;
        for (service, caller) in admitted.all() {
            callers(context)?.refuse(service, caller).await?;
        }
        if count == 0 {
            log.say("nobody is on the services' own lists: closing them contains nothing");
        }
        Ok(Applied::Done)
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        for (service, caller) in CallerList::ask(context).await?.owned() {
            let change = Change::Refuse { service, caller };
            context.rehearse(change, forecast).await?;
        }
        Ok(())
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        if facts.time(facts::OPENED).is_ok() {
            return Ok(());
        }
        match first_caller(context).await? {
            None => Ok(()),
            Some((service, caller)) => Err(Error::StillAdmitted { service, caller }),
        }
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        admit_again(context, log.facts()).await
    }
}

/// Puts everybody on the lists again.
pub(crate) struct Open;

pub(crate) const OPEN: &str = "open";

const OPENING: About = About {
    name: OPEN,
    title: "Open the services to their callers again",
    kind: Kind::Change,
    told: Some("`users`, `on_call` and `incidents` of the contacts in the settings"),
    does: "The new value serves: puts everybody on the services' lists of callers again who was on them.",
    touches: "who may call the services",
    verified: "everybody who was on the lists is on them",
    undo: Undo::Nothing("the services stay open"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Open {
    fn about(&self) -> &'static About {
        &OPENING
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        if facts.time(facts::OPENED).is_err() {
            return Ok(Observed::Absent);
        }
        Ok(Observed::when(first_missing(context).await?.is_none()))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        if log.facts().time(facts::OPENED).is_err() {
            log.record(facts::OPENED, Fact::Time(Timestamp::now()))?;
        }
        admit_again(context, log.facts()).await?;
        Ok(Applied::Done)
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        for (service, caller) in CallerList::ask(context).await?.owned() {
            let change = Change::Admit { service, caller };
            context.rehearse(change, forecast).await?;
        }
        Ok(())
    }

    async fn verify(&self, context: &mut Context, _: &Facts) -> Result<(), Error> {
        match first_missing(context).await? {
            None => Ok(()),
            Some((service, caller)) => Err(Error::NotAdmitted { service, caller }),
        }
    }
}

pub(super) fn callers(context: &Context) -> Result<&dyn Callers, Error> {
    let callers = context.platform.callers.as_deref();
    callers.ok_or(Error::WrongPlan)
}

async fn admit_again(context: &Context, facts: &Facts) -> Result<(), Error> {
    let admitted = match CallerList::read(context)? {
        Some(admitted) => admitted,
        // Nobody was taken off before they were written down and counted.
        None if facts.count(facts::CALLERS_REFUSED).is_err() => return Ok(()),
        None => return Err(Error::NoCallerList),
    };
    for (service, caller) in admitted.all() {
        callers(context)?.admit(service, caller).await?;
    }
    Ok(())
}

async fn first_caller(context: &Context) -> Result<Option<(String, String)>, Error> {
    Ok(CallerList::ask(context).await?.owned().into_iter().next())
}

async fn first_missing(context: &Context) -> Result<Option<(String, String)>, Error> {
    let now = CallerList::ask(context).await?;
    let before = CallerList::read(context)?.ok_or(Error::NoCallerList)?;
    let missing = before.owned().into_iter();
    let is_on = |(service, caller): &(String, String)| now.has(service, caller);
    Ok(missing.into_iter().find(|one| !is_on(one)))
}

/// Refuses while somebody is off a service's list whom the run has taken off it.
pub(crate) async fn refuse_closed(context: &Context, facts: &Facts) -> Result<(), Error> {
    // Nobody was taken off before they were counted.
    if facts.count(facts::CALLERS_REFUSED).is_err() {
        return Ok(());
    }
    match first_missing(context).await? {
        None => Ok(()),
        Some((service, caller)) => Err(Error::Closed { service, caller }),
    }
}
