//! Jobs and their schedules. The jobs are handlers in this process; `compat/cloud` has jobs in JavaScript.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reparse::adapters::cloud::handler::{Answer, Call, Handler, Target};
use reparse::domain::features::jobs;
use reparse::domain::kernel::triggers::Source;
use reparse::error::{ErrorCode, ParseError, Result};
use reqwest::Method;
use serde_json::{Map, Value as Json, json};

use crate::server::{TestServer, answer, each_backend, each_backend_twice};

/// A job: counts its runs, and does what its parameters say.
#[derive(Debug, Default)]
struct Work {
    runs: AtomicU32,
}

impl Work {
    fn so_far(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

impl Handler for Work {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            self.runs.fetch_add(1, Ordering::SeqCst);
            match call.payload["params"]["do"].as_str() {
                Some("fail") => Err(ParseError::new(ErrorCode::ScriptFailed, "it failed")),
                Some("go on") => std::future::pending().await,
                Some("tell") => Ok(Answer { result: Some(Json::Object(call.payload)), ..Answer::default() }),
                _ => Ok(Answer { result: Some("done".into()), ..Answer::default() }),
            }
        })
    }
}

/// Gives the servers a job `work` (and the first of them one that the others lack).
fn deploy(servers: &[Arc<TestServer>]) -> Arc<Work> {
    let work = Arc::new(Work::default());
    for server in servers {
        let target = Target::Job("work".to_owned());
        server.running.app.triggers.register(Source::JavaScript, [(target, work.clone() as Arc<dyn Handler>)]);
    }
    work
}

impl TestServer {
    async fn start_job(&self, params: &Json) -> String {
        let got = answer(self.master(Method::POST, "/jobs/work").json(params)).await;
        assert_eq!((got.status, got.json()), (200, json!({})), "{got:?}");
        got.header("x-parse-job-status-id").to_owned()
    }

