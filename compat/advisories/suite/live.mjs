// Section D, live queries: what a subscriber is told is what it could read by REST at that moment.
import WebSocket from 'ws';
import { open, pointer, sleep } from '../lib.mjs';

/** A subscriber, which keeps what it is told. */
class Live {
  constructor(t) {
    this.t = t;
    this.events = [];
    this.answers = [];
    this.socket = new WebSocket(t.url.replace(/^http/, 'ws'));
    this.socket.on('error', () => {});
    this.socket.on('message', text => {
      const message = JSON.parse(text);
      (message.requestId === undefined || ['subscribed', 'unsubscribed', 'error'].includes(message.op) ? this.answers : this.events).push(message);
    });
  }

  async ask(message) {
    this.answers.length = 0;
    this.socket.send(JSON.stringify(message));
    for (let waited = 0; waited < 10_000 && this.answers.length === 0; waited += 10) await sleep(10);
    return this.answers[0];
  }

  static async connect(t, sessionToken) {
    const live = new Live(t);
    const opened = await new Promise(done => live.socket.on('open', () => done(true)).on('close', () => done(false)));
    t.needs(opened, 'no web socket');
    const answer = await live.ask({ op: 'connect', applicationId: t.keys.app, sessionToken });
    t.needs(answer?.op === 'connected', `connecting answers ${JSON.stringify(answer)}`);
    return live;
  }

  follow(className, where = {}, more = {}, query = {}) {
    return this.ask({ op: 'subscribe', requestId: 1, query: { className, where, ...query }, ...more });
  }

  /** Follows, which must work. */
  async followed(className, where, more, query) {
    const answer = await this.follow(className, where, more, query);
    this.t.needs(answer?.op === 'subscribed', `subscribing answers ${JSON.stringify(answer)}`);
    return this;
  }

  /** What was told before a mark: an object that everybody may read, made when all the rest has been written. */
  async told(className, fields = {}) {
    const mark = await this.t.make(className, { mark: true, ...fields });
    for (let waited = 0; waited < 10_000; waited += 10) {
      const at = this.events.findIndex(({ object }) => object?.objectId === mark);
      if (at >= 0) return this.events.slice(0, at);
      await sleep(10);
    }
    this.t.needs(false, `the mark was not told: ${JSON.stringify(this.answers)}`);
  }

  /** All that was told within a while, for subscribers that a mark cannot reach. */
  async toldInTime() {
    await sleep(1500);
    return this.events;
  }

  close() {
    this.socket.terminate();
  }
}

/** Subscribers of a check are disconnected at its end. */
function check(id, cve, title, run) {
  const made = [];
  return {
    id, ...(cve ? { cve } : {}), title, config: 'live',
    async run(t) {
      const connect = async token => {
        const live = await Live.connect(t, token);
        made.push(live);
        return live;
      };
      try {
        await run(t, connect);
      } finally {
        for (const live of made.splice(0)) live.close();
      }
    },
  };
}

const own = user => ({ [user.id]: { read: true, write: true } });
const text = value => JSON.stringify(value);

