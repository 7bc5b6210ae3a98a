//! The key of the tokens: the worlds that a rotation begins in, and who writes to them.
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use diesel::prelude::*;
use diesel::sql_types::Text;
use reencrypt::{Database, Keyring, Mode, Timeouts, Tls, sample};
use secret::{DatabaseUrl, FernetKey, SecretValue};
use tokio_util::sync::CancellationToken;

use super::moments::Moments;
use super::scene::Scene;
use super::world::World;

const CLIENTS: u64 = 30;

impl World {
    /// The key stands in `.env` alone.
    pub(super) async fn inline() -> Result<World> {
        let key = FernetKey::generate();
        let world = World::of(Scene::Key, &key.to_text())?;
        sample::create_sqlite(&world.path("service.db"), CLIENTS, &key).await?;
        Ok(world)
    }

    /// The key is the latest version, beside an older one.
    pub(super) async fn stored() -> Result<World> {
        let world = World::inline().await?;
        let older = SecretValue::from(&FernetKey::generate());
        world.store_beside(&older).await?;
        Ok(world)
    }

    /// It was rotated before, so that the service is pinned.
    pub(super) async fn pinned() -> Result<World> {
        let world = World::inline().await?;
        world.begin(&Moments::undisturbed()).await?;
        Ok(world)
    }
}

/// Registers a client as the service would, under a key.
pub(super) fn register(database: &Path, order_id: &str, key: &str) -> Result<()> {
    let path = database.to_string_lossy().into_owned();
    let token = fernet::Fernet::new(key)
        .expect("a key")
        .encrypt(order_id.as_bytes());
    let mut connection = SqliteConnection::establish(&path)?;
    let insert = "insert into dcr_clients (order_id, client_id, client_secret_encrypted,
        account_id, redirect_uris, grant_types, metadata) values (?, ?, ?, 'a', '[]', '[]', '{}')";
    diesel::sql_query(insert)
        .bind::<Text, _>(order_id)
        .bind::<Text, _>(order_id)
        .bind::<Text, _>(token)
        .execute(&mut connection)?;
    Ok(())
}

/// Puts the tokens of a table from one key under another, as `rotate-dcr --platform none` does.
pub(super) async fn move_tokens(database: &Path, from: &str, to: &str) -> Result<()> {
    let url = DatabaseUrl::parse(&format!("sqlite+aiosqlite:///{}", database.display()))?;
    let connect = Database::connect(&url, Tls::AsUrlSays, Timeouts::default());
    let mut database = connect.await?;
    let plan = reencrypt::check(&mut database, &[]).await?;
    let key = |text: &str| FernetKey::parse(text.as_bytes()).map(|parsed| parsed.key);
    let (from, to) = (key(from)?, key(to)?);
    let keyring = Arc::new(Keyring::for_rotation(&[from], &to)?);
    let (mode, interrupt) = (Mode::Commit, CancellationToken::new());
    reencrypt::reencrypt(
        &mut database,
        &plan,
        &keyring,
        mode,
        &mut |_| {},
        &interrupt,
    )
    .await?;
    Ok(())
}
