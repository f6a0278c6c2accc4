//! A walk through the API with the client that progenitor generates: `reparse-generated-client URL APPLICATION_ID`.

use std::env;
use std::error::Error;

use client::types::{
    GameScoreCreate, GameScoreUpdate, LogIn, ParseDateOrNullInner, ParseDateOrNullInnerType, ParseGeoPointOrNullInner,
    ParseGeoPointOrNullInnerType, ParseIncrement, ParseIncrementOp, SignUp, TeamCreate, TeamPointer,
    TeamPointerClassName, TeamPointerType, TeamReference,
};
use client::{Client, Error as ClientError};
use futures_util::StreamExt as _;
use reqwest::header::{HeaderMap, HeaderValue};

#[allow(clippy::all, clippy::pedantic, dead_code, unused_imports)]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

type Outcome = Result<(), Box<dyn Error>>;

const UPLOAD_REFUSED: i32 = 130;
const USERNAME_TAKEN: i32 = 202;
const OBJECT_NOT_FOUND: i32 = 101;

/// A client of the application, and of a user if there is a session.
fn connect(url: &str, application: &str, session: Option<&str>) -> Result<Client, Box<dyn Error>> {
    let mut headers = HeaderMap::new();
    headers.insert("X-Parse-Application-Id", HeaderValue::from_str(application)?);
    if let Some(token) = session {
        headers.insert("X-Parse-Session-Token", HeaderValue::from_str(token)?);
    }
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    Ok(Client::new_with_client(url, http))
}

/// Parse's code of the error a call must end with.
fn code<T>(outcome: Result<T, ClientError<client::types::Error>>) -> Option<i32> {
    match outcome {
        Err(ClientError::ErrorResponse(answer)) => answer.into_inner().code,
        Err(other) => panic!("not an error of Parse: {other}"),
        Ok(_) => panic!("no error"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let mut arguments = env::args().skip(1);
    let (url, application) = (arguments.next().expect("a URL"), arguments.next().expect("an application id"));
    let anybody = connect(&url, &application, None)?;

    let account = || SignUp::builder().username("rust".to_owned()).password("correct horse".to_owned());
    let signed_up = anybody.sign_up().body(account()).send().await?.into_inner();
    assert!(signed_up.session_token.is_some());
    assert_eq!(code(anybody.sign_up().body(account()).send().await), Some(USERNAME_TAKEN));

    let credentials = LogIn::builder().username("rust".to_owned()).password("correct horse".to_owned());
    let user = anybody.log_in().body(credentials).send().await?.into_inner();
    let token = user.session_token.expect("a session token");
    let ann = connect(&url, &application, Some(&token))?;
    let me = ann.get_current_user().send().await?.into_inner();
    assert_eq!((me.object_id, me.username.as_deref()), (user.object_id, Some("rust")));

    scores(&ann).await?;
    files(&ann, &application).await?;

    ann.log_out().send().await?;
    assert!(code(ann.get_current_user().send().await).is_some());
    println!("walked");
    Ok(())
}

/// A file: uploaded, read back, refused.
async fn files(ann: &Client, application: &str) -> Outcome {
    let bytes = [0, 1, 254, 255];
    let stored = ann.upload_file().file_name("a.bin").body(bytes.to_vec()).send().await?.into_inner();
    assert!(stored.name.ends_with("_a.bin") && stored.url.ends_with(&stored.name));
    let mut stream = ann.download_file().app_id(application).file_name(&stored.name).send().await?.into_inner();
    let mut read = Vec::new();
    while let Some(piece) = stream.next().await {
        read.extend_from_slice(&piece?);
    }
    assert_eq!(read, bytes);
    let refused = ann.upload_file().file_name("a.html").body(bytes.to_vec()).send().await;
    assert_eq!(code(refused), Some(UPLOAD_REFUSED));
    Ok(())
}

/// Objects of a class: made, found, read, changed, deleted.
async fn scores(ann: &Client) -> Outcome {
    let team = ann.create_team().body(TeamCreate::builder().name("Reds".to_owned())).send().await?.into_inner();
    let pointer = TeamPointer {
        type_: TeamPointerType::Pointer,
        class_name: TeamPointerClassName::Team,
        object_id: team.object_id.clone(),
    };
    let played_at = "2026-05-06T07:08:09.123Z".parse::<chrono::DateTime<chrono::Utc>>()?;
    let body = GameScoreCreate::builder()
        .player("ann".to_owned())
        .score(7.5)
        .cheated(false)
        .tags(vec!["a".into(), 1.into()])
        .played_at(client::types::ParseDateOrNull(Some(ParseDateOrNullInner {
            type_: ParseDateOrNullInnerType::Date,
            iso: played_at,
        })))
        .place(client::types::ParseGeoPointOrNull(Some(ParseGeoPointOrNullInner {
            type_: ParseGeoPointOrNullInnerType::GeoPoint,
            latitude: 52.5,
            longitude: 13.25,
        })))
        .team(pointer);
    let created = ann.create_game_score().body(body).send().await?.into_inner();

    let found = ann
        .find_game_score()
        .where_(r#"{"player":"ann","score":{"$gte":7}}"#)
        .include("team")
        .count(1)
        .send()
        .await?
        .into_inner();
    assert_eq!((found.results.len(), found.count), (1, Some(1)));
    let score = found.results.first().expect("a score");
    assert_eq!(score.object_id, created.object_id);
    assert_eq!((score.score, score.cheated), (Some(7.5), Some(false)));
    let place = score.place.as_ref().and_then(|place| place.0.as_ref()).expect("a place");
    assert_eq!((place.latitude, place.longitude), (52.5, 13.25));
    let date = score.played_at.as_ref().and_then(|date| date.0.as_ref()).expect("a date");
    assert_eq!(date.iso, played_at);
    let Some(TeamReference::Included(reds)) = &score.team else { panic!("the team was not included") };
    assert_eq!(reds.name.as_deref(), Some("Reds"));

    let increment = ParseIncrement { op: ParseIncrementOp::Increment, amount: 2.0 };
    let change =
        GameScoreUpdate::builder().score(client::types::ParseNumberUpdate::from(increment)).player("bea".to_owned());
    ann.update_game_score().object_id(&created.object_id).body(change).send().await?;
    let score = ann.get_game_score().object_id(&created.object_id).send().await?.into_inner();
    assert_eq!((score.score, score.player.as_deref()), (Some(9.5), Some("bea")));
    let Some(TeamReference::Pointer(reds)) = &score.team else { panic!("the team was included") };
    assert_eq!(reds.object_id, team.object_id);

    ann.delete_game_score().object_id(&created.object_id).send().await?;
    let gone = ann.get_game_score().object_id(&created.object_id).send().await;
    assert_eq!(code(gone), Some(OBJECT_NOT_FOUND));
    Ok(())
}