export default [
  check('2xm2-xj2q-qgpj', 'CVE-2020-15270', 'a session that was deleted still receives', async (t, connect) => {
    const name = t.name('Live');
    const user = await t.signUp();
    await t.make(name, { a: 1 });
    const live = await (await connect(user.token)).followed(name);
    const id = await t.make(name, { secret: 1, ACL: own(user) });
    t.needs((await live.told(name)).some(({ object }) => object.objectId === id), 'the owner is told');
    await t.post('/logout', {}, { as: user.token });
    await sleep(1500);
    const after = await t.make(name, { secret: 2, ACL: own(user) });
    t.must(!(await live.told(name)).some(({ object }) => object.objectId === after), 'told after the log out');
  }),
  check('7pr3-p5fm-8r9x', 'CVE-2021-41109', 'events of users hold session tokens', async (t, connect) => {
    const user = await t.signUp({ ACL: { '*': { read: true } } });
    const live = await (await connect(user.token)).followed('_User', { objectId: user.id });
    await t.put(`/users/${user.id}`, { nick: 'x' }, { as: user.token });
    for (let waited = 0; waited < 10_000 && live.events.length === 0; waited += 10) await sleep(10);
    t.needs(live.events.length > 0, 'no event came');
    t.must(!text(live.events).includes(user.token) && !text(live.events).includes('sessionToken'), text(live.events));
  }),
  check('crrq-vr9j-fxxh', 'CVE-2022-31112', 'events hold protected fields', async (t, connect) => {
    const name = t.name('Live');
    await t.makeClass(name, { secret: { type: 'String' }, mark: { type: 'Boolean' } }, { ...open, protectedFields: { '*': ['secret'] } });
    const live = await (await connect()).followed(name);
    const id = await t.make(name, { secret: 'canary-1' });
    await t.put(`/classes/${name}/${id}`, { secret: 'canary-2' }, { as: 'master' });
    t.must(!text(await live.told(name)).includes('canary'), text(live.events));
  }),
  check('7ch5-98q2-7289', 'CVE-2026-30947', 'class level permissions are not enforced', async (t, connect) => {
    const name = t.name('Live');
    await t.makeClass(name, { secret: { type: 'String' } }, { ...open, find: {}, get: {} });
    const live = await connect();
    await live.follow(name);
    await t.make(name, { secret: 'canary' });
    t.must(!text(await live.toldInTime()).includes('canary'), text(live.events));
  }),
  check('fph2-r4qg-9576', 'CVE-2026-33421', 'pointer permissions are not enforced', async (t, connect) => {
    const name = t.name('Live');
    const [owner, other] = [await t.signUp(), await t.signUp()];
    await t.makeClass(name, { owner: { type: 'Pointer', targetClass: '_User' }, secret: { type: 'String' } },
      { ...open, find: {}, get: {}, readUserFields: ['owner'] });
    const lives = [await connect(owner.token), await connect(other.token)];
    for (const live of lives) await live.follow(name);
    await t.make(name, { secret: 'canary', owner: pointer('_User', owner.id) });
    await lives[1].toldInTime();
    t.must(!text(lives[1].events).includes('canary'), 'told to somebody else');
    t.needs(text(lives[0].events).includes('canary'), 'the owner is not told');
  }),
  check('5hmj-jcgp-6hff', undefined, 'a trigger of the app shows what is protected', async (t, connect) => {
    if (!t.helper) t.na('the runner did not start the server');
    const name = t.name('Live');
    await t.makeClass(name, { secret: { type: 'String' }, mark: { type: 'Boolean' } }, { ...open, protectedFields: { '*': ['secret'] } });
    t.helper.hook = () => ({ success: {} });
    const hooked = await t.post('/hooks/triggers', { triggerName: 'afterEvent', className: name, url: `${t.helper.url}/hook/${name}` }, { as: 'master' });
    if (hooked.status !== 200) t.na(`web hooks are not available: ${hooked.text}`);
    const live = await (await connect()).followed(name);
    await t.make(name, { secret: 'canary' });
    t.must(!text(await live.told(name)).includes('canary'), text(live.events));
  }),
  check('m983-v2ff-wq65', 'CVE-2026-34363', 'what is hidden from one subscriber is shown to another', async (t, connect) => {
    const name = t.name('Live');
    const user = await t.signUp();
    await t.makeClass(name, { a: { type: 'String' }, b: { type: 'String' }, mark: { type: 'Boolean' } },
      { ...open, protectedFields: { '*': ['a'], authenticated: ['b'] } });
    const [anyone, known] = [await (await connect()).followed(name), await (await connect(user.token)).followed(name)];
    for (let n = 0; n < 5; n += 1) await t.make(name, { a: `canary-a${n}`, b: `canary-b${n}` });
    const [first, second] = [await anyone.told(name), await known.told(name)];
    t.must(!text(first).includes('canary-a'), text(first));
    const rest = await t.get(`/classes/${name}`, { as: user.token });
    for (const field of ['canary-a', 'canary-b']) t.must(rest.text.includes(field) || !text(second).includes(field), 'told what REST protects');
  }),
  check('97pr-9hgg-3p8r', undefined, 'the event of a change of the ACL shows what may not be read any more', async (t, connect) => {
    const name = t.name('Live');
    await t.make(name, { mark: true });
    const live = await (await connect()).followed(name);
    const id = await t.make(name, { secret: 'old' });
    await t.put(`/classes/${name}/${id}`, { secret: 'canary', ACL: {} }, { as: 'master' });
    t.must(!text(await live.told(name)).includes('canary'), text(live.events));
  }),
  check('9jpp-xhh6-75mf', undefined, 'roles and the token of the connection do not count', async (t, connect) => {
    const name = t.name('Live');
    const user = await t.signUp();
    const role = t.name('role');
    const made = await t.post('/roles', { name: role, ACL: {}, users: { __op: 'AddRelation', objects: [pointer('_User', user.id)] } }, { as: 'master' });
    t.needs(made.status === 201, made.text);
    await t.makeClass(name, { secret: { type: 'String' }, mark: { type: 'Boolean' } }, { ...open, protectedFields: { '*': [], [`role:${role}`]: ['secret'] } });
    const live = await (await connect(user.token)).followed(name);
    const id = await t.make(name, { ACL: { [`role:${role}`]: { read: true } } });
    t.must((await live.told(name)).some(({ object }) => object.objectId === id), 'a member of the role is not told');
    // Protected from everybody and from the role is protected.
    const closed = t.name('Live');
    await t.makeClass(closed, { secret: { type: 'String' }, mark: { type: 'Boolean' } }, { ...open, protectedFields: { '*': ['secret'], [`role:${role}`]: ['secret'] } });
    const second = await (await connect(user.token)).followed(closed);
    await t.make(closed, { secret: 'canary' });
    t.must(!text(await second.told(closed)).includes('canary'), text(second.events));
  }),
  check('j7mm-f4rv-6q6q', undefined, 'a condition on a protected field tells its value', async (t, connect) => {
    const name = t.name('Live');
    await t.makeClass(name, { secret: { type: 'String' } }, { ...open, protectedFields: { '*': ['secret'] } });
    for (const where of [{ secret: 'canary' }, { secret: { $regex: '^c' } }, { $or: [{ secret: 'canary' }, { a: 1 }] }, { $nor: [{ secret: { $ne: 'canary' } }] }]) {
      const live = await connect();
      await live.follow(name, where);
      const id = await t.make(name, { secret: 'canary' });
      await live.toldInTime();
      t.must(!live.events.some(({ object }) => object.objectId === id), text(where));
      live.close();
    }
  }),
  check('qpc3-fg4j-8hgm', undefined, 'watching a protected field tells when it changes', async (t, connect) => {
    const name = t.name('Live');
    await t.makeClass(name, { secret: { type: 'String' }, other: { type: 'Number' } }, { ...open, protectedFields: { '*': ['secret'] } });
    const id = await t.make(name, { secret: 'a', other: 1 });
    const live = await connect();
    await live.follow(name, {}, {}, { watch: ['secret'] });
    await t.put(`/classes/${name}/${id}`, { secret: 'b' }, { as: 'master' });
    t.must((await live.toldInTime()).length === 0, text(live.events));
  }),
  check('mmg8-87c5-jrc2', 'CVE-2026-34595', 'an object that looks like a list gets past the checks of a condition', async (t, connect) => {
    const name = t.name('Live');
    await t.makeClass(name, { secret: { type: 'String' } }, { ...open, protectedFields: { '*': ['secret'] } });
    const live = await connect();
    const answer = await live.follow(name, { $or: { 0: { secret: 'canary' }, length: 1 } });
    t.must(answer?.op === 'error', text(answer));
    await t.make(name, { secret: 'canary' });
    t.must((await live.toldInTime()).length === 0, text(live.events));
  }),
  check('6qh5-m6g3-xhq6', undefined, 'the limit on the depth of conditions does not apply', async (t, connect) => {
    const name = t.name('Live');
    let where = { a: 1 };
    for (let depth = 0; depth < 20; depth += 1) where = { $or: [where, { b: depth }] };
    const answer = await (await connect()).follow(name, where);
    t.must(answer?.op === 'error', text(answer));
  }),
  check('827p-g5x5-h86c', undefined, 'a pattern that is none ends the server', async (t, connect) => {
    const name = t.name('Live');
    for (const pattern of ['(', '[', '*', '(?<', '\\']) {
      const live = await connect();
      await live.follow(name, { a: { $regex: pattern } });
      await t.make(name, { a: 'x' });
    }
    t.must(await t.alive(), 'the server is gone');
  }),
  check('mf3j-86qx-cq5j', undefined, 'a pattern of a subscriber keeps the server busy', async (t, connect) => {
    const name = t.name('Live');
    for (let n = 0; n < 5; n += 1) await (await connect()).follow(name, { a: { $regex: `^(a+)+${n}$` } });
    for (let n = 0; n < 5; n += 1) await t.make(name, { a: `${'a'.repeat(5000)}!` });
    const started = Date.now();
    t.must((await t.get('/health', { timeout: 15_000 })).status === 200, 'the server does not answer');
    t.must(Date.now() - started < 10_000, 'the server is busy');
  }),
];
