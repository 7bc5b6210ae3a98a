//! Services, their revisions, and which version of a secret each of them reads.

use std::fmt;

use async_trait::async_trait;
use secret::{SecretValue, VersionNumber};

use crate::error::Error;

/// The services that read secrets.
///
/// What every implementation keeps to:
///
/// - A revision is immutable: another binding is another revision.
/// - A revision reads its secrets when an instance of it starts. One that is bound
///   to `latest` may start with another value tomorrow; one that is pinned can't.
/// - [`prepare`](Services::prepare) sends no traffic and disturbs nobody;
///   [`cut_over`](Services::cut_over) does nothing else than send traffic.
/// - Every method that changes something can be repeated.
#[async_trait(?Send)]
pub trait Services {
    /// The service as it is now: asked of the platform, not remembered.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchService`]; when the platform can't be asked.
    async fn describe(&self, service: &str, binding: &Binding) -> Result<Service, Error>;

    /// The same, once nothing is under way for the service: another run's change is waited for,
    /// as long as one may take. What is still under way then is told as that.
    ///
    /// # Errors
    ///
    /// Those of [`describe`](Services::describe).
    async fn describe_at_rest(&self, service: &str, binding: &Binding) -> Result<Service, Error>;

    /// The same for several bindings, by as few questions as the platform allows.
    ///
    /// # Errors
    ///
    /// What keeps all of them from being answered.
    async fn describe_each(
        &self,
        service: &str,
        bindings: &[Binding],
    ) -> Result<Vec<Result<Service, Error>>, Error> {
        let mut described = Vec::new();
        for binding in bindings {
            described.push(self.describe(service, binding).await);
        }
        Ok(described)
    }

    /// The commands by which a person has a service read a version by its number, one
    /// after another; none where no command does.
    fn commands_to_bind(
        &self,
        service: &str,
        binding: &Binding,
        version: VersionNumber,
    ) -> Vec<String> {
        let _ = (service, binding, version);
        Vec::new()
    }

    /// The command by which a person sends all traffic to a revision; none where no
    /// command does.
    fn command_to_send(&self, service: &str, revision: &str) -> Option<String> {
        let _ = (service, revision);
        None
    }

    /// Refuses a service that waiting doesn't make ready, since its traffic is split
    /// between revisions.
    ///
    /// # Errors
    ///
    /// When it is, with how the split ends; when the platform can't be asked.
    async fn check_traffic(&self, service: &str) -> Result<(), Error> {
        let _ = service;
        Ok(())
    }

    /// Refuses a value that the configuration of a service can't hold. Changes nothing.
    ///
    /// # Errors
    ///
    /// What a cutover to that value would fail at; when the platform can't be asked.
    async fn check_value(
        &self,
        service: &str,
        variable: &str,
        value: &SecretValue,
    ) -> Result<(), Error> {
        let _ = (service, variable, value);
        Ok(())
    }

    /// Refuses a service whose configuration could not be changed when that is needed.
    /// Changes nothing.
    ///
    /// # Errors
    ///
    /// What a cutover would fail at; when the platform can't be asked.
    async fn check_changeable(&self, service: &str, binding: &Binding) -> Result<(), Error> {
        let _ = (service, binding);
        Ok(())
    }

    /// The value that a service has in its own configuration, where its variable is
    /// bound to no secret ([`Bound::Inline`]).
    ///
    /// # Errors
    ///
    /// When it can't be read, or the variable isn't there.
    async fn inline_value(&self, service: &str, variable: &str) -> Result<SecretValue, Error>;

    /// Makes a revision that differs from the serving one in this binding alone, and
    /// waits until it is ready. It gets no traffic.
    ///
    /// # Errors
    ///
    /// When it doesn't get ready: the service goes on with the revision that it had.
    async fn prepare(&self, service: &str, binding: &Binding, to: Bound) -> Result<String, Error>;

    /// Sends all traffic to a revision, and waits until the platform says that it is
    /// really there and that the revision serves.
    ///
    /// # Errors
    ///
    /// When that can't be seen in time: the traffic may be on either revision then.
    /// [`Error::Overtaken`] where somebody else sends it elsewhere meanwhile.
    async fn cut_over(&self, service: &str, revision: &str) -> Result<(), Error>;

    /// Makes a prepared revision that serves nobody unreachable, and stops keeping it
    /// warm. One that is gone already is no error. With the last one, the service is given
    /// back what it had before the rotation; tells what it keeps where that can't be.
    ///
    /// # Errors
    ///
    /// [`Error::RevisionServes`].
    async fn discard(&self, service: &str, revision: &str) -> Result<Option<Kept>, Error>;

    /// Discards every revision but the one that serves, once nobody sends the traffic elsewhere,
    /// and tells what [`discard`](Services::discard) tells.
    ///
    /// # Errors
    ///
    /// [`Error::RevisionServes`] where the traffic is split, or was left half way.
    async fn discard_others(&self, service: &str) -> Result<Option<Kept>, Error>;
}

/// What a service keeps of a rotation, since it could not be given back what it had before. It
/// serves all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Kept {
    /// The service.
    pub service: String,
    /// The revision that its traffic stays at by name, where it followed the latest one before:
    /// what is deployed next gets none.
    pub pinned_to: Option<String>,
    /// Why.
    pub why: String,
    /// How a person gives it back, with the command.
    pub advice: String,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = &self.service;
        match &self.pinned_to {
            Some(revision) => write!(
                f,
                "the traffic of `{service}` stays at `{revision}` by name, so that what is deployed \
                 next gets none"
            )?,
            None => write!(f, "instances of `{service}` are kept up without need")?,
        }
        let why = self.why.trim_end_matches('.');
        write!(f, ": {why}; {}", self.advice)
    }
}

/// A variable of a service's environment and the secret that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The environment variable.
    pub variable: String,
    /// The secret's name in the store.
    pub secret: String,
}

/// Which value a variable has in a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Whatever is the latest version when an instance starts.
    Latest,
    /// This version.
    Pinned(VersionNumber),
    /// A value that stands in the service's own configuration and in no store.
    Inline,
}

/// A service as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name of the revision that all traffic goes to.
    pub serving: String,
    /// What the serving revision reads.
    pub bound: Bound,
    /// Whether the serving revision is really up, and nothing is under way.
    pub ready: bool,
    /// Whether it is up, and isn't called ready merely because somebody changed its
    /// configuration past the platform, or a change was cut off. Nobody is at it: whoever sends
    /// its traffic next restarts it, and then it is ready.
    pub is_unsettled: bool,
    /// Every revision that traffic goes to or can be sent to, the serving one among them.
    pub revisions: Vec<Revision>,
}

/// A revision of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its name.
    pub name: String,
    /// What it reads.
    pub bound: Bound,
}

impl Service {
    /// The revisions that can serve and read this version, be it by its number or
    /// because it is the latest.
    pub fn readers_of(
        &self,
        version: VersionNumber,
        latest: Option<VersionNumber>,
    ) -> impl Iterator<Item = &Revision> {
        self.revisions
            .iter()
            .filter(move |revision| match revision.bound {
                Bound::Latest => latest == Some(version),
                Bound::Pinned(number) => number == version,
                Bound::Inline => false,
            })
    }
}
