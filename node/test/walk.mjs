// What a client does with an app, and what is compared of the answers.

/** Sends requests to a program, and keeps what was answered in a form that does not depend on ids and times. */
export class Walk {
  constructor(program, mount = '/parse', options = {}) {
    this.program = program;
    this.mount = mount;
    this.options = options;
    this.answers = [];
    this.names = new Map();
  }

  /** A walk below another path, for another app, whose answers go to the same list. */
  at(mount, options) {
    return Object.assign(new Walk(this.program, mount, options), { answers: this.answers, names: this.names });
  }

  async request(method, where, options = {}) {
    const answer = await this.program.request(method, this.mount + where, { ...this.options, ...options });
    this.#keep(`${method} ${this.mount}${where}`, answer);
    return answer;
  }

  /** A request whose answer is not Parse's. */
  async own(method, where, options = {}) {
    const answer = await this.program.request(method, where, { app: null, ...options });
    this.#keep(`${method} ${where}`, answer);
    return answer;
  }

  /** Something that is compared beside the answers. */
  note(name, value) {
    this.answers.push({ name, body: this.#plain(value) });
  }

  #keep(name, { status, headers, body, text }) {
    // The ids in it are known from here on.
    const plain = body === undefined ? this.#text(text) : this.#plain(body);
    const kept = { name: this.#text(name), status, body: plain };
    if (headers.location) kept.location = this.#text(headers.location);
    if (headers['x-mine']) kept.mine = headers['x-mine'];
    this.answers.push(kept);
  }

  #plain(value, key) {
    if (Array.isArray(value)) return value.map(inner => this.#plain(inner));
    if (value !== null && typeof value === 'object') {
      // Ids are keys, too, in permissions.
      const members = Object.keys(value).map(name => [this.#text(name), this.#plain(value[name], name)]);
      return Object.fromEntries(members.sort(([one], [other]) => (one < other ? -1 : 1)));
    }
    if (typeof value !== 'string') return value;
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return '<time>';
    if (/^r:[0-9a-f]{32}$/.test(value)) return '<token>';
    if (key === 'username' && /^[A-Za-z0-9]{25}$/.test(value)) return '<name>';
    if (['objectId', 'id', 'jobId'].includes(key)) this.#learn(value);
    return this.#text(value);
  }

  #learn(id) {
    if (id.length >= 8 && !this.names.has(id)) this.names.set(id, `<id ${this.names.size + 1}>`);
  }

  #text(text) {
    let plain = text.replaceAll(String(this.program.port), '<port>');
    for (const [id, name] of this.names) plain = plain.replaceAll(id, name);
    return plain.replace(/[0-9a-f]{32}_/g, '<random>_');
  }
}

/** Objects, users, sessions, permissions, batches, errors. `schemas`: also what the master key sees of classes. */
export async function everyday(walk, { schemas = true } = {}) {
  const made = await walk.request('POST', '/classes/GameScore', { body: { score: 1337, player: 'Ann', tags: ['a', 'b'] } });
  const id = made.body.objectId;
  await walk.request('GET', `/classes/GameScore/${id}`);
  await walk.request('PUT', `/classes/GameScore/${id}`, { body: { score: { __op: 'Increment', amount: 3 }, tags: { __op: 'AddUnique', objects: ['c'] } } });
  await walk.request('GET', `/classes/GameScore?where=${encodeURIComponent('{"score":{"$gt":1338}}')}&count=1&keys=score,tags`);
  await walk.request('POST', '/classes/GameScore', { body: { score: 'text' } });
  await walk.request('GET', '/classes/GameScore/unknown123');
  await walk.request('POST', '/batch', {
    body: {
      requests: [
        { method: 'POST', path: `${walk.mount}/classes/GameScore`, body: { score: 1 } },
        { method: 'PUT', path: `${walk.mount}/classes/GameScore/${id}`, body: { score: 2 } },
        { method: 'DELETE', path: `${walk.mount}/classes/GameScore/unknown123` },
      ],
    },
  });
  const ann = await walk.request('POST', '/users', { body: { username: 'ann', password: 'correct horse', email: 'ann@example.com' } });
  const session = ann.body.sessionToken;
  await walk.request('GET', '/users/me', { session });
  await walk.request('POST', '/users', { body: { username: 'ann', password: 'x' } });
  await walk.request('POST', '/login', { body: { username: 'ann', password: 'wrong' } });
  await walk.request('GET', '/login?username=ann&password=correct%20horse');
  const acl = { [ann.body.objectId]: { read: true, write: true } };
  const mine = await walk.request('POST', '/classes/Secret', { session, body: { text: 'mine', ACL: acl } });
  await walk.request('GET', `/classes/Secret/${mine.body.objectId}`);
  await walk.request('GET', `/classes/Secret/${mine.body.objectId}`, { session });
  await walk.request('GET', '/classes/Secret', { master: true });
  if (schemas) await walk.request('GET', '/schemas/Secret', { master: true });
  await walk.request('GET', '/schemas/Secret');
  await walk.request('DELETE', `/classes/GameScore/${id}`);
  await walk.request('GET', '/users/me', { session: 'r:00000000000000000000000000000000' });
  await walk.request('GET', '/classes/GameScore', { app: null });
  await walk.request('GET', '/classes/GameScore', { app: 'other' });
  await walk.request('POST', '/logout', { session, body: {} });
  await walk.request('GET', '/users/me', { session });
  await walk.request('GET', '/health', { app: null });
}
