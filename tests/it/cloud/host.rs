//! A host that answers what the tests need, and an app in a temporary folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reparse::adapters::cloud::node::{
    Call, Cloud, CloudError, CloudOptions, Host, LogLine, Origin, RestRequest, RestResponse, Source, find_node,
};
use reparse::error::ParseError;
use reparse::random::SystemRandom;
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

/// Calls of functions by cloud code come back to cloud code, as in a server.
#[derive(Default)]
pub struct TestHost {
    pub cloud: OnceLock<Weak<Cloud>>,
    pub lines: Mutex<Vec<(String, String)>>,
    pub requests: Mutex<Vec<RestRequest>>,
    pub mails: Mutex<Vec<Json>>,
}

impl TestHost {
    /// Waits until a line with this text was logged; returns the id of its request.
    pub async fn wait_for_line(&self, text: &str) -> String {
        for _ in 0..1500 {
            if let Some((_, request)) = self.lines.lock().unwrap().iter().find(|(line, _)| line.contains(text)) {
                return request.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing like {text:?} was logged: {:?}", self.lines.lock().unwrap());
    }
}

impl Host for TestHost {
    fn rest(&self, origin: Origin, request: RestRequest) -> BoxFuture<'_, RestResponse> {
        Box::pin(async move {
            self.requests.lock().unwrap().push(request.clone());
            let answer = |status, body: Json| RestResponse {
                status,
                headers: BTreeMap::from([("X-Parse-Job-Status-Id".to_owned(), "job1".to_owned())]),
                body: body.to_string().into(),
            };
            let Some(name) = request.path.strip_prefix("functions/") else {
                return answer(201, json!({"objectId": "made", "createdAt": "2024-05-06T07:08:09.010Z"}));
            };
            let Some(cloud) = self.cloud.get().and_then(Weak::upgrade) else {
                return answer(503, json!({"code": 100, "error": "no cloud"}));
            };
            let params: Json = serde_json::from_slice(&request.body).unwrap();
            let payload = json!({"params": params, "master": request.auth.use_master_key, "context": request.context});
            let call = Call { origin: &origin, ..function(name, &payload) };
            match cloud.call(&call).await {
                Ok(result) => answer(200, result.read().unwrap()),
                Err(error) => answer(400, json!({"code": error.code(), "error": error.message()})),
            }
        })
    }

    fn send_email(&self, mail: Json) -> BoxFuture<'_, Result<(), ParseError>> {
        Box::pin(async move {
            self.mails.lock().unwrap().push(mail);
            Ok(())
        })
    }

    fn user_roles<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<Vec<String>, ParseError>> {
        Box::pin(async move { Ok(vec![format!("role of {user}")]) })
    }

    fn job_message<'a>(&'a self, job: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), ParseError>> {
        Box::pin(async move {
            self.lines.lock().unwrap().push((format!("{job}: {message}"), String::new()));
            Ok(())
        })
    }

    fn options(&self) -> Map<String, Json> {
        let options = json!({"appId": "app", "masterKey": "master", "serverURL": "http://localhost:1/parse"});
        options.as_object().unwrap().clone()
    }

    fn set_options(&self, _: Map<String, Json>) -> BoxFuture<'_, Result<(), ParseError>> {
        Box::pin(async move { Ok(()) })
    }

    fn log(&self, line: &LogLine<'_>) {
        self.lines.lock().unwrap().push((line.message.to_owned(), line.request.to_owned()));
    }
}

pub static CLIENT: Origin = Origin { request: String::new(), depth: 0 };

/// The call of a function.
pub fn function<'a>(name: &'a str, payload: &'a Json) -> Call<'a, Json> {
    Call { kind: "function", name, origin: &CLIENT, payload, attachment: &[], deadline: None }
}

/// An app and the cloud that runs it.
pub struct TestApp {
    pub folder: TempDir,
    pub host: Arc<TestHost>,
    pub cloud: Arc<Cloud>,
}

/// Node of this machine.
pub fn node() -> PathBuf {
    find_node(None, std::env::var_os("PATH").as_deref()).unwrap()
}

pub fn write_app(main: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.js"), main).unwrap();
    folder
}

pub fn options(folder: &TempDir) -> CloudOptions {
    let main = Some(folder.path().join("main.js"));
    let folder = Some(folder.path().to_path_buf());
    CloudOptions::new(Source::Node { node: node(), main, folder, workers: 1, nice: 0, reload: false })
}

/// Starts the cloud; what fails is the text for the person who started the server.
pub async fn try_start(options: CloudOptions, host: &Arc<TestHost>) -> Result<Arc<Cloud>, String> {
    let cloud = Cloud::start(options, host.clone(), &SystemRandom).await?;
    host.cloud.set(Arc::downgrade(&cloud)).unwrap();
    Ok(cloud)
}

impl TestApp {
    pub async fn start(main: &str) -> Self {
        Self::start_with(main, |options| options).await
    }

    pub async fn start_with(main: &str, change: impl FnOnce(CloudOptions) -> CloudOptions) -> Self {
        let folder = write_app(main);
        let host = Arc::new(TestHost::default());
        let cloud = try_start(change(options(&folder)), &host).await.unwrap();
        Self { folder, host, cloud }
    }

    pub async fn call(&self, name: &str, params: Json) -> Result<Json, CloudError> {
        call(&self.cloud, name, params).await
    }
}

/// Calls a function; its result.
pub async fn call(cloud: &Cloud, name: &str, params: Json) -> Result<Json, CloudError> {
    let payload = json!({"params": params, "context": {}});
    let answer: Json = cloud.call(&function(name, &payload)).await?.read()?;
    Ok(answer["result"].clone())
}
