use bson::{Bson, Document, doc, Binary, spec::BinarySubtype};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reparse::model::{Object, Value, Date, ClassName};
use reparse::model::value::*;
use reparse::model::query::{Matcher, Filter, Resolved, Constraint, compare, path::Path, sort::sort_key};
use reparse::model::operation::{Update, Change, apply::apply};
use futures_util::TryStreamExt;

fn to_bson(v: &Value) -> Bson {
    let plain = compare::as_plain(v);
    match &*plain {
        Value::Null => Bson::Null,
        Value::Boolean(b) => Bson::Boolean(*b),
        Value::Number(n) => if n.fract()==0.0 && n.abs() < 2e9 { Bson::Int32(*n as i32) } else { Bson::Double(*n) },
        Value::String(s) => Bson::String(s.clone()),
        Value::Date(d) => Bson::DateTime(bson::DateTime::from_millis(d.millis())),
        Value::Bytes(b) => Bson::Binary(Binary{subtype: BinarySubtype::Generic, bytes: b.clone()}),
        Value::Array(l) => Bson::Array(l.iter().map(to_bson).collect()),
        Value::Object(o) => Bson::Document(o.iter().map(|(k,v)|(k.clone(), to_bson(v))).collect()),
        other => panic!("{other:?}"),
    }
}
fn top(v: &Value) -> Bson { let s = compare::stored(v); to_bson(&s) }
fn arg(path: &str, v: &Value) -> Bson { if path.contains('.') || path=="a" || path=="b" { to_bson(v) } else { top(v) } }
fn list(path:&str, l:&[Value])->Bson{Bson::Array(l.iter().map(|v|arg(path,v)).collect())}
fn filt(f: &Resolved) -> Document {
    match f {
        Filter::All => doc!{}, Filter::Never => doc!{"_id":{"$in":[]}},
        Filter::And(p) => doc!{"$and": p.iter().map(filt).collect::<Vec<_>>()},
        Filter::Or(p) => doc!{"$or": p.iter().map(filt).collect::<Vec<_>>()},
        Filter::Nor(p) => doc!{"$nor": p.iter().map(filt).collect::<Vec<_>>()},
        Filter::Field{path,constraint} => {
            let c = match constraint {
                Constraint::Eq(v)=>doc!{"$eq":arg(path,v)}, Constraint::Ne(v)=>doc!{"$ne":arg(path,v)},
                Constraint::Lt(v)=>doc!{"$lt":arg(path,v)}, Constraint::Lte(v)=>doc!{"$lte":arg(path,v)},
                Constraint::Gt(v)=>doc!{"$gt":arg(path,v)}, Constraint::Gte(v)=>doc!{"$gte":arg(path,v)},
                Constraint::In(l)=>doc!{"$in":list(path,l)}, Constraint::NotIn(l)=>doc!{"$nin":list(path,l)},
                Constraint::All(l)=>doc!{"$all":list(path,l)},
                Constraint::ContainedBy(l)=> return doc!{"$nor":[{path.clone():{"$elemMatch":{"$nin":list(path,l)}}}]},
                Constraint::Exists(b)=>doc!{"$exists":*b},
                Constraint::Regex(r)=>if r.options.is_empty(){doc!{"$regex":&r.pattern}}else{doc!{"$regex":&r.pattern,"$options":&r.options}},
                Constraint::WithinBox{bottom_left:b,upper_right:u}=>doc!{"$geoWithin":{"$box":[[b.longitude,b.latitude],[u.longitude,u.latitude]]}},
                Constraint::WithinPolygon(p)=>doc!{"$geoWithin":{"$polygon":p.iter().map(|c|Bson::from(vec![c.longitude,c.latitude])).collect::<Vec<_>>()}},
                Constraint::WithinSphere{center,radius}=>doc!{"$geoWithin":{"$centerSphere":[[center.longitude,center.latitude],*radius]}},
                Constraint::IntersectsPoint(p)=>doc!{"$geoIntersects":{"$geometry":{"type":"Point","coordinates":[p.longitude,p.latitude]}}},
                _=>unreachable!(),
            };
            doc!{path.clone(): c}
        }
        Filter::Unresolved(_)=>unreachable!(),
    }
}
struct G(StdRng);
impl G {
    fn n(&mut self, n: usize)->usize{ self.0.random_range(0..n) }
    fn pick<T:Clone>(&mut self, l:&[T])->T{ let i=self.n(l.len()); l[i].clone() }
    fn ptr(&mut self)->Value{ Value::Pointer(Pointer{class:ClassName::trusted(self.pick(&["A","AB"])), id:self.pick(&["x","y"]).into()}) }
    fn geo(&mut self)->GeoPoint{ GeoPoint{latitude:self.n(5) as f64 * 10.0 - 20.0, longitude: self.n(5) as f64*10.0 - 20.0} }
    fn file(&mut self)->Value{ Value::File(File{name:self.pick(&["a","b"]).into(), url:if self.n(2)==0{None}else{Some("u".into())}}) }
    fn val(&mut self, d: usize)->Value{
        match self.n(if d==0 {13} else {18}) {
            0=>Value::Null, 1=>Value::Boolean(self.n(2)==0), 2..=4=>Value::Number(self.pick(&[0.0,1.0,2.0,-1.0,1.5,1e15])),
            5..=7=>Value::String(self.pick(&["","a","b","ab","A$x","Ä"]).into()), 8=>Value::Date(Date::from_millis(self.n(3) as i64)),
            9=>Value::Bytes(self.pick(&[vec![],vec![1],vec![2],vec![1,2]])), 10=>self.ptr(), 11=>Value::GeoPoint(self.geo()), 12=>self.file(),
            13..=15=>{let n=self.n(4);Value::Array((0..n).map(|_|self.val(d-1)).collect())}
            _=>{let n=self.n(3);Value::Object((0..n).map(|_|(self.pick(&["x","y","0","1"]).to_string(), self.val(d-1))).collect())}
        }
    }
    fn poly(&mut self)->Value{ let x=self.n(4) as f64*10.0-20.0; let y=self.n(4) as f64*10.0-20.0; let s=self.pick(&[10.0,15.0]); Value::Polygon(vec![GeoPoint{latitude:x,longitude:y},GeoPoint{latitude:x,longitude:y+s},GeoPoint{latitude:x+s,longitude:y+s}]) }
    fn row(&mut self)->Object{
        let mut o=Object::new();
        if self.n(5)>0 {o.insert("a",self.val(3));} if self.n(5)>0 {o.insert("b",self.val(2));}
        if self.n(3)>0 {let v=self.ptr();o.insert("p",v);} if self.n(3)>0{let v=self.file();o.insert("f",v);} if self.n(3)>0{let v=Value::GeoPoint(self.geo());o.insert("g",v);} if self.n(3)>0{let v=self.poly();o.insert("po",v);}
        for f in ["a","b"] { if matches!(o.get(f),Some(Value::Pointer(_)|Value::GeoPoint(_)|Value::File(_))) {o.remove(f);} }
        o
    }
    fn path(&mut self)->String{ self.pick(&["a","a","a","b","a.x","a.x","a.0","a.0","a.0.x","a.x.y","a.x.0","a.0.0","a.1","b.x.y","b.x","b.0.0","p","f","g","po","p.x","f.x","g.0","po.type","po.coordinates","zz","a.objectId","a.latitude","b.name"]).to_string() }
    fn opv(&mut self,path:&str)->Value{ match path {"p"=>self.ptr(),"f"=>self.file(),"g"=>if self.n(3)==0{Value::Number(10.0)}else{Value::GeoPoint(self.geo())},"po"=>self.poly(),_=>self.val(2)} }
    fn cons(&mut self,path:&str)->Constraint{
        let k=self.n(22); 
        let l=|g:&mut G|{let n=g.n(4);(0..n).map(|_|g.opv(path)).collect::<Vec<_>>()};
        match k {0..=2=>Constraint::Eq(self.opv(path)),3=>Constraint::Ne(self.opv(path)),4|5=>Constraint::Lt(self.opv(path)),6=>Constraint::Lte(self.opv(path)),7|8=>Constraint::Gt(self.opv(path)),9=>Constraint::Gte(self.opv(path)),
        10|11=>Constraint::In(l(self)),12=>Constraint::NotIn(l(self)),13|14=>Constraint::All(l(self)),15|16=>Constraint::ContainedBy(l(self)),17=>Constraint::Exists(self.n(2)==0),
        18=>Constraint::Regex(reparse::model::query::filter::Regex{pattern:self.pick(&["a","^a","b$","^$","x"]).into(),options:self.pick(&["","i","s"]).into()}),
        19 if path=="g"||path=="a"=>Constraint::WithinBox{bottom_left:self.geo(),upper_right:self.geo()},
        20 if path=="g"||path=="a"=>Constraint::WithinPolygon(vec![self.geo(),self.geo(),self.geo()]),
        20 if path=="po"=>Constraint::IntersectsPoint(GeoPoint{latitude:self.geo().latitude+3.0,longitude:self.geo().longitude+1.0}),
        21 if path=="g"||path=="po"||path=="a"=>Constraint::WithinSphere{center:self.geo(),radius:self.pick(&[0.1,0.2,0.5])},
        _=>Constraint::Eq(Value::Null)}
    }
    fn filter(&mut self,d:usize)->Resolved{
        if d>0 && self.n(5)==0 { let n=1+self.n(2); let p=(0..n).map(|_|self.filter(d-1)).collect(); return match self.n(3){0=>Filter::And(p),1=>Filter::Or(p),_=>Filter::Nor(p)} }
        let p=self.path(); let c=self.cons(&p); Filter::field(p,c)
    }
    fn change(&mut self)->Change{ let l=|g:&mut G|{let n=g.n(3);(0..n).map(|_|g.val(1)).collect::<Vec<_>>()}; match self.n(7){0|1=>Change::Set(self.val(2)),2=>Change::Unset,3=>Change::Increment(self.pick(&[1.0,-2.5])),4=>Change::Add(l(self)),5=>Change::AddUnique(l(self)),_=>Change::Remove(l(self))} }
}
fn sorted(b: &Bson)->Bson{ match b {Bson::Document(d)=>{let mut v:Vec<_>=d.iter().map(|(k,v)|(k.clone(),sorted(v))).collect();v.sort_by(|a,b|a.0.cmp(&b.0));Bson::Document(v.into_iter().collect())},Bson::Array(l)=>Bson::Array(l.iter().map(sorted).collect()),Bson::Int32(i)=>Bson::Double(*i as f64),Bson::Int64(i)=>Bson::Double(*i as f64),o=>o.clone()} }
#[tokio::main]
async fn main(){
    let seed:u64=std::env::args().nth(1).map_or(1,|s|s.parse().unwrap()); let rounds:usize=std::env::args().nth(2).map_or(20,|s|s.parse().unwrap());
    let mode=std::env::args().nth(3).unwrap_or("all".into());
    let c=mongodb::Client::with_uri_str("mongodb://127.0.0.1:27017/?directConnection=true").await.unwrap(); let col=c.database("qfuzz").collection::<Document>(&format!("m{seed}"));
    let mut g=G(StdRng::seed_from_u64(seed)); let (mut total,mut bad,mut refused)=(0,0,0);
    let mut schema=reparse::model::schema::ClassSchema::new(ClassName::trusted("X")); for f in ["a","b"]{schema.fields.insert(f.into(),reparse::model::schema::Field::new(reparse::model::schema::FieldType::Array));}
    for _ in 0..rounds {
        col.drop().await.unwrap();
        let rows:Vec<Object>=(0..40).map(|_|g.row()).collect();
        let docs:Vec<Document>=rows.iter().enumerate().map(|(i,r)|{let mut d:Document=r.iter().map(|(k,v)|(k.clone(),top(v))).collect();d.insert("_id",i as i32);d}).collect();
        col.insert_many(&docs).await.unwrap();
        if mode!="update" { for _ in 0..150 {
            let f=g.filter(2); total+=1;
            let d=filt(&f);
            let m=Matcher::for_class(&f,&schema).unwrap(); let mine:Vec<i32>=rows.iter().enumerate().filter(|(_,r)|m.matches(r).unwrap()).map(|(i,_)|i as i32).collect();
            match col.find(d.clone()).projection(doc!{"_id":1}).sort(doc!{"_id":1}).await {
                Ok(cur)=>{ let got:Result<Vec<Document>,_>=cur.try_collect().await; let got:Vec<i32>=got.unwrap().iter().map(|d|d.get_i32("_id").unwrap()).collect();
                    if got!=mine { bad+=1; if bad<12 { println!("FILTER {d}"); for i in 0..40 { let (a,b)=(got.contains(&i),mine.contains(&i)); if a!=b { println!("   row {} mongo={a} mine={b}", docs[i as usize]); break; } } } } }
                Err(e)=>{refused+=1; if refused<6 {println!("refused {d}: {}", e.to_string().chars().take(200).collect::<String>());}}
            }
        }
        for _ in 0..10 { let p=g.path(); let desc=g.n(2)==0; total+=1;
            let path=Path::new(&p); let mut ids:Vec<usize>=(0..40).collect(); let keys:Vec<_>=rows.iter().map(|r|sort_key(r,&path,desc)).collect();
            ids.sort_by(|a,b|{let o=keys[*a].cmp(&keys[*b]); (if desc{o.reverse()}else{o}).then(a.cmp(b))});
            let Ok(cur)=col.find(doc!{}).projection(doc!{"_id":1}).sort(doc!{p.clone():if desc{-1}else{1},"_id":1}).await else {refused+=1;continue}; let got:Vec<usize>=cur.try_collect::<Vec<Document>>().await.unwrap().iter().map(|d|d.get_i32("_id").unwrap() as usize).collect();
            if got!=ids { bad+=1; if bad<12 { let i=(0..40).find(|i|got[*i]!=ids[*i]).unwrap(); println!("SORT {p} desc={desc} at {i}: mongo {} mine {}",docs[got[i]],docs[ids[i]]); } }
        } }
        if mode!="find" { for i in 0..40 { 
            let p=loop{let p=g.path(); if !["p","f","g","po"].contains(&p.split('.').next().unwrap()){break p}}; let ch=loop{let c=g.change(); if !matches!(c,Change::Set(Value::Pointer(_)|Value::GeoPoint(_)|Value::File(_))) || p.contains('.') {break c}}; total+=1;
            let l=|l:&[Value]|Bson::Array(l.iter().map(to_bson).collect());
            let u=match &ch {Change::Set(v)=>doc!{"$set":{&p:to_bson(v)}},Change::Unset=>doc!{"$unset":{&p:1}},Change::Increment(n)=>doc!{"$inc":{&p:to_bson(&Value::Number(*n))}},Change::Add(v)=>doc!{"$push":{&p:{"$each":l(v)}}},Change::AddUnique(v)=>doc!{"$addToSet":{&p:{"$each":l(v)}}},Change::Remove(v)=>doc!{"$pullAll":{&p:l(v)}}};
            let mut row=rows[i].clone(); let mine=apply(&Update(vec![(p.clone(),ch)]),&mut row);
            let theirs=col.find_one_and_update(doc!{"_id":i as i32},u.clone()).return_document(mongodb::options::ReturnDocument::After).await;
            match (mine,theirs) { (Ok(()),Ok(Some(mut d)))=>{d.remove("_id"); let m:Document=row.iter().map(|(k,v)|(k.clone(),top(v))).collect(); if sorted(&Bson::Document(d.clone()))!=sorted(&Bson::Document(m.clone())) {bad+=1; if bad<12{println!("UPDATE {u}\n  of {}\n  mongo {d}\n  mine  {m}",docs[i]);}}},
              (Err(_),Err(_))=>{}, (m,t)=>{bad+=1; if bad<12{println!("UPDATE {u} of {} mongo {:?} mine {m:?}",docs[i],t.map(|_|()).map_err(|e|e.to_string().chars().take(150).collect::<String>()));}} }
        } }
    }
    println!("seed {seed}: {total} cases, {bad} bad, {refused} refused"); col.drop().await.unwrap();
}
