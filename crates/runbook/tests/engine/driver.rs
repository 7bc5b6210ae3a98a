//! Carries a toy run on, as people and time would.

use std::cell::Cell;

use runbook::{
    About, Conductor, Event, Name, Run, RunStatus, Runs, StepStatus, Stopped, roll_back,
    run_forward,
};
use tempfile::TempDir;

use crate::sinks::{Breaking, Cut};
use crate::toy::ToyPlan;
use crate::world::{Effects, ToyError, World, goal};

/// What a stopped run is brought to afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Resume,
    RollBack,
}

pub(crate) const THEN: [Then; 2] = [Then::Resume, Then::RollBack];

/// Says yes or no, and asks to stop before the step of a number.
#[derive(Default)]
pub(crate) struct Watcher {
    pub(crate) says_yes: bool,
    /// After how many questions it asks to stop.
    pub(crate) stops_after: Cell<Option<usize>>,
    pub(crate) events: Vec<String>,
}

impl Conductor for Watcher {
    fn event(&mut self, event: Event<'_>) {
        self.events.push(match event {
            Event::Begins { about, undo, .. } if undo => format!("undoing {}", about.name),
            Event::Begins { about, .. } => format!("begins {}", about.name),
            Event::Found { about, .. } => format!("found {}", about.name),
            Event::Lost { about } => format!("lost {}", about.name),
            Event::Ends { about } => format!("ends {}", about.name),
            Event::Waits { about, until } => format!("waits {} {}", about.name, until.is_some()),
            Event::Fact { name, .. } => format!("fact {name}"),
            Event::Remark(text) => text.to_owned(),
        });
    }

    fn is_done_by_people(&mut self, _: &'static About) -> bool {
        self.says_yes
    }

    fn is_interrupted(&self) -> bool {
        let left = self.stops_after.get();
        self.stops_after
            .set(left.map(|left| left.saturating_sub(1)));
        left == Some(0)
    }
}

/// The records of a whole run after its first: two for each step and two more for
/// each that waits, two facts, and the end.
pub(crate) const RECORDS: usize = 2 * 6 + 2 * 2 + 2 + 1;

/// A folder, a plan and a world: what is left when a process ends.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) plan: ToyPlan,
    pub(crate) world: World,
}

impl Stage {
    pub(crate) fn new(plan: ToyPlan, world: World) -> Stage {
        Stage {
            folder: tempfile::tempdir_in(memory()).unwrap(),
            plan,
            world,
        }
    }

    pub(crate) fn runs(&self) -> Runs {
        Runs::in_folder(self.folder.path())
    }

    pub(crate) fn begin(&self) -> Run {
        self.runs()
            .begin(&self.plan, "toy-box", operator("ann"))
            .unwrap()
    }

    /// What a new process does: everything it knows is in the folder.
    pub(crate) fn reopen(&self, run: Run) -> Run {
        let name = run.history().run.to_string();
        drop(run);
        self.runs()
            .open(&name, &self.plan, operator("ben"))
            .unwrap()
    }

    /// To the end or the first stop that neither people nor time can lift.
    pub(crate) async fn forward(&mut self, run: &mut Run) -> Result<(), Stopped<ToyError>> {
        self.forward_with(run, &mut Watcher::default()).await
    }

    pub(crate) async fn forward_with(
        &mut self,
        run: &mut Run,
        watcher: &mut Watcher,
    ) -> Result<(), Stopped<ToyError>> {
        loop {
            match run_forward(&self.plan, &mut self.world, run, watcher).await {
                Err(Stopped::Waits { until: None, .. }) => watcher.says_yes = true,
                Err(Stopped::Waits {
                    until: Some(until), ..
                }) => self.world.now = until,
                stopped => return stopped,
            }
        }
    }

    /// Forward until before the step of this index.
    pub(crate) async fn forward_until(&mut self, run: &mut Run, index: usize) {
        let mut watcher = Watcher::default();
        for step in 0..index {
            watcher.stops_after.set(Some(1));
            while run.history().steps[step].status != StepStatus::Done {
                let stopped = self.forward_with(run, &mut watcher).await;
                assert!(
                    !matches!(stopped, Err(Stopped::Failed { .. })),
                    "{stopped:?}"
                );
                watcher.stops_after.set(Some(1));
            }
        }
    }

    /// A run whose every step is done, and whose process ended before its last record.
    pub(crate) async fn all_but_the_last_record(&mut self) -> Run {
        let last = Breaking::at(RECORDS - 1, Cut::Nothing);
        let mut run = through(self.begin(), last);
        self.forward(&mut run).await.unwrap_err();
        let run = self.reopen(run);
        assert!(
            run.history()
                .steps
                .iter()
                .all(|step| step.status == StepStatus::Done)
        );
        run
    }

    pub(crate) async fn back(&mut self, run: &mut Run) -> Result<(), Stopped<ToyError>> {
        roll_back(&self.plan, &mut self.world, run, &mut Watcher::default()).await
    }

    /// Brings a run to the one end or the other and looks at what is there then.
    pub(crate) async fn bring_to_end(&mut self, run: &mut Run, then: Then, case: &str) {
        let ended = match then {
            Then::Resume => self.forward(run).await,
            Then::RollBack => self.back(run).await,
        };
        ended.unwrap_or_else(|stopped| panic!("{case}: {stopped:?}"));
        let (status, effects) = match then {
            Then::Resume => {
                let thing = run.history().facts.name("thing").unwrap();
                (RunStatus::Done, goal(thing))
            }
            Then::RollBack => (RunStatus::RolledBack, Effects::default()),
        };
        assert_eq!(run.history().status, status, "{case}");
        assert_eq!(self.world.effects, effects, "{case}");
        self.assert_replays(run, case);
    }

    /// The journal tells a reader what the run knows.
    pub(crate) fn assert_replays(&self, run: &Run, case: &str) {
        let name = run.history().run.as_str();
        let list = self.runs().list().unwrap();
        let listed = list.iter().find(|listed| listed.name == name).unwrap();
        let read = listed.history.as_ref().unwrap();
        assert_eq!(
            format!("{read:?}"),
            format!("{:?}", run.history()),
            "{case}"
        );
    }
}

/// Puts a breaking sink before the journal of a run.
pub(crate) fn through(run: Run, breaking: Breaking) -> Run {
    run.through(|sink| breaking.before(sink))
}

pub(crate) fn operator(name: &str) -> Name {
    Name::new(name).unwrap()
}

/// Thousands of records are synced: not on a disk, where there is a choice.
fn memory() -> std::path::PathBuf {
    let memory = std::path::PathBuf::from("/dev/shm");
    if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    }
}
