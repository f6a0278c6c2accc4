//! Which route a path means. Routing ignores case, one trailing slash and a second slash after the mount path; the
//! framework does not, so a path is brought into the spelling of its route first.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use poem::http::Method;
use poem_openapi::registry::MetaApi;

/// Every route of the REST API, as the `OpenApi` implementations declare them.
#[derive(Debug, Default)]
pub struct Routes {
    /// By first segment, in lower case; the routes with more fixed segments first.
    by_head: HashMap<String, Vec<Template>>,
}

#[derive(Debug)]
struct Template {
    pattern: Arc<str>,
    segments: Vec<Segment>,
    methods: Vec<Method>,
}

#[derive(Debug, PartialEq)]
enum Segment {
    Fixed(String),
    Parameter,
}

/// A path that has a route.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The path in the route's spelling.
    pub path: Cow<'a, str>,
    /// The route's pattern, as `/classes/{className}`.
    pub pattern: Arc<str>,
}

impl Routes {
    /// Reads the declarations.
    #[must_use]
    pub fn new(apis: Vec<MetaApi>) -> Self {
        let mut by_head: HashMap<String, Vec<Template>> = HashMap::new();
        for path in apis.into_iter().flat_map(|api| api.paths) {
            let segments: Vec<Segment> = path.path.split('/').skip(1).map(Segment::of).collect();
            let Some(Segment::Fixed(head)) = segments.first() else { continue };
            let methods = path.operations.iter().map(|operation| operation.method.clone()).collect();
            let templates = by_head.entry(head.to_ascii_lowercase()).or_default();
            templates.push(Template { pattern: path.path.into(), segments, methods });
        }
        for templates in by_head.values_mut() {
            templates.sort_by_key(|template| {
                template.segments.iter().filter(|segment| **segment == Segment::Parameter).count()
            });
        }
        Self { by_head }
    }

    /// The route of a path that begins with one slash and ends with none.
    #[must_use]
    pub fn find<'a>(&self, method: &Method, path: &'a str) -> Option<Found<'a>> {
        let given: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let templates = self.by_head.get(&given.first()?.to_ascii_lowercase())?;
        let fitting = || templates.iter().filter(|template| template.fits(&given));
        let template = fitting().find(|template| template.methods.contains(method))?;
        // `PUT /users/me` means the user with the id `me`, although `GET /users/me` is a route of its own.
        let hidden = fitting().next().is_some_and(|first| first.pattern != template.pattern);
        let spelled = if hidden { Cow::Owned(template.spell(&given, true)) } else { template.respell(path, &given) };
        Some(Found { path: spelled, pattern: template.pattern.clone() })
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        if text.starts_with(['{', ':']) { Self::Parameter } else { Self::Fixed(text.to_owned()) }
    }
}

impl Template {
    fn fits(&self, given: &[&str]) -> bool {
        self.segments.len() == given.len()
            && self.segments.iter().zip(given).all(|(segment, given)| match segment {
                Segment::Fixed(text) => text.eq_ignore_ascii_case(given),
                Segment::Parameter => !given.is_empty() && percent_decode_str(given).decode_utf8().is_ok(),
            })
    }

    fn respell<'a>(&self, path: &'a str, given: &[&str]) -> Cow<'a, str> {
        let same = self.segments.iter().zip(given).all(|(segment, given)| match segment {
            Segment::Fixed(text) => text == given,
            Segment::Parameter => true,
        });
        if same { Cow::Borrowed(path) } else { Cow::Owned(self.spell(given, false)) }
    }

    /// `disguise` writes the first character of parameters as an escape, which no fixed segment matches.
    fn spell(&self, given: &[&str], disguise: bool) -> String {
        let mut path = String::new();
        for (segment, given) in self.segments.iter().zip(given) {
            path.push('/');
            match segment {
                Segment::Fixed(text) => path.push_str(text),
                Segment::Parameter => match given.as_bytes() {
                    [first, ..] if disguise && first.is_ascii_alphanumeric() => {
                        path.push_str(percent_encoding::percent_encode_byte(*first));
                        path.push_str(given.get(1..).unwrap_or_default());
                    }
                    _ => path.push_str(given),
                },
            }
        }
        path
    }
}

/// A path below the mount path, without the slashes that do not count: one at the end, a second one at the start.
#[must_use]
pub fn trim(path: &str) -> &str {
    let path = if path.starts_with("//") { path.get(1..).unwrap_or(path) } else { path };
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    }
}

/// The part of a path below a mount path, in any case; `None` when it is elsewhere.
#[must_use]
pub fn below<'a>(mount: &str, path: &'a str) -> Option<&'a str> {
    let mount = mount.trim_end_matches('/');
    let (head, rest) = (path.get(..mount.len())?, path.get(mount.len()..)?);
    (head.eq_ignore_ascii_case(mount) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let mut by_head: HashMap<String, Vec<Template>> = HashMap::new();
        for (pattern, methods) in [
            ("/users/me", vec![Method::GET]),
            ("/users/{id}", vec![Method::GET, Method::PUT]),
            ("/serverInfo", vec![Method::GET]),
        ] {
            let segments: Vec<Segment> = pattern.split('/').skip(1).map(Segment::of).collect();
            let head = pattern.split('/').nth(1).unwrap().to_lowercase();
            by_head.entry(head).or_default().push(Template { pattern: pattern.into(), segments, methods });
        }
        Routes { by_head }
    }

    #[test]
    fn spelling_follows_the_route() {
        let routes = routes();
        let spelled = |method: Method, path| routes.find(&method, path).map(|found| found.path.into_owned());
        assert_eq!(spelled(Method::GET, "/SERVERINFO").as_deref(), Some("/serverInfo"));
        assert_eq!(spelled(Method::GET, "/Users/Me").as_deref(), Some("/users/me"));
        assert_eq!(spelled(Method::PUT, "/users/me").as_deref(), Some("/users/%6De"));
        assert_eq!(spelled(Method::GET, "/USERS/AbC").as_deref(), Some("/users/AbC"));
        for none in ["/users/", "/users/a/b", "/nothing", "/", "", "/users/%ff"] {
            assert_eq!(spelled(Method::GET, none), None, "{none}");
        }
    }

    #[test]
    fn slashes_that_do_not_count() {
        assert_eq!(below("/parse", "/PARSE//classes/X/").map(trim), Some("/classes/X"));
        assert_eq!(below("/parse", "/parser/x"), None);
        assert_eq!(below("/", "/classes/X"), Some("/classes/X"));
        assert_eq!(trim("/classes/X//"), "/classes/X/");
    }
}
