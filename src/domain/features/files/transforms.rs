//! Images in another size or format (`files.transforms`): made when they are asked for, and kept for a while.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::held::Held;
use crate::adapters::files::blocks::gather;
use crate::adapters::files::in_memory::InMemory;
use crate::adapters::files::{FileInfo, StoredFile};
use crate::adapters::images::{self, ImageError};
use crate::bounded_cache::BoundedCache;
use crate::config::files::FileOptions;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::files::image::{Change, Format};
use crate::model::files::types;

/// What is kept, and how many images are being made.
pub struct Transforms {
    /// By the image, its version, which changes with its bytes, and the form.
    made: BoundedCache<Arc<InMemory>>,
    /// Half of the cores: they take a core for a while.
    slots: Arc<Semaphore>,
    options: FileOptions,
}

impl Transforms {
    /// With nothing made yet.
    #[must_use]
    pub fn new(options: &FileOptions) -> Self {
        fn weigh(key: &str, image: &Arc<InMemory>) -> u32 {
            let names = u32::try_from(2 * key.len() + 512).unwrap_or(u32::MAX);
            u32::try_from(image.info().length).unwrap_or(u32::MAX).saturating_add(names)
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            made: BoundedCache::weighing(options.transform_cache_bytes, weigh),
            slots: Arc::new(Semaphore::new((cores / 2).max(1))),
            options: options.clone(),
        }
    }

    /// A stored image in another form.
    ///
    /// # Errors
    /// 102 for what is no image, or too large a one; 503 when too many are being made.
    pub async fn make(&self, held: &Held, file: &dyn StoredFile, change: Change) -> Result<Arc<InMemory>> {
        let FileInfo { name, version, length, modified, .. } = file.info().clone();
        let key = format!("{name}\n{version}\n{change:?}");
        if let Some(made) = self.made.get(&key) {
            return Ok(made);
        }
        if length > self.options.transform_bytes {
            return Err(refuse("The image is too large."));
        }
        let busy = || ParseError::unavailable("Too many images are being changed.", 1);
        let patience = Duration::from_millis(self.options.transform_ms);
        let slot = tokio::time::timeout(patience, self.slots.clone().acquire_owned()).await;
        let slot = slot.map_err(|_| busy())?.map_err(ParseError::internal)?;
        // Whoever waited before may have made it.
        if let Some(made) = self.made.get(&key) {
            return Ok(made);
        }
        let room = held.share(usize::try_from(length).unwrap_or(usize::MAX))?;
        let read = async { gather(file.read(0..length).await?).await };
        let bytes = read.await.map_err(ParseError::internal)?;
        let (kept, pixels) = (self.made.clone(), self.options.transform_pixels);
        let work = tokio::task::spawn_blocking(move || {
            let _held = (slot, room);
            let (bytes, format) = images::change(&bytes, change, pixels)?;
            // Its version is made of its bytes: here, once, and not each time that somebody asks for it.
            let image = Arc::new(InMemory::new(renamed(&name, format), None, bytes.into(), modified));
            kept.insert(key, image.clone());
            Ok(image)
        });
        // The work goes on when nobody waits any more, and keeps its slot meanwhile; the next who asks gets the image.
        let made = tokio::time::timeout(patience, work).await.map_err(|_| busy())?;
        match made {
            Ok(made) => made.map_err(|error: ImageError| refuse(&error.to_string())),
            Err(panicked) => {
                tracing::error!(%panicked, "an image could not be read");
                Err(refuse("The image is broken."))
            }
        }
    }
}

fn refuse(message: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, message.to_owned())
}

/// A name with the extension of a format.
fn renamed(name: &str, format: Format) -> String {
    let extension = types::extension(name);
    let bare = if extension.is_empty() { name } else { name.strip_suffix(extension).unwrap_or(name) };
    format!("{}.{}", bare.trim_end_matches('.'), format.extension())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_the_extension_of_the_format() {
        for (name, expected) in
            [("a.png", "a.jpg"), ("a", "a.jpg"), ("a.", "a.jpg"), ("d.x/a", "d.x/a.jpg"), ("a.b.c", "a.b.jpg")]
        {
            assert_eq!(renamed(name, Format::Jpeg), expected);
        }
    }
}
