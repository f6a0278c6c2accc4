//! Many reads by id at the same time, which a store may answer together: each gets what it would get alone.

use super::*;

const ROWS: usize = 40;

pub async fn gets(store: &dyn Storage) {
    let schema = schema("Together", &[("n", FieldType::Number), ("s", FieldType::String)]);
    store.create_class(&schema).await.unwrap();
    let name = |number: usize| format!("id{number}");
    let rows: Vec<Object> = (0..ROWS)
        .map(|number| {
            let readers = if number % 2 == 0 { json!(["ann"]) } else { json!(["bob"]) };
            row(&name(number), json!({"n": number, "s": "x".repeat(number), "_rperm": readers}))
        })
        .collect();
    fill(store, &schema, &rows).await;

    // Callers with different rights ask for rows that are there, several times, and for some that are not.
    let keys = FindOptions { keys: Some(vec!["n".to_owned()]), limit: Some(1), ..FindOptions::default() };
    let whole = FindOptions { limit: Some(1), ..FindOptions::default() };
    let schema = &schema;
    let ask = |number: usize, reader: Option<&'static str>, options: FindOptions| async move {
        let readable = reader.map_or(Filter::All, |reader| is("_rperm", Constraint::In(values(json!([null, reader])))));
        let rows = store.find(schema, &by_id(&name(number)).and(readable), &options, None).await.unwrap();
        let may = number < ROWS && reader.is_none_or(|reader| (reader == "ann") == number.is_multiple_of(2));
        assert_eq!(ids(&rows), if may { vec![name(number)] } else { vec![] }, "{number} of {reader:?}");
        for row in rows {
            assert_eq!(row.get("n"), Some(&value(json!(number))));
            assert_eq!(row.contains("s"), options.keys.is_none());
        }
    };
    let asked = (0..ROWS + 5).flat_map(|number| {
        [None, Some("ann"), Some("bob"), Some("ann")]
            .into_iter()
            .flat_map(|reader| [ask(number, reader, keys.clone()), ask(number, reader, whole.clone())].map(Box::pin))
            .collect::<Vec<_>>()
    });
    join_all(asked).await;

    // Whoever wrote sees it, whatever reads are on their way.
    let one = |number: usize| async move {
        for round in 0..10 {
            let wanted = value(json!(number * 100 + round));
            let update = Update([("n".to_owned(), Change::Set(wanted.clone()))].into_iter().collect());
            store.update_one(schema, &by_id(&name(number)), &update, None).await.unwrap().unwrap();
            let rows = store.find(schema, &by_id(&name(number)), &FindOptions::default(), None).await.unwrap();
            assert_eq!(rows[0].get("n"), Some(&wanted));
        }
    };
    join_all((0..ROWS).map(one)).await;
    store.delete_class(&schema.name).await.unwrap();
}
