//! Values that come from outside and need not be of the type that the schema promises: what is selected of them, and how they are
//! made to fit.

use std::collections::HashMap;

use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::SelectionSet;
use serde_json::{Map, Value as Json};

use super::error::{Refusal, shorten};
use super::select::Selector;
use super::types::TypeDef;

/// Writes the values of scalars that GraphQL does not define.
pub type ScalarWriter = fn(&str, &Json) -> Json;

/// A type, with what is selected of its values.
#[derive(Debug)]
pub enum Shape {
    /// Not null.
    NonNull(Box<Shape>),
    /// A list of such values.
    List(Box<Shape>),
    /// A scalar, by its name.
    Scalar(String),
    /// An enumeration: its name and values.
    Enum(String, Vec<String>),
    /// An object: its type, and the selected fields by key and name.
    Object(String, Vec<(String, String, Shape)>),
    /// An object of one of several types; its `__typename` tells which.
    Abstract(HashMap<String, Shape>),
}

/// Why a part of a value is missing.
#[derive(Debug, PartialEq)]
pub struct Misfit {
    /// What is wrong.
    pub message: String,
    /// Where, below the field.
    pub path: Vec<Json>,
}

impl<'a> Selector<'a> {
    /// What is selected of a value of this type.
    ///
    /// # Errors
    /// 400 as [`Selector::fields`].
    pub fn shape(self, ty: &TypeRef, sets: &[&'a SelectionSet]) -> Result<Shape, Refusal> {
        let name = match ty {
            TypeRef::NonNull(inner) => return Ok(Shape::NonNull(Box::new(self.shape(inner, sets)?))),
            TypeRef::List(inner) => return Ok(Shape::List(Box::new(self.shape(inner, sets)?))),
            TypeRef::Named(name) => name.as_ref(),
        };
        match self.type_of(name) {
            Some(TypeDef::Object(object)) => {
                let mut fields = Vec::new();
                for field in self.fields(name, sets)? {
                    let inner = match object.fields.get(field.name) {
                        Some(definition) => self.shape(&definition.ty, &field.sets)?,
                        None => Shape::Scalar("String".to_owned()),
                    };
                    fields.push((field.key.to_owned(), field.name.to_owned(), inner));
                }
                Ok(Shape::Object(name.to_owned(), fields))
            }
            Some(TypeDef::Interface(_) | TypeDef::Union(_)) => {
                let members = self.members_of(name);
                let shapes = members.map(|member| Ok((member.to_owned(), self.shape(&named(member), sets)?)));
                Ok(Shape::Abstract(shapes.collect::<Result<_, Refusal>>()?))
            }
            Some(TypeDef::Enum(values)) => Ok(Shape::Enum(name.to_owned(), values.clone())),
            _ => Ok(Shape::Scalar(name.to_owned())),
        }
    }
}

fn named(name: &str) -> TypeRef {
    TypeRef::Named(name.to_owned().into())
}

impl Shape {
    /// Whether null is among the values.
    #[must_use]
    pub const fn is_nullable(&self) -> bool {
        !matches!(self, Self::NonNull(_))
    }

    /// The selected part of a value, and what did not fit; `None`: nothing of it does. `field`: the field's type and name, for errors.
    #[must_use]
    pub fn fit(&self, field: (&str, &str), value: &Json, scalars: ScalarWriter) -> (Option<Json>, Vec<Misfit>) {
        let mut fitting = Fitting { scalars, path: Vec::new(), misfits: Vec::new() };
        let fitted = fitting.value(self, field, value);
        (fitted, fitting.misfits)
    }
}

struct Fitting {
    scalars: ScalarWriter,
    path: Vec<Json>,
    misfits: Vec<Misfit>,
}

impl Fitting {
    /// A value of the shape; `None` when there is none, which whoever holds it has to cope with.
    fn value(&mut self, shape: &Shape, field: (&str, &str), value: &Json) -> Option<Json> {
        let Shape::NonNull(inner) = shape else { return Some(self.nullable(shape, field, value)) };
        let before = self.misfits.len();
        let fitted = self.nullable(inner, field, value);
        if !fitted.is_null() {
            return Some(fitted);
        }
        if self.misfits.len() == before {
            self.complain(format!("Cannot return null for non-nullable field {}.{}.", field.0, field.1));
        }
        None
    }

    fn nullable(&mut self, shape: &Shape, field: (&str, &str), value: &Json) -> Json {
        if value.is_null() {
            return Json::Null;
        }
        match shape {
            Shape::NonNull(inner) => self.nullable(inner, field, value),
            Shape::List(inner) => {
                let Json::Array(list) = value else {
                    return self.complain(format!("Field \"{}.{}\" is no list.", field.0, field.1));
                };
                let mut fitted = Vec::with_capacity(list.len());
                for (index, item) in list.iter().enumerate() {
                    self.path.push(index.into());
                    let item = self.value(inner, field, item);
                    self.path.pop();
                    match item {
                        Some(item) => fitted.push(item),
                        None => return Json::Null,
                    }
                }
                Json::Array(fitted)
            }
            Shape::Object(type_name, fields) => {
                let mut fitted = Map::new();
                for (key, name, inner) in fields {
                    let value = match name.as_str() {
                        "__typename" => Some(type_name.as_str().into()),
                        name => {
                            self.path.push(key.as_str().into());
                            let value = self.value(inner, (type_name, name), value.get(name).unwrap_or(&Json::Null));
                            self.path.pop();
                            value
                        }
                    };
                    match value {
                        Some(value) => drop(fitted.insert(key.clone(), value)),
                        None => return Json::Null,
                    }
                }
                Json::Object(fitted)
            }
            Shape::Abstract(shapes) => {
                let name = value.get("__typename").and_then(Json::as_str);
                match name.and_then(|name| shapes.get(name)) {
                    Some(shape) => self.nullable(shape, field, value),
                    None => self.complain(format!("Field \"{}.{}\" has no __typename.", field.0, field.1)),
                }
            }
            Shape::Enum(name, values) => match value.as_str() {
                Some(text) if values.iter().any(|value| value == text) => value.clone(),
                _ => self.complain(format!("Enum \"{name}\" cannot represent value: {}", shorten(&value.to_string()))),
            },
            Shape::Scalar(name) => match scalar(name, value, self.scalars) {
                Some(value) => value,
                None => self.complain(format!("{name} cannot represent value: {}", shorten(&value.to_string()))),
            },
        }
    }

