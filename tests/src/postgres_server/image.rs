//! The Postgres image: named, official, or built here.
use std::collections::HashMap;
use std::env;
use std::fmt;
use std::fs::File;

use testcontainers::GenericImage;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::ListImagesOptionsBuilder;
use testcontainers::runners::AsyncRunner as _;

use crate::command::{command, run};
use crate::runtime::say;

const OFFICIAL: &str = "postgres:17-alpine";

const BUILD_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/postgres-image/build.sh");

/// The two parts of an image's name.
pub(super) struct ImageName {
    pub(super) name: String,
    pub(super) tag: String,
}

impl ImageName {
    fn parse(text: &str) -> Self {
        // A colon before a slash belongs to a registry's port.
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, "latest"),
        };
        Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.name, self.tag)
    }
}

/// The image to use, which the engine has when this returns.
pub(super) async fn find(docker: &Docker) -> Result<ImageName, String> {
    if let Ok(named) = env::var("TEST_POSTGRES_IMAGE") {
        let named = ImageName::parse(&named);
        get(docker, &named).await?;
        return Ok(named);
    }
    let official = ImageName::parse(OFFICIAL);
    let Err(no_official) = get(docker, &official).await else {
        return Ok(official);
    };
    if let Some(built) = newest_built(docker).await {
        return Ok(built);
    }
    say(&format!("postgres: building an image ({no_official})"));
    let build = tokio::task::spawn_blocking(build).await;
    let built = build.unwrap_or_else(|error| Err(error.to_string()));
    match built {
        Ok(name) => Ok(ImageName::parse(&name)),
        Err(no_build) => Err(format!("{no_official}; {no_build}")),
    }
}

/// Pulls an image unless the engine has it.
async fn get(docker: &Docker, image: &ImageName) -> Result<(), String> {
    if docker.inspect_image(&image.to_string()).await.is_ok() {
        return Ok(());
    }
    let request = GenericImage::new(image.name.clone(), image.tag.clone());
    let pulled = request.pull_image().await;
    pulled.map(drop).map_err(|error| error.to_string())
}

/// The newest of the images that the build script made.
async fn newest_built(docker: &Docker) -> Option<ImageName> {
    let ours = HashMap::from([("reference", vec!["postgres:*-local"])]);
    let list = ListImagesOptionsBuilder::new().filters(&ours).build();
    let images = docker.list_images(Some(list)).await.ok()?;
    let tags = images.iter().flat_map(|image| &image.repo_tags);
    let newest = tags.max_by_key(|tag| major_version(tag))?;
    Some(ImageName::parse(newest))
}

fn major_version(tag: &str) -> u32 {
    let digits = tag.chars().filter(char::is_ascii_digit);
    digits.collect::<String>().parse().unwrap_or(0)
}

/// Builds one, of this machine's own Debian release. Test processes take turns; the
/// second finds all layers in the engine's cache.
fn build() -> Result<String, String> {
    let lock = File::create(env::temp_dir().join("postgres-image-build.lock"));
    let _held = lock.and_then(|file| file.lock().map(|()| file));
    let built = run(&mut command(BUILD_SCRIPT));
    built.map_err(|error| {
        format!("the image could not be built (that needs Debian and `apt-get update`): {error}")
    })
}
