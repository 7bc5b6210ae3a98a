//! The steps that change the toy world, of every kind, and plans of them.

use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Name, Observed, Plan, Step, Undo};

use crate::world::{Method, Moment, ToyError, World, do_half, do_rest, undo_half, undo_rest};

struct Toy(&'static About);

#[async_trait(?Send)]
impl Step<World, ToyError> for Toy {
    fn about(&self) -> &'static About {
        self.0
    }

    async fn observe(&self, world: &mut World, facts: &Facts) -> Result<Observed, ToyError> {
        world.reach(self.0.name, Method::Observe, Moment::Before)?;
        let thing = facts.name("thing");
        Ok(Observed::when(match self.0.name {
            "open-door" => world.effects.door.len() == 2,
            "make-thing" => thing.is_ok_and(|thing| world.effects.things.contains(thing)),
            "point" => thing.is_ok_and(|thing| {
                world.effects.pointer.contains(thing) && world.effects.pointer.len() == 2
            }),
            name => panic!("`{name}` has nothing to observe"),
        }))
    }

    async fn apply(&self, world: &mut World, log: &mut Log<'_>) -> Result<Applied, ToyError> {
        let name = self.0.name;
        world.calls.push(format!("apply {name}"));
        if name == "make-thing" && log.facts().name("thing").is_err() {
            world.named += 1;
            let thing = Name::new(format!("thing-{}", world.named)).unwrap();
            let recorded = log.record("thing", Fact::Name(thing));
            recorded.map_err(|_| ToyError::Journal)?;
        }
        if name == "soak" {
            if log.facts().time("soaked").is_err() {
                let until = world.now + jiff::SignedDuration::from_hours(1);
                let recorded = log.record("soaked", Fact::Time(until));
                recorded.map_err(|_| ToyError::Journal)?;
            }
            let until = log.facts().time("soaked")?;
            if world.now < until {
                return Ok(Applied::Waits { until: Some(until) });
            }
        }
        let thing = log.facts().name("thing").unwrap_or_default().to_owned();
        world.reach(name, Method::Apply, Moment::Before)?;
        do_half(name, &mut world.effects, &thing);
        world.reach(name, Method::Apply, Moment::During)?;
        do_rest(name, &mut world.effects, &thing);
        world.reach(name, Method::Apply, Moment::After)?;
        Ok(Applied::Done)
    }

    async fn verify(&self, world: &mut World, _: &Facts) -> Result<(), ToyError> {
        world.reach(self.0.name, Method::Verify, Moment::Before)
    }

    async fn undo(&self, world: &mut World, log: &mut Log<'_>) -> Result<(), ToyError> {
        let name = self.0.name;
        world.calls.push(format!("undo {name}"));
        let thing = log.facts().name("thing").unwrap_or_default().to_owned();
        world.reach(name, Method::Undo, Moment::Before)?;
        undo_half(name, &mut world.effects, &thing);
        world.reach(name, Method::Undo, Moment::During)?;
        undo_rest(name, &mut world.effects, &thing);
        world.reach(name, Method::Undo, Moment::After)
    }
}

/// A step whose methods are each called twice in a row.
pub(crate) struct Twice(Box<dyn Step<World, ToyError>>);

#[async_trait(?Send)]
impl Step<World, ToyError> for Twice {
    fn about(&self) -> &'static About {
        self.0.about()
    }

    async fn observe(&self, world: &mut World, facts: &Facts) -> Result<Observed, ToyError> {
        let first = self.0.observe(world, facts).await?;
        assert_eq!(self.0.observe(world, facts).await?, first);
        Ok(first)
    }

    async fn apply(&self, world: &mut World, log: &mut Log<'_>) -> Result<Applied, ToyError> {
        self.0.apply(world, log).await?;
        self.0.apply(world, log).await
    }

    async fn verify(&self, world: &mut World, facts: &Facts) -> Result<(), ToyError> {
        self.0.verify(world, facts).await?;
        self.0.verify(world, facts).await
    }

    async fn undo(&self, world: &mut World, log: &mut Log<'_>) -> Result<(), ToyError> {
        self.0.undo(world, log).await?;
        self.0.undo(world, log).await
    }
}

pub(crate) type ToyPlan = Plan<World, ToyError>;

pub(crate) fn plan() -> ToyPlan {
    Plan::new("toy", ABOUTS.iter().map(boxed).collect())
}

/// The plan, with one step that does everything twice.
pub(crate) fn plan_with_twice(twice: &str) -> ToyPlan {
    let wrap = |about: &'static About| -> Box<dyn Step<World, ToyError>> {
        if about.name == twice {
            Box::new(Twice(boxed(about)))
        } else {
            boxed(about)
        }
    };
    Plan::new("toy", ABOUTS.iter().map(wrap).collect())
}

pub(crate) fn plan_of(rotation: &'static str, abouts: &'static [About]) -> ToyPlan {
    Plan::new(rotation, abouts.iter().map(boxed).collect())
}

fn boxed(about: &'static About) -> Box<dyn Step<World, ToyError>> {
    Box::new(Toy(about))
}

const fn toy(name: &'static str, title: &'static str, kind: Kind, undo: Undo) -> About {
    About {
        name,
        title,
        kind,
        told: None,
        does: "Turns a screw.",
        touches: "a screw",
        verified: "it is turned",
        undo,
        outage: None,
    }
}

pub(crate) const OPEN_DOOR: About = toy(
    "open-door",
    "Open the door",
    Kind::Change,
    Undo::By("closing it"),
);
const MAKE_THING: About = toy(
    "make-thing",
    "Make a thing",
    Kind::Change,
    Undo::By("breaking it"),
);
const POINT: About = toy(
    "point",
    "Point at it",
    Kind::Change,
    Undo::By("looking away"),
);

pub(crate) static ABOUTS: [About; 6] = [
    toy("look", "Look", Kind::Check, Undo::Nothing("it only looks")),
    OPEN_DOOR,
    toy(
        "ask",
        "Ask",
        Kind::People,
        Undo::Nothing("it was only asked"),
    ),
    MAKE_THING,
    toy("soak", "Wait", Kind::Soak, Undo::Nothing("time has passed")),
    POINT,
];

/// A plan whose first step makes something in the process's memory.
pub(crate) static IN_MEMORY: [About; 3] = [
    toy(
        "make-thing",
        "Make a thing",
        Kind::InMemory,
        Undo::Nothing("it is forgotten"),
    ),
    OPEN_DOOR,
    POINT,
];

/// A plan whose second step is one that the third can do without.
pub(crate) static PREPARED: [About; 3] = [
    MAKE_THING,
    toy(
        "open-door",
        "Open the door",
        Kind::Preparation,
        Undo::By("closing it"),
    ),
    POINT,
];

/// A plan whose second step can't be undone.
pub(crate) static ONE_WAY: [About; 3] = [
    OPEN_DOOR,
    toy(
        "make-thing",
        "Make a thing",
        Kind::Change,
        Undo::Impossible("it lives"),
    ),
    POINT,
];

/// A plan whose second step is undone by people.
pub(crate) static BY_PEOPLE: [About; 2] = [
    OPEN_DOOR,
    toy("ask", "Ask", Kind::People, Undo::ByPeople("leave the room")),
];
