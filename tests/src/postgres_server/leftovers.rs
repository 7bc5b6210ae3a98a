//! Containers of test processes that were killed before they could remove them.
use std::collections::HashMap;
use std::fs;

use testcontainers::bollard::Docker;
use testcontainers::bollard::models::ContainerSummary;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};

use super::seconds_since_epoch;

/// The label that says which process a container belongs to.
pub(super) const OWNER_LABEL: &str = "secret-rotation-tests.owner";

/// For owners on another machine, of which nothing can be known.
const LEFTOVER_AFTER_SECONDS: u64 = 6 * 60 * 60;

/// This process, told apart from those of other machines and of other lives of its number.
pub(super) fn owner() -> String {
    let id = std::process::id();
    format!("{}/{id}/{}", machine(), start_of(id).unwrap_or_default())
}

/// Removes them, with their volumes.
pub(super) async fn remove(docker: &Docker) {
    let ours = HashMap::from([("label", vec![OWNER_LABEL])]);
    let list = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&ours)
        .build();
    let containers = docker.list_containers(Some(list)).await;
    for container in containers.unwrap_or_default() {
        if let (true, Some(id)) = (is_leftover(&container), &container.id) {
            let remove = RemoveContainerOptionsBuilder::new().force(true).v(true);
            let _ = docker.remove_container(id, Some(remove.build())).await;
        }
    }
}

fn is_leftover(container: &ContainerSummary) -> bool {
    let created_at = container.created.unwrap_or_default().unsigned_abs();
    if created_at + LEFTOVER_AFTER_SECONDS < seconds_since_epoch() {
        return true;
    }
    let labels = container.labels.as_ref();
    let owner = labels.and_then(|labels| labels.get(OWNER_LABEL));
    owner.is_some_and(|owner| is_dead(owner))
}

fn is_dead(owner: &str) -> bool {
    let Some((machine_and_id, start)) = owner.rsplit_once('/') else {
        return false;
    };
    let Some((owner_machine, id)) = machine_and_id.rsplit_once('/') else {
        return false;
    };
    // Without /proc there is no telling.
    let can_tell = start_of(std::process::id()).is_some() && owner_machine == machine();
    can_tell
        && id
            .parse()
            .is_ok_and(|id| start_of(id).as_deref() != Some(start))
}

/// The running kernel and the process namespace: where process numbers mean the same.
fn machine() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{}/{}", boot.trim(), namespace.display())
}

/// When a process started, in ticks: the 22nd field of its `stat`, the second of
/// which is a name that may hold blanks and brackets.
fn start_of(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(19).map(str::to_owned)
}