    /// Notes a misfit here, in whose place there is null.
    fn complain(&mut self, message: String) -> Json {
        self.misfits.push(Misfit { message, path: self.path.clone() });
        Json::Null
    }
}

/// A value as a scalar shows it, by GraphQL's rules of result coercion.
fn scalar(name: &str, value: &Json, others: ScalarWriter) -> Option<Json> {
    match (name, value) {
        ("String" | "ID", Json::String(_)) | ("Boolean", Json::Bool(_)) | ("Float", Json::Number(_)) => {
            Some(value.clone())
        }
        ("String", Json::Number(number)) => Some(number.to_string().into()),
        ("String", Json::Bool(truth)) => Some(truth.to_string().into()),
        ("ID", Json::Number(number)) if number.is_i64() || number.is_u64() => Some(number.to_string().into()),
        ("Boolean", Json::Number(number)) => Some((number.as_f64() != Some(0.0)).into()),
        ("Int" | "Float", Json::Bool(truth)) => Some(i32::from(*truth).into()),
        ("Int", Json::Number(number)) => whole(number.as_f64()?),
        ("Int", Json::String(text)) => whole(text.trim().parse().ok()?),
        ("Float", Json::String(text)) => serde_json::Number::from_f64(text.trim().parse().ok()?).map(Json::Number),
        ("String" | "ID" | "Boolean" | "Int" | "Float", _) => None,
        (other, value) => Some(others(other, value)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked: it is a whole number of 32 bits")]
fn whole(number: f64) -> Option<Json> {
    let fits = number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    fits.then(|| (number as i32).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn non_null(shape: Shape) -> Shape {
        Shape::NonNull(Box::new(shape))
    }

    fn scalar(name: &str) -> Shape {
        Shape::Scalar(name.to_owned())
    }

    fn fit(shape: &Shape, value: &Json) -> (Option<Json>, Vec<(String, Vec<Json>)>) {
        let (fitted, misfits) = shape.fit(("Query", "f"), value, |_, value| value.clone());
        (fitted, misfits.into_iter().map(|misfit| (misfit.message, misfit.path)).collect())
    }

    #[test]
    fn scalars_are_fitted_as_graphql_says() {
        let good = [
            ("String", json!(3), json!("3")),
            ("String", json!(true), json!("true")),
            ("Int", json!("12"), json!(12)),
            ("Int", json!(3.0), json!(3)),
            ("Float", json!("1.5"), json!(1.5)),
            ("Boolean", json!(0), json!(false)),
            ("ID", json!(7), json!("7")),
            ("Any", json!({"a": [1]}), json!({"a": [1]})),
        ];
        for (name, value, expected) in good {
            assert_eq!(fit(&scalar(name), &value), (Some(expected), Vec::new()), "{name} {value}");
        }
        let bad =
            [("String", json!({})), ("Int", json!(1.5)), ("Int", json!(3e9)), ("Int", json!("x")), ("ID", json!(1.5))];
        for (name, value) in bad {
            let (fitted, misfits) = fit(&scalar(name), &value);
            assert_eq!((fitted, misfits.len()), (Some(Json::Null), 1), "{name} {value}");
        }
    }

    #[test]
    fn null_goes_up_to_what_may_be_null() {
        let row = Shape::Object("Row".to_owned(), vec![("t".to_owned(), "total".to_owned(), non_null(scalar("Int")))]);
        let list = Shape::List(Box::new(row));
        let value = json!([{"total": 1}, {"total": null}, {}]);
        let (fitted, misfits) = fit(&list, &value);
        assert_eq!(fitted, Some(json!([{"t": 1}, null, null])));
        let message = "Cannot return null for non-nullable field Row.total.".to_owned();
        assert_eq!(misfits[0], (message, vec![json!(1), json!("t")]));
        let strict = non_null(Shape::List(Box::new(non_null(scalar("Int")))));
        assert_eq!(fit(&strict, &json!([1, null])).0, None);
        assert_eq!(fit(&strict, &Json::Null).1[0].0, "Cannot return null for non-nullable field Query.f.");
    }

    #[test]
    fn abstract_types_and_enumerations() {
        let shapes = [("A".to_owned(), Shape::Object("A".to_owned(), vec![("n".into(), "n".into(), scalar("Int"))]))];
        let shape = Shape::Abstract(shapes.into_iter().collect());
        assert_eq!(fit(&shape, &json!({"__typename": "A", "n": 1})), (Some(json!({"n": 1})), Vec::new()));
        assert_eq!(fit(&shape, &json!({"__typename": "B"})).1.len(), 1);
        let shape = Shape::Enum("E".to_owned(), vec!["X".to_owned()]);
        assert_eq!(fit(&shape, &json!("X")), (Some(json!("X")), Vec::new()));
        assert_eq!(fit(&shape, &json!("Y")).1[0].0, "Enum \"E\" cannot represent value: \"Y\"");
        assert_eq!(fit(&Shape::List(Box::new(scalar("Int"))), &json!(5)).1.len(), 1);
    }
}
