//! The operations of the REST API by name, with their methods and paths. Rate limits and the list of allowed routes speak of routes;
//! what comes by another protocol names the operation that it does, so that it counts as the same route.

use std::collections::HashMap;

use poem::http::Method;

/// What is done with objects of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Creates an object; of `_User`, a sign up.
    Create,
    /// Finds objects.
    Find,
    /// Gets an object.
    Get,
    /// Changes an object.
    Update,
    /// Deletes an object.
    Delete,
}

/// The operation that a call of another protocol does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The operation with this id.
    Named(&'static str),
    /// The operation with this id, whose path has one parameter with this value.
    On(&'static str, String),
    /// The operation on objects of this class; the id is empty when none is in the path.
    Object(Verb, String, String),
}

/// Method and path of a route; parameters of the path are in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MethodPath {
    method: Method,
    path: String,
}

/// Methods and paths of all operations.
#[derive(Debug, Default)]
pub struct Operations {
    named: HashMap<&'static str, MethodPath>,
    objects: HashMap<(Verb, Option<&'static str>), &'static str>,
}

impl Operations {
    /// Adds a route. `object`: what it does with objects, and the class that it is for alone.
    pub fn add(
        &mut self,
        operation: &'static str,
        method: Method,
        path: &str,
        object: Option<(Verb, Option<&'static str>)>,
    ) {
        if let Some(object) = object {
            self.objects.insert(object, operation);
        }
        self.named.insert(operation, MethodPath { method, path: path.to_owned() });
    }

    /// Method and path of an operation. Slashes in values are `%2F`, as REST's limits see them. `None`: there is no such route.
    #[must_use]
    pub fn route_of(&self, operation: &Operation) -> Option<(&Method, String)> {
        let (id, values): (&'static str, [&str; 2]) = match operation {
            Operation::Named(id) => (id, ["", ""]),
            Operation::On(id, value) => (id, [value, ""]),
            Operation::Object(verb, class, id) => {
                let own = self.objects.iter().find(|((known, of), _)| known == verb && *of == Some(class.as_str()));
                match own {
                    Some((_, operation)) => (operation, [id, ""]),
                    None => (self.objects.get(&(*verb, None))?, [class, id]),
                }
            }
        };
        let place = self.named.get(id)?;
        Some((&place.method, fill(&place.path, &values)))
    }
}

/// The path with values in place of its parameters, in order.
fn fill(path: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') { values.next().unwrap_or(&"").replace('/', "%2F") } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_the_route_that_rest_states() {
        let mut operations = Operations::default();
        operations.add("logIn", Method::POST, "/login", None);
        operations.add("findUsers", Method::GET, "/users", Some((Verb::Find, Some("_User"))));
        operations.add("getUser", Method::GET, "/users/{objectId}", Some((Verb::Get, Some("_User"))));
        operations.add("findObjects", Method::GET, "/classes/{className}", Some((Verb::Find, None)));
        operations.add("getObject", Method::GET, "/classes/{className}/{objectId}", Some((Verb::Get, None)));
        let object = |verb, class: &str, id: &str| Operation::Object(verb, class.to_owned(), id.to_owned());
        for (operation, expected) in [
            (Operation::Named("logIn"), Some((&Method::POST, "/login"))),
            (Operation::On("getUser", "a/b".to_owned()), Some((&Method::GET, "/users/a%2Fb"))),
            (object(Verb::Find, "_User", ""), Some((&Method::GET, "/users"))),
            (object(Verb::Get, "_User", "u"), Some((&Method::GET, "/users/u"))),
            (object(Verb::Find, "Thing", ""), Some((&Method::GET, "/classes/Thing"))),
            (object(Verb::Get, "Thing", "t"), Some((&Method::GET, "/classes/Thing/t"))),
            (object(Verb::Delete, "Thing", "t"), None),
            (Operation::Named("none"), None),
        ] {
            let found = operations.route_of(&operation);
            assert_eq!(found.as_ref().map(|(method, path)| (*method, path.as_str())), expected, "{operation:?}");
        }
    }
}
