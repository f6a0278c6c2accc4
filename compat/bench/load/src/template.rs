//! Templates whose placeholders are filled for every request.

use std::collections::HashMap;
use std::io::Write as _;

use crate::Failure;
use crate::spec::Lists;

/// A small generator of random numbers (xorshift64*): the same choices in every run, at negligible cost.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or(0).checked_rem(end).unwrap_or(0)
    }
}

/// The lists in the form templates read them: rows of columns.
pub struct Tables {
    tables: Vec<Vec<Vec<String>>>,
    /// List and field → table and column.
    places: HashMap<String, (usize, usize)>,
}

impl Tables {
    /// Fails if rows of one list have different fields.
    pub fn new(lists: &Lists) -> Result<Self, Failure> {
        let mut tables = Vec::new();
        let mut places = HashMap::new();
        for (name, rows) in lists {
            let fields: Vec<&String> = rows.first().map(|row| row.keys().collect()).unwrap_or_default();
            for (column, field) in fields.iter().enumerate() {
                places.insert(format!("{name}.{field}"), (tables.len(), column));
            }
            let mut table = Vec::with_capacity(rows.len());
            for row in rows {
                let columns: Option<Vec<String>> = fields.iter().map(|field| row.get(*field).cloned()).collect();
                table.push(columns.ok_or_else(|| format!("rows of the list {name} differ in their fields"))?);
            }
            tables.push(table);
        }
        Ok(Self { tables, places })
    }

    /// Draws a row of every list.
    pub fn draw(&self, dice: &mut Dice, n: u64) -> Draw {
        Draw { rows: self.tables.iter().map(|table| dice.below(table.len())).collect(), n }
    }

    fn field(&self, place: (usize, usize), draw: &Draw) -> &str {
        let row = draw.rows.get(place.0).copied().unwrap_or(0);
        self.tables
            .get(place.0)
            .and_then(|table| table.get(row))
            .and_then(|row| row.get(place.1))
            .map_or("", |text| text)
    }
}

/// What one request fills its templates with.
pub struct Draw {
    rows: Vec<usize>,
    n: u64,
}

enum Part {
    Text(String),
    Field((usize, usize)),
    Number,
}

pub struct Template(Vec<Part>);

impl Template {
    /// Fails if a hole names a field that no list has.
    pub fn parse(text: &str, tables: &Tables) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("${{ without }} in {text}"))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name {
                "n" => Part::Number,
                _ => Part::Field(*tables.places.get(name).ok_or_else(|| format!("no list has {name}"))?),
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    pub fn fill(&self, tables: &Tables, draw: &Draw, out: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Field(place) => out.extend_from_slice(tables.field(*place, draw).as_bytes()),
                Part::Number => {
                    // writing to memory does not fail
                    let _ = write!(out, "{}", draw.n);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        let row =
            |id: &str| HashMap::from([("id".to_owned(), id.to_owned()), ("twice".to_owned(), format!("{id}{id}"))]);
        Tables::new(&HashMap::from([("items".to_owned(), vec![row("a"), row("b")])])).unwrap()
    }

    #[test]
    fn holes_of_one_request_are_of_one_row() {
        let tables = tables();
        let template = Template::parse("/x/${items.id}?y=${items.twice}&n=${n}", &tables).unwrap();
        let mut dice = Dice::new(7);
        let mut seen = std::collections::HashSet::new();
        for n in 0..50 {
            let mut out = Vec::new();
            template.fill(&tables, &tables.draw(&mut dice, n), &mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(text == format!("/x/a?y=aa&n={n}") || text == format!("/x/b?y=bb&n={n}"), "{text}");
            seen.insert(text.contains("aa"));
        }
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn a_hole_that_nothing_fills_is_refused() {
        assert!(Template::parse("${items.name}", &tables()).is_err());
        assert!(Template::parse("${items.id", &tables()).is_err());
    }

    #[test]
    fn an_empty_list_fills_nothing() {
        assert_eq!(Dice::new(1).below(0), 0);
    }
}
