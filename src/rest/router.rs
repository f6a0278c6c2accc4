//! Finds the route of a request with one look-up, by Parse's rules: fixed segments ignore case, one slash at the end
//! and a second one after the mount path are ignored, parameters are percent-decoded once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use poem::http::Method;

use super::route::{Methods, Route};

/// The routes of a server.
#[derive(Debug, Default)]
pub struct Router {
    /// By first segment, in lower case. Routes with more fixed segments come first.
    by_head: HashMap<String, Vec<Arc<Entry>>>,
}

/// A route with its parsed path.
#[derive(Debug)]
struct Entry {
    route: Arc<Route>,
    /// The path, shared with log lines.
    pattern: Arc<str>,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    Parameter(String),
    /// The rest of the path, at least one character.
    Rest(String),
}

/// The routes that match a path, before the method is known.
#[derive(Debug, Clone)]
pub struct PathMatch {
    path: String,
    fitting: Vec<Arc<Entry>>,
}

/// A route with the values of its parameters.
#[derive(Debug, Clone)]
pub struct Found {
    entry: Arc<Entry>,
    /// One value for each parameter of the route, decoded.
    values: Vec<String>,
}

impl Found {
    /// The path of the route, with the names of its parameters.
    #[must_use]
    pub fn pattern(&self) -> &Arc<str> {
        &self.entry.pattern
    }
}

impl Router {
    /// A router for these routes. If several match a request, the one with more fixed segments is chosen, then the one
    /// that is listed first.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        let mut by_head: HashMap<String, Vec<Arc<Entry>>> = HashMap::new();
        for route in routes {
            let segments: Vec<Segment> = route.path.split('/').skip(1).map(Segment::of).collect();
            let Some(Segment::Fixed(head)) = segments.first() else { continue };
            let entries = by_head.entry(head.to_ascii_lowercase()).or_default();
            let pattern = Arc::from(route.path.as_ref());
            entries.push(Arc::new(Entry { route: Arc::new(route), pattern, segments }));
        }
        for entries in by_head.values_mut() {
            entries.sort_by_key(|entry| {
                let loose = entry.segments.iter().filter(|segment| !matches!(segment, Segment::Fixed(_))).count();
                (entry.segments.iter().any(|segment| matches!(segment, Segment::Rest(_))), loose)
            });
        }
        Self { by_head }
    }

    /// Looks up a path, which must begin with one slash and not end with one.
    #[must_use]
    pub fn look_up(&self, path: &str) -> PathMatch {
        let fitting = self.fitting(path).unwrap_or_default();
        PathMatch { path: path.to_owned(), fitting }
    }

    fn fitting(&self, path: &str) -> Option<Vec<Arc<Entry>>> {
        let below = path.strip_prefix('/')?;
        let head = below.split('/').next()?;
        let entries = if head.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.by_head.get(&head.to_ascii_lowercase())?
        } else {
            self.by_head.get(head)?
        };
        Some(entries.iter().filter(|entry| entry.fits(below)).cloned().collect())
    }
}

impl PathMatch {
    /// The route for a method.
    #[must_use]
    pub fn route(&self, method: &Method) -> Option<&Arc<Route>> {
        self.entry(method).map(|entry| &entry.route)
    }

    /// The route for a method, with the values of its parameters. `PUT /users/me` updates the user with the id `me`,
    /// although `GET /users/me` is a separate route.
    #[must_use]
    pub fn found(&self, method: &Method) -> Option<Found> {
        let entry = self.entry(method)?;
        Some(Found { values: entry.values(&self.path), entry: entry.clone() })
    }

    /// The path of the route for a method, with the names of its parameters, for logs.
    #[must_use]
    pub fn pattern(&self, method: &Method) -> Option<Arc<str>> {
        self.entry(method).map(|entry| entry.pattern.clone())
    }

    fn entry(&self, method: &Method) -> Option<&Arc<Entry>> {
        let answers = |entry: &&Arc<Entry>| match &entry.route.methods {
            Methods::One(known) => known == method || (method == Method::HEAD && known == Method::GET),
            Methods::Any => true,
        };
        self.fitting.iter().find(answers)
    }

    /// The decoded path, which limits and allow lists use if no route was found.
    #[must_use]
    pub fn decoded_path(&self) -> Cow<'_, str> {
        decode_path(&self.path)
    }
}

impl Found {
    /// The route.
    #[must_use]
    pub fn route(&self) -> &Arc<Route> {
        &self.entry.route
    }

