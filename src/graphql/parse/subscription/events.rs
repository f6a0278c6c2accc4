//! Follows a query and writes its events as responses.

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::{Number, Value as Json};

use super::plan::{EventField, Followed};
use super::subscriber::{Share, Subscriber};
use crate::domain::features::live_query::outlet::{self, Inbox};
use crate::domain::features::live_query::{Delivery, Event, News, Op, Query, Resume, Subscription};
use crate::domain::kernel::context::Context;
use crate::domain::read::include::include;
use crate::error::Result;
use crate::graphql::engine::{Answer, Schema, Step, Text, body};
use crate::graphql::parse::catalog::Catalog;
use crate::graphql::parse::error::parse_error;
use crate::graphql::parse::fetch::Fetcher;
use crate::graphql::parse::plan::{ObjectPlan, Wanted};
use crate::graphql::parse::render::Renderer;
use crate::http::gate::operations::{Operation, Verb};
use crate::model::names::ClassName;
use crate::model::object::Object;

/// The events of one subscription; dropping this ends it.
pub struct Events<C> {
    schema: Arc<Schema<C>>,
    followed: Followed,
    wanted: Vec<Op>,
    subscriber: Arc<Subscriber>,
    subscription: Subscription,
    inbox: Inbox<Delivery>,
    _share: Share,
}

