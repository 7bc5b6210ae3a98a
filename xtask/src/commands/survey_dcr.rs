//! `cargo xtask survey-dcr`: connect, count, report.

use reencrypt::Event;
use tokio_util::sync::CancellationToken;

use super::connect::connect;
use super::{printer, surroundings};
use crate::cli;
use crate::failure::Failure;
use crate::output::{Printer, Progress};
use crate::report::{self, Listing, Subject};
use crate::settings;

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::SurveyDcr, interrupt: &CancellationToken) -> u8 {
    let format = typed.output.format;
    let printer = printer(typed.output);
    let surroundings = surroundings(typed.keys.use_standard_input(), printer, interrupt);
    let mut report = match settings::survey(typed, &surroundings).await {
        Ok(settings) => {
            let subject = subject(&settings, typed.place.clone());
            survey(
                &settings,
                subject,
                Listing::of_all(format),
                &printer,
                interrupt,
            )
            .await
        }
        Err(failure) => report::Survey {
            subject: Subject::default(),
            unreadable: Listing::of_all(format),
            result: Err(failure),
        },
    };
    report.result = report.result.map_err(|failure| failure.at(&typed.place));
    report.print(format, &printer);
    report.exit_code()
}

/// Surveys.
async fn survey(
    settings: &settings::Survey,
    subject: Subject,
    mut unreadable: Listing,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> report::Survey {
    let result = count(settings, &mut unreadable, printer, interrupt).await;
    report::Survey {
        subject,
        unreadable,
        result,
    }
}

fn subject(settings: &settings::Survey, typed: cli::Place) -> Subject {
    Subject {
        stored: settings.stored.clone(),
        disabled: settings.disabled.clone(),
        are_readers_known: settings.are_readers_known,
        typed,
        ..Subject::new(&settings.database, &settings.keyring)
    }
}

async fn count(
    settings: &settings::Survey,
    unreadable: &mut Listing,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<reencrypt::Survey, Failure> {
    let mut progress = Progress::new(*printer);
    let mut database = connect(&settings.database, &mut progress, interrupt).await?;
    progress.begin("checking the table");
    let mut observer = |event: Event<'_>| unreadable.observe(&event, &mut progress);
    reencrypt::survey(&mut database, &settings.keyring, &mut observer, interrupt)
        .await
        .map_err(|error| Failure::before_changing(&error))
}