    /// The parameters with their values.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.entry.segments.iter().filter_map(|segment| match segment {
            Segment::Fixed(_) => None,
            Segment::Parameter(name) | Segment::Rest(name) => Some(name.as_str()),
        });
        names.zip(self.values.iter().map(String::as_str))
    }

    /// The value of a parameter.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The path that limits and allow lists use: the route's own spelling with decoded parameters, so that a client
    /// cannot avoid them by another spelling. A slash inside a parameter stays escaped.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        let mut values = self.values.iter();
        for segment in &self.entry.segments {
            path.push('/');
            match segment {
                Segment::Fixed(text) => path.push_str(text),
                Segment::Parameter(_) => {
                    path.push_str(&values.next().map(String::as_str).unwrap_or_default().replace('/', "%2F"));
                }
                Segment::Rest(_) => path.push_str(values.next().map(String::as_str).unwrap_or_default()),
            }
        }
        path
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => match name.strip_prefix('*') {
                Some(name) => Self::Rest(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
            None => Self::Fixed(text.to_owned()),
        }
    }
}

impl Entry {
    fn fits(&self, below: &str) -> bool {
        let mut rest = Some(below);
        for segment in &self.segments {
            let Some(text) = rest else { return false };
            let (given, after) = match text.split_once('/') {
                Some((given, after)) => (given, Some(after)),
                None => (text, None),
            };
            let fits = match segment {
                Segment::Fixed(fixed) => fixed.eq_ignore_ascii_case(given),
                Segment::Parameter(_) => !given.is_empty() && percent_decode_str(given).decode_utf8().is_ok(),
                Segment::Rest(_) => return !text.is_empty() && percent_decode_str(text).decode_utf8().is_ok(),
            };
            if !fits {
                return false;
            }
            rest = after;
        }
        rest.is_none()
    }

    /// The values of the parameters, if the path matches.
    fn values(&self, path: &str) -> Vec<String> {
        let mut values = Vec::new();
        let mut rest = path.strip_prefix('/').unwrap_or(path);
        for segment in &self.segments {
            let (given, after) = rest.split_once('/').unwrap_or((rest, ""));
            match segment {
                Segment::Fixed(_) => {}
                Segment::Parameter(_) => values.push(decode(given)),
                Segment::Rest(_) => values.push(decode(rest)),
            }
            rest = after;
        }
        values
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn decode_path(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let route = |method: Method, path: &'static str| {
            Route::hidden(method, path, "test", |_| async { Ok(poem::Response::default()) })
        };
        Router::new(vec![
            route(Method::GET, "/users/{id}"),
            route(Method::PUT, "/users/{id}"),
            route(Method::GET, "/users/me"),
            route(Method::GET, "/serverInfo"),
            route(Method::GET, "/apps/{*file}"),
            route(Method::GET, "/apps/{app}/verify_email"),
            route(Method::GET, "/health").any_method(),
        ])
    }

    #[test]
    fn a_request_means_one_route() {
        let router = router();
        let found = |method: Method, path: &str| {
            router.look_up(path).found(&method).map(|found| (found.route().path.to_string(), found.path()))
        };
        let pair = |pattern: &str, path: &str| Some((pattern.to_owned(), path.to_owned()));
        assert_eq!(found(Method::GET, "/SERVERINFO"), pair("/serverInfo", "/serverInfo"));
        assert_eq!(found(Method::GET, "/Users/Me"), pair("/users/me", "/users/me"));
        assert_eq!(found(Method::HEAD, "/users/me"), pair("/users/me", "/users/me"));
        assert_eq!(found(Method::PUT, "/users/me"), pair("/users/{id}", "/users/me"));
        assert_eq!(found(Method::GET, "/USERS/A%62%2Fc"), pair("/users/{id}", "/users/Ab%2Fc"));
        assert_eq!(found(Method::DELETE, "/health"), pair("/health", "/health"));
        assert_eq!(
            found(Method::GET, "/apps/x/verify_email"),
            pair("/apps/{app}/verify_email", "/apps/x/verify_email")
        );
        assert_eq!(found(Method::GET, "/apps/de/a%20b.css"), pair("/apps/{*file}", "/apps/de/a b.css"));
        for none in ["/users/", "/users/a/b", "/nothing", "/", "", "/users/%ff", "/apps", "/apps/", "/apps/%ff"] {
            assert_eq!(found(Method::GET, none), None, "{none}");
        }
        assert_eq!(found(Method::POST, "/serverInfo"), None);
    }

    #[test]
    fn parameters_are_decoded_once() {
        let found = router().look_up("/users/%2561").found(&Method::GET).unwrap();
        assert_eq!(found.value("id"), Some("%61"));
        assert_eq!(found.value("other"), None);
    }
}
