//! How long runs take that nothing disturbs: measured where a moment needs it, once for each
//! rotation.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use integration_tests::PostgresServer;
use tokio::sync::Mutex;

use super::case::{On, Rotated};
use super::scene::Scene;
use super::strike::Pace;

#[derive(Default)]
pub(super) struct Paces(Mutex<BTreeMap<(Rotated, bool), Duration>>);

impl Paces {
    pub(super) async fn of(&self, rotated: Rotated, on: On, is_in_place: bool) -> Result<Pace> {
        if on == On::GoogleCloud {
            // Its moments are told by the steps.
            return Ok(Pace::of(on, Duration::ZERO));
        }
        let mut known = self.0.lock().await;
        let key = (rotated, is_in_place);
        if let Some(run) = known.get(&key) {
            return Ok(Pace::of(on, *run));
        }
        let server = PostgresServer::shared();
        let scene = Scene::new(rotated, on, is_in_place, server).await?;
        let Some(scene) = scene else {
            return Ok(Pace::of(on, Duration::ZERO));
        };
        let program = scene.rotation()?;
        let began = Instant::now();
        let output = scene.run(&program)?;
        let run = began.elapsed();
        ensure!(output.code == Some(0), "undisturbed: {output:#?}");
        scene.expect_rotated().await?;
        known.insert(key, run);
        Ok(Pace::of(on, run))
    }
}
