//! Modules of the app that options name by path: adapters and callbacks in JavaScript. They run where cloud code runs, and are loaded
//! with it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value as Json;

use super::node::{Argument, Cloud, CloudError, Module, Origin, Returned};

/// A module that an option names. It can be called once it is loaded.
#[derive(Debug)]
pub struct OwnModule {
    /// The option, for messages.
    option: String,
    /// Path, relative to the working directory, or name of a package.
    module: String,
    /// Settings that an adapter is made with; a callback has none.
    settings: Option<Json>,
    /// A method whose results hold for good, and what it is called with: it is called right after loading.
    constant: Option<(&'static str, Vec<Vec<Json>>)>,
    known: OnceLock<Vec<Option<Json>>>,
    loaded: OnceLock<Module>,
}

impl OwnModule {
    /// Whether it has this method; not before it is loaded.
    #[must_use]
    pub fn has(&self, method: &str) -> bool {
        self.loaded.get().is_some_and(|module| module.has(method))
    }

    /// What its constant method gave, for each call; nothing, if it has none.
    #[must_use]
    pub fn constants(&self) -> &[Option<Json>] {
        self.known.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Its property `policy`, which a provider of identities may have.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.loaded.get()?.policy()
    }

    /// Calls a method, or the module itself if there is no name.
    ///
    /// # Errors
    /// What it throws, or that it cannot be called.
    pub async fn call(&self, method: Option<&str>, arguments: &[Argument]) -> Result<Returned, CloudError> {
        self.call_within(&Origin::default(), method, arguments).await
    }

    /// As [`OwnModule::call`], in the course of a request.
    ///
    /// # Errors
    /// As there.
    pub async fn call_within(
        &self,
        origin: &Origin,
        method: Option<&str>,
        arguments: &[Argument],
    ) -> Result<Returned, CloudError> {
        let module = self.loaded.get();
        let module = module.ok_or_else(|| CloudError::Unavailable(format!("{} is not loaded yet", self.module)))?;
        module.call(origin, method, arguments, None).await
    }

    /// As [`OwnModule::call`], for what is told and given in JSON. `None`: nothing was returned.
    ///
    /// # Errors
    /// As there; a result that is no JSON.
    pub async fn call_json(&self, method: Option<&str>, arguments: Vec<Json>) -> Result<Option<Json>, CloudError> {
        self.call_json_within(&Origin::default(), method, arguments).await
    }

    /// As [`OwnModule::call_json`], in the course of a request.
    ///
    /// # Errors
    /// As there.
    pub async fn call_json_within(
        &self,
        origin: &Origin,
        method: Option<&str>,
        arguments: Vec<Json>,
    ) -> Result<Option<Json>, CloudError> {
        let arguments: Vec<Argument> = arguments.into_iter().map(Argument::Json).collect();
        match self.call_within(origin, method, &arguments).await? {
            Returned::Undefined => Ok(None),
            Returned::Json(json) => Ok(Some(json)),
            Returned::Bytes(_) => Err(CloudError::Protocol(format!("{} returned bytes", self.module))),
        }
    }
}

/// Yes or no: for all, or as a function of the app decides each time.
#[derive(Debug, Clone)]
pub enum Decision {
    /// For all.
    Always(bool),
    /// The function decides.
    Asked(Arc<OwnModule>),
}

/// The modules of a server.
#[derive(Debug, Default)]
pub struct Modules(Mutex<Vec<Arc<OwnModule>>>);

impl Modules {
    /// Notes a module that an option names.
    #[must_use]
    pub fn name(&self, option: &str, module: &str, settings: Option<Json>) -> Arc<OwnModule> {
        self.add(option, module, settings, None)
    }

    /// As [`Modules::name`], an adapter with a method whose results hold for good. `calls`: what it is called with, each time.
    #[must_use]
    pub fn with_constants(
        &self,
        option: &str,
        module: &str,
        settings: Json,
        method: &'static str,
        calls: Vec<Vec<Json>>,
    ) -> Arc<OwnModule> {
        self.add(option, module, Some(settings), Some((method, calls)))
    }

    fn add(
        &self,
        option: &str,
        module: &str,
        settings: Option<Json>,
        constant: Option<(&'static str, Vec<Vec<Json>>)>,
    ) -> Arc<OwnModule> {
        let module = Arc::new(OwnModule {
            option: option.to_owned(),
            module: module.to_owned(),
            settings,
            constant,
            known: OnceLock::new(),
            loaded: OnceLock::new(),
        });
        self.all().push(module.clone());
        module
    }

    /// Whether no option names any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<OwnModule>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads all of them.
    ///
    /// # Errors
    /// A text naming the option and what its module threw.
    pub async fn load(&self, cloud: &Arc<Cloud>) -> Result<(), String> {
        let all = self.all().clone();
        for own in all {
            let failed = |error: CloudError| format!("option {}: {}: {}", own.option, own.module, error.reason());
            let loaded = cloud.load_module(&own.module, own.settings.clone()).await.map_err(failed)?;
            if own.settings.is_none() && !loaded.is_callable() {
                return Err(format!("option {}: {}: it exports no function", own.option, own.module));
            }
            // Nobody else sets these.
            let _ = own.loaded.set(loaded);
            if let Some((method, calls)) = own.constant.as_ref().filter(|(method, _)| own.has(method)) {
                let mut known = Vec::with_capacity(calls.len());
                for arguments in calls {
                    known.push(own.call_json(Some(method), arguments.clone()).await.map_err(failed)?);
                }
                let _ = own.known.set(known);
            }
        }
        Ok(())
    }
}