    /// The row of a run, once its status is this.
    async fn job_status(&self, id: &str, status: &str) -> Json {
        loop {
            let row = answer(self.master(Method::GET, &format!("/classes/_JobStatus/{id}"))).await.json();
            if row["status"] == status {
                return row;
            }
            assert!(row["status"] == "running" && status != "running", "{row} is not {status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The rows of runs that a schedule started.
    async fn scheduled_runs(&self) -> Vec<Json> {
        let path = "/classes/_JobStatus?where=%7B%22source%22%3A%22schedule%22%7D&order=createdAt";
        let found = answer(self.master(Method::GET, path)).await.json();
        found["results"].as_array().unwrap().clone()
    }

    async fn schedule(&self, schedule: Json) -> String {
        let body = json!({ "job_schedule": schedule });
        let got = answer(self.master(Method::POST, "/cloud_code/jobs").json(&body)).await;
        assert_eq!(got.status, 201, "{got:?}");
        got.json()["objectId"].as_str().unwrap().to_owned()
    }

    /// A round of the scheduler, as the holder of its lease does it.
    async fn round(&self) {
        let app = &self.running.app;
        app.work().iter().find(|work| work.kind() == "jobs").unwrap().round(app).await.unwrap();
    }

    /// Waits until all runs so far have ended.
    async fn settled(&self) {
        for row in self.scheduled_runs().await {
            self.job_status(row["objectId"].as_str().unwrap(), "succeeded").await;
        }
    }
}

#[test]
fn a_run_has_a_row_that_only_the_master_key_reads() {
    each_backend(&json!({}), |server| async move {
        let server_list = [server];
        deploy(&server_list);
        let [server] = server_list;
        let id = server.start_job(&json!({"a": 1})).await;
        let mut row = server.job_status(&id, "succeeded").await;
        for date in ["createdAt", "updatedAt", "finishedAt"] {
            assert!(row.as_object_mut().unwrap().remove(date).is_some(), "{date}");
        }
        let expected = json!({
            "objectId": id, "jobName": "work", "status": "succeeded", "source": "api", "message": "done", "ACL": {},
        });
        assert_eq!(row, expected);
        let failed = server.start_job(&json!({"do": "fail"})).await;
        assert_eq!(server.job_status(&failed, "failed").await["message"], "it failed");
        // What is no text is no message.
        let silent = server.start_job(&json!({"do": "tell"})).await;
        assert_eq!(server.job_status(&silent, "succeeded").await.get("message"), None);

        let client = server.get(&format!("/classes/_JobStatus/{id}")).await;
        client.assert_refused(400, 119);
        assert_eq!(server.post("/jobs/work", &json!({})).await.status, 403);
        for (path, body) in [("/jobs/none", json!({})), ("/jobs", json!({})), ("/jobs", json!({"jobName": 5}))] {
            answer(server.master(Method::POST, path).json(&body)).await.assert_refused(400, 141);
        }
        let named = answer(server.master(Method::POST, "/jobs").json(&json!({"jobName": "work"}))).await;
        server.job_status(named.header("x-parse-job-status-id"), "succeeded").await;
    });
}

#[test]
fn messages_are_kept_while_a_job_runs() {
    each_backend(&json!({"shutdownTimeoutMs": 10_000}), |server| async move {
        let servers = [server];
        deploy(&servers);
        let [server] = servers;
        let app = &server.running.app;
        let id = server.start_job(&json!({"do": "go on"})).await;
        jobs::message(app, &id, "step 1").await.unwrap();
        jobs::message(app, &id, "").await.unwrap();
        let row = server.job_status(&id, "running").await;
        assert_eq!((&row["message"], row.get("finishedAt")), (&json!("step 1"), None));
        let done = server.start_job(&json!({})).await;
        server.job_status(&done, "succeeded").await;
        jobs::message(app, &done, "too late").await.unwrap();
        assert_eq!(server.job_status(&done, "succeeded").await["message"], "done");
        // The server stops in time, although one job would go on.
    });
}

#[test]
fn schedules_are_kept_as_parse_dashboard_writes_them() {
    each_backend(&json!({"readOnlyMasterKey": "reader"}), |server| async move {
        let servers = [server];
        deploy(&servers);
        let [server] = servers;
        let id = server.schedule(json!({"jobName": "work", "daysOfWeek": [1, 1, 1, 1, 1, 1, 1], "params": "{}"})).await;
        let listed = answer(server.master(Method::GET, "/cloud_code/jobs?per_page=50")).await.json();
        assert_eq!(listed[0]["startAfter"], "2020-02-03T04:05:06.789Z");
        let data = answer(server.master(Method::GET, "/cloud_code/jobs/data")).await.json();
        assert_eq!(data, json!({"in_use": ["work"], "jobs": ["work"]}));
        let path = format!("/cloud_code/jobs/{id}");
        let change = |body: Json| answer(server.master(Method::PUT, &path).json(&body));
        let changed =
            change(json!({"job_schedule": {"description": "x", "startAfter": "2030-01-01T00:00:00.000Z"}})).await;
        assert!(changed.json()["response"]["updatedAt"].is_string(), "{changed:?}");
        change(json!({"job_schedule": {"jobName": "none"}})).await.assert_refused(400, 141);
        change(json!({"job_schedule": {"jobName": ["work"]}})).await.assert_refused(400, 141);
        for body in [json!({}), json!({"job_schedule": 5}), json!({"job_schedule": null})] {
            change(body.clone()).await.assert_refused(400, 107);
            answer(server.master(Method::POST, "/cloud_code/jobs").json(&body)).await.assert_refused(400, 107);
        }
        let reader = server.request(Method::DELETE, &path).header("X-Parse-Master-Key", "reader");
        answer(reader).await.assert_refused(400, 119);
        assert_eq!(answer(server.master(Method::DELETE, &path)).await.json(), json!({}));
        answer(server.master(Method::DELETE, &path)).await.assert_refused(404, 101);
    });
}

#[test]
fn a_schedule_runs_its_job_and_makes_up_once_for_what_was_missed() {
    each_backend(&json!({}), |server| async move {
        let servers = [server];
        let work = deploy(&servers);
        let [server] = servers;
        // It is 04:05 UTC, 06:05 where the schedule is.
        let daily =
            json!({"jobName": "work", "repeatMinutes": 1440, "timeOfDay": "06:30:00.000+02:00", "params": "{\"a\":1}"});
        server.schedule(daily).await;
        server.schedule(json!({"jobName": "work"})).await;
        server.schedule(json!({"jobName": "work", "params": "no JSON"})).await;
        server.schedule(json!({"jobName": "work", "repeatMinutes": 5, "timeOfDay": "late"})).await;
        server.schedule(json!({"description": "nameless"})).await;
        server.round().await;
        server.settled().await;
        assert_eq!(work.so_far(), 1, "the one without repetition");
        server.clock.advance(24 * 60_000);
        server.round().await;
        assert_eq!(work.so_far(), 1, "04:29");
        server.clock.advance(60_000);
        server.round().await;
        server.settled().await;
        server.round().await;
        assert_eq!(work.so_far(), 2, "04:30");
        // Three days without a server.
        server.clock.advance(3 * 24 * 3_600_000);
        server.round().await;
        server.settled().await;
        server.round().await;
        assert_eq!(work.so_far(), 3);
        let runs = server.scheduled_runs().await;
        assert_eq!((runs.len(), &runs[0]["message"]), (3, &json!("done")));
    });
}

#[test]
fn a_run_waits_for_the_one_before() {
    each_backend(&json!({"shutdownTimeoutMs": 10_000}), |server| async move {
        let servers = [server];
        let work = deploy(&servers);
        let [server] = servers;
        for _ in 0..2 {
            server.schedule(json!({"jobName": "work", "params": "{\"do\":\"go on\"}"})).await;
        }
        server.round().await;
        server.round().await;
        assert_eq!((work.so_far(), server.scheduled_runs().await.len()), (1, 1));
    });
}

#[test]
fn schedules_can_be_left_to_another_program() {
    each_backend(&json!({"jobSchedules": false}), |server| async move {
        let servers = [server];
        let work = deploy(&servers);
        let [server] = servers;
        server.schedule(json!({"jobName": "work"})).await;
        server.round().await;
        assert_eq!((work.so_far(), server.scheduled_runs().await.len()), (0, 0));
    });
}

#[test]
fn of_many_servers_one_runs_a_job() {
    each_backend_twice(&json!({}), |servers| async move {
        let work = deploy(&servers);
        for _ in 0..3 {
            servers[0].schedule(json!({"jobName": "work", "startAfter": "2020-02-03T04:05:00.000Z"})).await;
        }
        // Even if both believed to hold the lease.
        let rounds = servers.iter().chain(&servers).map(|server| server.round());
        futures_util::future::join_all(rounds).await;
        for _ in 0..5 {
            servers[0].settled().await;
            futures_util::future::join_all(servers.iter().map(|server| server.round())).await;
        }
        servers[0].settled().await;
        assert_eq!((work.so_far(), servers[0].scheduled_runs().await.len()), (3, 3));
    });
}

#[test]
fn a_run_that_its_server_left_is_marked_as_failed() {
    each_backend(&json!({"shutdownTimeoutMs": 10_000}), |server| async move {
        let servers = [server];
        deploy(&servers);
        let [server] = servers;
        let id = server.start_job(&json!({"do": "go on"})).await;
        server.round().await;
        server.job_status(&id, "running").await;
        // The lease is renewed by another clock: for it, no time passes.
        server.clock.advance(31_000);
        server.round().await;
        let row = server.job_status(&id, "failed").await;
        assert_eq!(row["message"], "The server that ran the job stopped.");
        assert!(row["finishedAt"].is_object(), "{row}");
    });
}

#[test]
fn parameters_and_headers_reach_the_job() {
    each_backend(&json!({}), |server| async move {
        /// Gives what it is told as its message.
        #[derive(Debug)]
        struct Told;
        impl Handler for Told {
            fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer>> {
                Box::pin(async move {
                    Ok(Answer { result: Some(Json::Object(call.payload).to_string().into()), ..Answer::default() })
                })
            }
        }
        let target = Target::Job("work".to_owned());
        server.running.app.triggers.register(Source::JavaScript, [(target, Arc::new(Told) as Arc<dyn Handler>)]);
        let date = json!({"__type": "Date", "iso": "2024-05-06T07:08:09.010Z"});
        let request = server.master(Method::POST, "/jobs/work?q=1").header("X-Mine", "yes").json(&json!({"d": date}));
        let id = answer(request).await.header("x-parse-job-status-id").to_owned();
        let row = server.job_status(&id, "succeeded").await;
        let told: Map<String, Json> = serde_json::from_str(row["message"].as_str().unwrap()).unwrap();
        let keys: Vec<&str> = told.keys().map(String::as_str).collect();
        assert_eq!(keys, ["params", "jobName", "jobId", "headers", "ip"]);
        assert_eq!((&told["params"], &told["jobId"]), (&json!({"d": date, "q": "1"}), &json!(id)));
        assert_eq!((&told["headers"]["x-mine"], &told["ip"]), (&json!("yes"), &json!("127.0.0.1")));
    });
}
