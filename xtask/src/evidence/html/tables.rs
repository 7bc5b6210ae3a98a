//! What was before and what is now: versions, services, the outage, counts.

use maud::{Markup, html};
use rotation::Evidence;
use rotation::evidence::Counted;

use super::inline::{code_or_dash, time};
use crate::evidence::words::{at_most, exactly, pass, tokens};
use crate::output::grouped;

pub(super) fn versions(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.versions.is_empty() {
            section {
                h2 { "Versions, before and after" }
                table {
                    thead { tr { th scope="col" { "" } th.count scope="col" { "version" } th scope="col" { "fingerprint" } th scope="col" { "state" } th scope="col" { "since" } } }
                    tbody {
                        @for version in &evidence.versions {
                            tr {
                                th scope="row" { (version.role.words()) }
                                td.count { (version.number) }
                                td { (code_or_dash(version.fingerprint.as_deref())) }
                                td { (version.state) }
                                td.moment { @if let Some(at) = version.since { (time(at)) } }
                            }
                        }
                    }
                }
                @if evidence.versions.iter().all(|version| version.fingerprint.is_none()) {
                    p.quiet { small { "The value has no fingerprint: it isn't random all through, and could be guessed from one." } }
                }
            }
        }
    }
}

pub(super) fn services(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.services.is_empty() {
            section {
                h2 { "Services, before and after" }
                table {
                    thead { tr { th scope="col" { "service" } th scope="col" { "read before" } th scope="col" { "new revision" } } }
                    tbody {
                        @for service in &evidence.services {
                            tr {
                                th scope="row" { (service.name) }
                                td { (code_or_dash(service.bound_before.as_deref())) }
                                td { (code_or_dash(service.new_revision.as_deref())) }
                            }
                        }
                    }
                }
                @if let Some(login) = &evidence.login {
                    p { "Role before: " code { (login.old_role) } ". Role after: " (code_or_dash(login.new_role.as_deref())) "." }
                }
                @if let Some(backup) = &evidence.backup {
                    p { "Backup: " code { (backup.name) } @if let Some(at) = backup.taken_at { ", taken " (time(at)) } "." }
                }
            }
        }
    }
}

pub(super) fn outages(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.outages.is_empty() {
            section {
                h2 { "Outage" }
                table {
                    thead { tr { th scope="col" { "what could not be done" } th scope="col" { "from" } th scope="col" { "to" } th.count scope="col" { "duration" } } }
                    tbody {
                        @for outage in &evidence.outages {
                            tr {
                                td { (outage.what) }
                                td.moment { (exactly(outage.began_at)) }
                                td.moment { @match outage.ended_at { Some(at) => (exactly(at)), None => strong.bad { "goes on" } } }
                                td.count.moment { (at_most(outage.is_at_most, outage.duration_ms)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn counts(evidence: &Evidence) -> Markup {
    html! {
        @if evidence.tokens.is_some() || !evidence.counts.is_empty() {
            section {
                h2 { "Counts" }
                @if let Some(counted) = &evidence.tokens {
                    p { (tokens(counted)) "." }
                }
                @if !evidence.counts.is_empty() {
                    div.scroll {
                        table {
                            thead {
                                tr {
                                    @for title in ["pass", "column"] { th scope="col" { (title) } }
                                    @for title in ["scanned", "= re-encrypted", "+ under the new key before", "+ empty", "+ unreadable"] { th.count scope="col" { (title) } }
                                    th scope="col" { "adds up" }
                                }
                            }
                            tbody { @for counted in &evidence.counts { (cells(counted)) } }
                        }
                    }
                }
            }
        }
    }
}

fn cells(counted: &Counted) -> Markup {
    html! {
        @for cells in &counted.columns {
            tr {
                td { (pass(counted.pass)) }
                th scope="row" { code { (cells.column) } }
                @for count in [cells.scanned, cells.reencrypted, cells.already_current, cells.empty, cells.unreadable] {
                    td.count { (grouped(count)) }
                }
                @if cells.adds_up { td.good { "✓ yes" } } @else { td.bad { "✗ no" } }
            }
        }
    }
}