impl<C: AsRef<Catalog> + Send + Sync + 'static> Events<C> {
    /// Follows a query from here on.
    ///
    /// # Errors
    /// As a find with its condition; what beforeSubscribe refuses.
    pub async fn open(
        cx: &Context,
        schema: Arc<Schema<C>>,
        followed: Followed,
        (subscriber, share): (Arc<Subscriber>, Share),
    ) -> Result<Self> {
        let class = &followed.class.name;
        subscriber.gate.admit(cx, &Operation::Object(Verb::Find, class.clone(), String::new())).await?;
        let catalog = schema.catalog.as_ref();
        let condition = match followed.arguments.get("where").and_then(Json::as_object) {
            Some(condition) => (catalog.read_filter)(catalog, &followed.class, condition)?,
            None => serde_json::Map::new(),
        };
        let query =
            Query { watch: texts(&followed, "watch"), resume: resume(&followed), ..Query::new(class, condition)? };
        let id = Number::from(subscriber.next_id());
        let (app, rights) = (&subscriber.app, &subscriber.rights);
        let token = subscriber.connection().session_token;
        let query = subscriber.live.may_subscribe(app, rights, ("subscribe", &id), token, query).await?;
        let (outlet, inbox) = outlet::queue(subscriber.bounds.queue);
        let subscription = subscriber.live.subscribe(app, rights.clone(), query, id, outlet).await?;
        let wanted = texts(&followed, "events").iter().filter_map(|name| Op::named(&name.to_lowercase())).collect();
        Ok(Self { schema, followed, wanted, subscriber, subscription, inbox, _share: share })
    }

    /// The responses, as they come. It never ends: a client that missed an event is to be disconnected, and one
    /// whose key counts no more.
    pub fn into_stream(self) -> BoxStream<'static, Text> {
        stream::unfold(self, |mut events| async move {
            let text = events.next().await;
            Some((text, events))
        })
        .boxed()
    }

    async fn next(&mut self) -> Text {
        loop {
            let delivery = match self.inbox.next().await {
                Ok(delivery) if self.subscriber.is_still_who_it_was().await => delivery,
                _ => {
                    self.subscriber.lost.cancel();
                    return std::future::pending().await;
                }
            };
            if let Some(text) = self.tell(&delivery).await {
                return text;
            }
        }
    }

    async fn tell(&self, delivery: &Delivery) -> Option<Text> {
        if !self.subscription.gets(delivery) {
            return None;
        }
        let asked;
        let event = match &delivery.news {
            News::Event(event) => Ok(&**event),
            News::Refused(error) => Err(parse_error(error, self.followed.place, &self.path(), self.sanitizes())),
            News::Unasked(unasked) => {
                let connection = self.subscriber.connection();
                match self.subscriber.live.ask(unasked, &delivery.member, connection).await {
                    Ok(None) => return None,
                    Ok(Some(event)) => {
                        asked = event;
                        Ok(&asked)
                    }
                    Err(error) => Err(parse_error(&error, self.followed.place, &self.path(), self.sanitizes())),
                }
            }
        };
        let event = match event {
            Ok(event) if !self.wanted.is_empty() && !self.wanted.contains(&event.op) => return None,
            event => event,
        };
        let (value, errors) = match event {
            Err(error) => (None, vec![error]),
            Ok(event) => match self.render(event, self.subscription.token_of(delivery)).await {
                Ok(rendered) => rendered,
                Err(error) => (None, vec![parse_error(&error, self.followed.place, &self.path(), self.sanitizes())]),
            },
        };
        Some(body(vec![Answer { key: self.followed.key.clone(), value, errors, nullable: false }]))
    }

    async fn render(&self, event: &Event, token: Option<String>) -> Result<(Option<Text>, Vec<Json>)> {
        // Pointers and relations are read with the rights of now.
        let contexts = self.subscriber.rights.contexts(&self.subscriber.app).await?;
        let Some(cx) = contexts.first() else { return Ok((None, Vec::new())) };
        let plan = &self.followed.plan;
        let object = self.with_pointers(cx, &Wanted::by(plan.objects()), &event.object).await?;
        let original = match &event.original {
            Some(original) => Some(self.with_pointers(cx, &Wanted::by(plan.originals()), original).await?),
            None => None,
        };
        let fetcher = Fetcher { cx, catalog: self.schema.catalog.as_ref() };
        let mut objects: Vec<(&ObjectPlan, &Object)> = Vec::new();
        objects.extend(plan.objects().map(|plan| (plan, &object)));
        if let Some(original) = &original {
            objects.extend(plan.originals().map(|plan| (plan, original)));
        }
        let relations = fetcher.relations(objects).await;
        let mut renderer = Renderer {
            relations: &relations,
            path: vec![Step::Key(&self.followed.key)],
            out: Text::default(),
            errors: Vec::new(),
            sanitize: self.sanitizes(),
        };
        let written = self.write(&mut renderer, (event.op, token.as_deref()), &object, original.as_ref());
        Ok((written.then_some(renderer.out), renderer.errors))
    }

    /// The object with the objects of those pointers that are selected.
    async fn with_pointers(&self, cx: &Context, wanted: &Wanted, object: &Object) -> Result<Object> {
        let mut rows = [object.clone()];
        let class = cx.class(&ClassName::unchecked(self.followed.class.name.as_str()));
        include(cx, &class, &mut rows, &wanted.parameters()).await?;
        let [object] = rows;
        Ok(object)
    }

    /// As [`Renderer::object`].
    fn write<'a>(
        &'a self,
        renderer: &mut Renderer<'a>,
        (op, token): (Op, Option<&str>),
        object: &Object,
        original: Option<&Object>,
    ) -> bool {
        let mut first = renderer.out.open('{');
        for (key, field) in &self.followed.plan.fields {
            renderer.path.push(Step::Key(key));
            renderer.out.key(&mut first, key);
            let written = match (field, original) {
                (EventField::TypeName, _) => {
                    renderer.out.value(&self.followed.plan.type_name);
                    true
                }
                (EventField::Event, _) => {
                    renderer.out.value(&op.name().to_uppercase());
                    true
                }
                (EventField::Token, _) => {
                    renderer.out.value(&token);
                    true
                }
                (EventField::Object(plan), _) => renderer.object(plan, object),
                (EventField::Original(plan), Some(original)) => {
                    if !renderer.object(plan, original) {
                        renderer.out.null();
                    }
                    true
                }
                (EventField::Original(_), None) => {
                    renderer.out.null();
                    true
                }
            };
            renderer.path.pop();
            if !written {
                return false;
            }
        }
        renderer.out.close('}');
        true
    }

    fn path(&self) -> Vec<Json> {
        vec![Json::from(self.followed.key.as_str())]
    }

    fn sanitizes(&self) -> bool {
        self.subscriber.app.options.security.enable_sanitized_error_response
    }
}

fn resume(followed: &Followed) -> Resume {
    match followed.arguments.get("resume").and_then(Json::as_str) {
        Some(token) => Resume::After(token.to_owned()),
        None if followed.plan.has_token() => Resume::Later,
        None => Resume::Never,
    }
}

fn texts(followed: &Followed, argument: &str) -> Vec<String> {
    let list = followed.arguments.get(argument).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
