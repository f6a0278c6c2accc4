// One major version of the JavaScript SDK walks through what an app does: users, objects, queries, rights, a file, cloud functions that
// are not there, a live query. A process of its own, because the SDK keeps its state in globals.
//
//     node walk.mjs MAJOR URL APP
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [major, url, app] = process.argv.slice(2);
const Parse = createRequire(import.meta.url)(`parse-${major}/node`);
Parse.initialize(app);
Parse.serverURL = url;
Parse.User.enableUnsafeCurrentUser?.();

const name = word => `${word}-${major}-${process.pid}`;
// The first major has promises of its own.
const settled = promise => (typeof promise?.then === 'function' ? new Promise((resolve, reject) => promise.then(resolve, reject)) : Promise.resolve(promise));
const refused = async (promise, code) => {
  const error = await settled(promise).then(() => undefined, refusal => refusal);
  assert.equal(error?.code, code, `${error}`);
};

const Score = Parse.Object.extend('Score');
const steps = {
  async 'signs up, out and in'() {
    const user = new Parse.User();
    user.set('username', name('ann'));
    user.set('password', 'secret');
    user.set('email', `${name('ann')}@example.com`);
    await settled(user.signUp());
    assert.ok(user.getSessionToken());
    await settled(Parse.User.logOut());
    await refused(Parse.User.logIn(name('ann'), 'wrong'), Parse.Error.OBJECT_NOT_FOUND);
    const again = await settled(Parse.User.logIn(name('ann'), 'secret'));
    assert.equal(again.id, user.id);
    const twin = new Parse.User();
    await refused(twin.signUp({ username: name('ann'), password: 'x' }), Parse.Error.USERNAME_TAKEN);
    await settled(Parse.User.logIn(name('ann'), 'secret'));
  },

  async 'saves, reads, changes and deletes an object of every type'() {
    const other = new Score();
    await settled(other.save({ word: 'other' }));
    const score = new Score();
    const when = new Date('2021-02-03T04:05:06.789Z');
    await settled(score.save({ word: 'one', number: 1.5, flag: true, when, list: [1, 'a', null], map: { a: { b: 1 } }, place: new Parse.GeoPoint(1, 2), other, nothing: null }));
    score.increment('number');
    score.add('list', 'b');
    score.unset('flag');
    score.relation('friends').add(other);
    await settled(score.save());
    score.addUnique('list', 'a');
    await settled(score.save());
    score.remove('list', 1);
    await settled(score.save());
    const read = await settled(new Parse.Query(Score).include('other').get(score.id));
    assert.equal(read.get('number'), 2.5);
    assert.deepEqual(read.get('list'), ['a', null, 'b']);
    assert.equal(read.get('when').getTime(), when.getTime());
    assert.equal(read.get('place').longitude, 2);
    assert.equal(read.get('other').get('word'), 'other');
    assert.equal(read.get('flag'), undefined);
    assert.equal((await settled(read.relation('friends').query().find())).length, 1);
    await settled(Parse.Object.saveAll([1, 2, 3].map(rank => new Score({ rank, run: name('run') }))));
    await settled(other.destroy());
    await refused(new Parse.Query(Score).get(other.id), Parse.Error.OBJECT_NOT_FOUND);
  },

  async 'asks with conditions, order, limits and counts'() {
    const query = () => new Parse.Query(Score).equalTo('run', name('run'));
    assert.deepEqual((await settled(query().descending('rank').limit(2).find())).map(score => score.get('rank')), [3, 2]);
    assert.equal(await settled(query().greaterThan('rank', 1).count()), 2);
    assert.equal((await settled(query().containedIn('rank', [2]).first())).get('rank'), 2);
    assert.equal((await settled(Parse.Query.or(query().equalTo('rank', 1), query().equalTo('rank', 3)).find())).length, 2);
    assert.equal((await settled(new Parse.Query(Score).startsWith('run', `run-${major}`).select('rank').find())).length, 3);
    let met = 0;
    await settled(query().each(() => { met += 1; }));
    assert.equal(met, 3);
    await settled(Parse.Object.destroyAll(await settled(query().find())));
    assert.equal(await settled(query().count()), 0);
  },

  async 'keeps an object from others'() {
    const secret = new Score();
    secret.setACL(new Parse.ACL(Parse.User.current()));
    await settled(secret.save({ word: 'secret' }));
    await settled(Parse.User.logOut());
    await refused(new Parse.Query(Score).get(secret.id), Parse.Error.OBJECT_NOT_FOUND);
    await settled(Parse.User.logIn(name('ann'), 'secret'));
    assert.equal((await settled(new Parse.Query(Score).get(secret.id))).get('word'), 'secret');
    const open = new Parse.ACL();
    open.setPublicReadAccess(true);
    secret.setACL(open);
    await settled(secret.save());
    await refused(secret.save({ word: 'changed' }), Parse.Error.OBJECT_NOT_FOUND);
  },

  async 'uploads a file and keeps it in an object'() {
    const file = new Parse.File('hello.txt', { base64: Buffer.from('hello file').toString('base64') }, 'text/plain');
    await settled(file.save());
    const holder = new Score();
    await settled(holder.save({ file }));
    const read = (await settled(new Parse.Query(Score).get(holder.id))).get('file');
    assert.equal(await (await fetch(read.url())).text(), 'hello file');
  },

  async 'is told of errors, settings and functions that are not there'() {
    await refused(Parse.Cloud.run('missing', {}), Parse.Error.SCRIPT_FAILED);
    await settled(Parse.Config.get());
    await refused(new Parse.Query(Score).get('missing123'), Parse.Error.OBJECT_NOT_FOUND);
  },

  async 'makes an anonymous user'() {
    await settled(Parse.User.logOut());
    if (!Parse.AnonymousUtils?.logIn) return;
    const user = await Parse.AnonymousUtils.logIn();
    assert.ok(user.getSessionToken());
    assert.ok(Parse.AnonymousUtils.isLinked(user));
    await Parse.User.logOut();
  },

  async 'follows a live query'() {
    // The first major has none of its own.
    if (!Parse.Query.prototype.subscribe) return;
    const subscription = await settled(new Parse.Query(Score).equalTo('live', name('live')).subscribe());
    const told = [];
    let open;
    const opened = new Promise(resolve => { open = resolve; });
    subscription.on('open', open);
    subscription.on('create', score => told.push(['create', score.get('step')]));
    subscription.on('update', score => told.push(['update', score.get('step')]));
    // From the fifth major on `subscribe` itself waits.
    if (Number(major) < 5) await Promise.race([opened, sleep(20_000)]);
    const score = new Score();
    await settled(score.save({ live: name('live'), step: 1 }));
    await settled(score.save({ step: 2 }));
    for (let wait = 0; wait < 100 && told.length < 2; wait++) await sleep(50);
    assert.deepEqual(told, [['create', 1], ['update', 2]]);
    subscription.unsubscribe();
    const client = await settled(Parse.CoreManager.getLiveQueryController().getDefaultLiveQueryClient());
    client.close();
  },
};

for (const [title, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok ${title}`);
  } catch (error) {
    console.log(`failed ${title}: ${error?.stack ?? error}`);
    process.exit(1);
  }
}
process.exit(0);
