//! The five routes that create, find, get, update and delete objects of a class, shared by all classes.

use poem::http::Method;
use poem_openapi::types::Type;

use super::call::Call;
use super::describe;
use super::openapi::Tag;
use super::openapi::headers::HeaderParameter;
use super::openapi::parameters::{FIND, GET};
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::classes;
use crate::error::Result;
use crate::http::gate::operations::Verb;

/// Objects of one class under a path of its own, or (without a class) of the class that the path names as `className`.
#[derive(Debug, Clone, Copy)]
pub struct Resource {
    /// The class.
    pub class: Option<&'static str>,
    /// Path of all objects.
    pub all: &'static str,
    /// Path of an object, with the parameter `objectId`.
    pub one: &'static str,
    /// Area of the API.
    pub tag: Tag,
    /// Who may call.
    pub access: Access,
    /// Whether the class can have triggers, which receive the context that a client sends.
    pub triggers: bool,
}

fn class_of<'a>(class: Option<&'static str>, call: &'a Call) -> Result<&'a str> {
    match class {
        Some(class) => Ok(class),
        None => call.path("className"),
    }
}

impl Resource {
    fn route<T: Type, F, Fut>(self, verb: Verb, operation: &'static str, summary: &'static str, handler: F) -> Route
    where
        F: Fn(Option<&'static str>, Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let class = self.class;
        let (method, path) = match verb {
            Verb::Create => (Method::POST, self.all),
            Verb::Find => (Method::GET, self.all),
            Verb::Get => (Method::GET, self.one),
            Verb::Update => (Method::PUT, self.one),
            Verb::Delete => (Method::DELETE, self.one),
        };
        let writes = method != Method::GET;
        let route = Route::hidden(method, path, operation, move |call| handler(class, call))
            .object(verb, class)
            .access(self.access)
            .documented::<T>(self.tag, summary);
        if writes && self.triggers { route.header(HeaderParameter::CloudContext) } else { route }
    }

    /// Creates an object from a body with the schema `B`.
    pub fn create<B: Type, T: Type>(self, operation: &'static str, summary: &'static str) -> Route {
        self.route::<T, _, _>(Verb::Create, operation, summary, create).json::<B>().creates()
    }

    /// Finds objects.
    pub fn find(self, operation: &'static str, summary: &'static str) -> Route {
        self.route::<describe::Results, _, _>(Verb::Find, operation, summary, find).query(&[FIND])
    }

    /// Gets an object.
    pub fn get<T: Type>(self, operation: &'static str, summary: &'static str) -> Route {
        self.route::<T, _, _>(Verb::Get, operation, summary, get).query(&[GET])
    }

    /// Updates an object.
    pub fn update(self, operation: &'static str, summary: &'static str) -> Route {
        self.route::<describe::Updated, _, _>(Verb::Update, operation, summary, update).json::<describe::Fields>()
    }

    /// Deletes an object.
    pub fn delete(self, operation: &'static str, summary: &'static str) -> Route {
        self.route::<describe::Nothing, _, _>(Verb::Delete, operation, summary, delete)
    }
}

async fn create(class: Option<&'static str>, mut call: Call) -> Outcome {
    let body = call.take_body();
    let saved = classes::create(&call.cx, class_of(class, &call)?, body).await?;
    reply::saved(&call.cx, &saved)
}

async fn find(class: Option<&'static str>, mut call: Call) -> Outcome {
    let parameters = call.take_parameters();
    reply::found(&classes::find_json(&call.cx, class_of(class, &call)?, parameters).await?)
}

async fn get(class: Option<&'static str>, mut call: Call) -> Outcome {
    let parameters = call.take_parameters();
    let body = classes::get_json(&call.cx, class_of(class, &call)?, call.path("objectId")?, parameters).await?;
    Ok(reply::bytes(body))
}

async fn update(class: Option<&'static str>, mut call: Call) -> Outcome {
    let body = call.take_body();
    let saved = classes::update(&call.cx, class_of(class, &call)?, call.path("objectId")?, body).await?;
    reply::saved(&call.cx, &saved)
}

async fn delete(class: Option<&'static str>, call: Call) -> Outcome {
    classes::delete(&call.cx, class_of(class, &call)?, call.path("objectId")?).await?;
    Ok(reply::empty())
}
