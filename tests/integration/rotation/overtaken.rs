//! Traffic that somebody else moves in the same moment: a change is made again, and not for ever.
use std::cell::Cell;
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;
use platform::{Binding, Bound, Error, Kept, Service, Services};
use secret::SecretValue;

use super::moments::Moments;
use super::other_people::failure;
use super::process::operator;
use super::world::{Ended, Then, World};

/// Services whose traffic somebody else moves so many times, each time at the same moment.
struct Busy {
    inner: Box<dyn Services>,
    times: u32,
    asked: Rc<Cell<u32>>,
}

#[async_trait(?Send)]
impl Services for Busy {
    async fn describe(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        self.inner.describe(service, binding).await
    }

    async fn describe_at_rest(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        self.inner.describe_at_rest(service, binding).await
    }

    async fn inline_value(&self, service: &str, variable: &str) -> Result<SecretValue, Error> {
        self.inner.inline_value(service, variable).await
    }

    async fn prepare(&self, service: &str, binding: &Binding, to: Bound) -> Result<String, Error> {
        self.inner.prepare(service, binding, to).await
    }

    async fn cut_over(&self, service: &str, revision: &str) -> Result<(), Error> {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() <= self.times {
            return Err(Error::Overtaken {
                service: service.to_owned(),
                revision: revision.to_owned(),
            });
        }
        self.inner.cut_over(service, revision).await
    }

    async fn discard(&self, service: &str, revision: &str) -> Result<Option<Kept>, Error> {
        self.inner.discard(service, revision).await
    }

    async fn discard_others(&self, service: &str) -> Result<Option<Kept>, Error> {
        self.inner.discard_others(service).await
    }
}

/// A run among these people, with how often traffic was to be moved.
async fn overtaken(world: &World, times: u32) -> Result<(Ended, u32)> {
    let mut process = world.process(&Moments::undisturbed())?;
    let asked = Rc::default();
    let platform = &mut process.context.platform;
    platform.services = Box::new(Busy {
        inner: world.platform()?.services,
        times,
        asked: Rc::clone(&asked),
    });
    let run = world.runs().begin(&process.plan, "local", operator())?;
    Ok((process.forward(run).await, asked.get()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_overtaken_is_made_three_times_and_then_told() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    let copy = world.copy()?;
    let (ended, _) = overtaken(&copy, 2).await?;
    ended?;
    copy.see().await?.expect_rotated_from(&start, "twice");

    let (ended, asked) = overtaken(&world, 9).await?;
    assert_eq!(failure(ended, "often").0, "somebody else moved the traffic");
    assert_eq!(asked, 3);
    world.bring_to_its_end(Then::Resume, &start, "often").await;
    Ok(())
}
