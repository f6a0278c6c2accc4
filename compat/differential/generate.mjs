// Random requests from a seed, the same for every server: REST and GraphQL, on classes, users, roles and schemas. About one in eight
// is wrong in some way. Ids are chosen here (`allowCustomObjectId`), so that one request means the same everywhere.

/** Random numbers from a seed (mulberry32). */
export class Random {
  #state;
  constructor(seed) {
    this.#state = seed >>> 0;
  }
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(most) {
    return Math.floor(this.next() * most);
  }
  chance(probability) {
    return this.next() < probability;
  }
  pick(list) {
    return list[this.below(list.length)];
  }
  some(list, most = 3) {
    return Array.from({ length: 1 + this.below(most) }, () => this.pick(list));
  }
  /** One of `{weight: make}` pairs, given as a list of `[weight, make]`. */
  weighed(choices) {
    let rest = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, make] of choices) if ((rest -= weight) < 0) return make();
    return choices[0][1]();
  }
}

const FIELDS = { n: 'Number', s: 'String', b: 'Boolean', d: 'Date', a: 'Array', o: 'Object', p: 'Pointer', g: 'GeoPoint', y: 'Bytes', r: 'Relation' };
const NAMES = Object.keys(FIELDS);
const date = iso => ({ __type: 'Date', iso });
const DATES = ['2020-01-02T03:04:05.678Z', '2020-02-29', '1969-12-31T23:59:59.999Z', '2021-06-01T00:00:00+02:00', '2020/03/04', '2020'];
const TEXTS = ['', 'a', 'A', 'abc', 'ab.c', 'ä', '日本', '$x', '10', 'true', ' a ', 'a\nb', '0'];
const NUMBERS = [0, 1, -1, 2, 3, 0.5, 1e21, -7.25, 100, 2147483648];

/** Makes the requests of one world: a set of classes that no other world uses. */
export class Generator {
  constructor(seed, world) {
    this.random = new Random(seed);
    this.class = `Gen${world}`;
    this.other = `Tgt${world}`;
    this.world = world;
    this.users = [0, 1, 2].map(number => ({ id: `user${world}x${number}`, username: `u${world}x${number}` }));
    this.ids = Array.from({ length: 12 }, (_, number) => `row${world}x${number}`);
    this.targets = [0, 1, 2].map(number => `tgt${world}x${number}`);
  }

  /** Requests that bring the world into being. */
  setUp() {
    const fields = Object.fromEntries(NAMES.map(name => [name, { type: FIELDS[name], ...(['p', 'r'].includes(name) ? { targetClass: this.other } : {}) }]));
    return [
      { method: 'POST', path: `/schemas/${this.other}`, as: 'master', json: { className: this.other, fields: { s: { type: 'String' }, n: { type: 'Number' } } } },
      { method: 'POST', path: `/schemas/${this.class}`, as: 'master', json: { className: this.class, fields } },
      ...this.users.map(({ id, username }) => ({ method: 'POST', path: '/users', as: 'nobody', json: { objectId: id, username, password: 'pw' }, keep: id })),
      ...this.targets.map((objectId, n) => ({ method: 'POST', path: `/classes/${this.other}`, as: 'master', json: { objectId, s: TEXTS[n + 1], n } })),
    ];
  }

  pointer(className = this.other, ids = this.targets) {
    return { __type: 'Pointer', className, objectId: this.random.pick(ids) };
  }

  scalar() {
    const { random } = this;
    return random.weighed([
      [3, () => random.pick(TEXTS)],
      [3, () => random.pick(NUMBERS)],
      [1, () => random.chance(0.5)],
      [1, () => null],
      [1, () => date(random.pick(DATES))],
    ]);
  }

  value(type, depth = 0) {
    const { random } = this;
    switch (type) {
      case 'Number': return random.pick(NUMBERS);
      case 'String': return random.pick(TEXTS);
      case 'Boolean': return random.chance(0.5);
      case 'Date': return date(random.pick(DATES));
      case 'Array': return Array.from({ length: random.below(4) }, () => (depth < 2 && random.chance(0.3) ? this.value(random.pick(['Array', 'Object', 'Pointer', 'Date']), depth + 1) : this.scalar()));
      case 'Object': return Object.fromEntries(Array.from({ length: random.below(3) }, () => [random.pick(['x', 'y', 'z']), depth < 2 && random.chance(0.3) ? this.value(random.pick(['Array', 'Object', 'Date']), depth + 1) : this.scalar()]));
      case 'Pointer': return this.pointer();
      case 'GeoPoint': return { __type: 'GeoPoint', latitude: random.pick([0, 1, -45.5, 89]), longitude: random.pick([0, 10, -120, 179]) };
      case 'Bytes': return { __type: 'Bytes', base64: random.pick(['AAEC', 'aGVsbG8=', 'a-_b', 'aGVs bG8=', '/+8=']) };
      default: return { __op: random.pick(['AddRelation', 'RemoveRelation']), objects: [this.pointer()] };
    }
  }

  /** A value that belongs to the field, mostly. */
  fieldValue(name) {
    const { random } = this;
    if (random.chance(0.04)) return null;
    return this.value(random.chance(0.05) ? FIELDS[random.pick(NAMES)] : FIELDS[name]);
  }

  operation(name) {
    const { random } = this;
    const objects = () => Array.from({ length: random.below(3) }, () => this.scalar());
    return random.weighed([
      [4, () => this.fieldValue(name)],
      [2, () => ({ __op: 'Increment', amount: random.pick([1, -2, 0.5]) })],
      [1, () => ({ __op: 'Add', objects: objects() })],
      [1, () => ({ __op: 'AddUnique', objects: objects() })],
      [1, () => ({ __op: 'Remove', objects: objects() })],
      [1, () => ({ __op: 'Delete' })],
      [0.1, () => ({ __op: 'Nothing' })],
    ]);
  }

  acl() {
    const { random } = this;
    return random.weighed([
      [3, () => ({ '*': { read: true, write: true } })],
      [2, () => ({ '*': { read: true } })],
      [2, () => ({ [random.pick(this.users).id]: { read: true, write: true } })],
      [1, () => ({})],
    ]);
  }

  body(make) {
    const body = {};
    for (const name of this.random.some(NAMES, 4)) body[name] = make(name);
    if (this.random.chance(0.15)) body.ACL = this.acl();
    return body;
  }

  update() {
    const { random } = this;
    const fits = { n: ['Increment'], a: ['Add', 'AddUnique', 'Remove'] };
    const body = this.body(name => {
      const operation = this.operation(name);
      const op = operation?.__op;
      return op && op !== 'Delete' && op !== 'Nothing' && !op.endsWith('Relation') && !fits[name]?.includes(op) && random.chance(0.9) ? this.fieldValue(name) : operation;
    });
    if (!('o' in body) && random.chance(0.2)) body[random.pick(['o.x', 'o.y', 'o.x.z'])] = random.chance(0.3) ? { __op: 'Delete' } : random.pick([...TEXTS, ...NUMBERS]);
    return body;
  }

  condition(name) {
    const { random } = this;
    const type = FIELDS[name];
    const value = () => this.value(type === 'Relation' ? 'Pointer' : type);
    const list = () => Array.from({ length: random.below(4) }, () => (type === 'Array' ? this.scalar() : value()));
    const ordered = ['Number', 'String', 'Date'].includes(type);
    return random.weighed([
      [3, () => (type === 'Array' ? this.scalar() : value())],
      [ordered ? 4 : 0.2, () => ({ [random.pick(['$gt', '$gte', '$lt', '$lte'])]: value(), ...(random.chance(0.3) ? { [random.pick(['$lt', '$lte'])]: value() } : {}) })],
      [2, () => ({ $ne: type === 'Array' ? this.scalar() : value() })],
      [2, () => ({ [random.pick(['$in', '$nin'])]: list() })],
      [2, () => ({ $exists: random.chance(0.5) })],
      [type === 'Array' ? 3 : 0.1, () => ({ $all: list() })],
      [type === 'String' ? 2 : 0.05, () => ({ $regex: random.pick(['^a', 'b$', '.', 'A', '^$', 'ä']), ...(random.chance(0.4) ? { $options: random.pick(['i', 'm', 'x', 's', 'im']) } : {}) })],
      [type === 'GeoPoint' ? 3 : 0.05, () => ({ $geoWithin: { $centerSphere: [[random.pick([0, 10]), random.pick([0, 1])], random.pick([0.1, 1, 4])] } })],
      [type === 'Pointer' ? 2 : 0.1, () => ({ [random.pick(['$inQuery', '$notInQuery'])]: { className: this.other, where: { n: { $gte: random.below(3) } } } })],
      [type === 'String' ? 1 : 0.1, () => ({ $select: { query: { className: this.other, where: {} }, key: 's' } })],
      [0.1, () => ({ [random.pick(['$foo', '$size', '$where'])]: 1 })],
    ]);
  }

  where(depth = 0) {
    const { random } = this;
    const where = {};
    for (const name of random.some(NAMES, 2)) where[name] = this.condition(name);
    if (depth < 2 && random.chance(0.15)) where[random.pick(['$or', '$and', '$nor'])] = Array.from({ length: random.chance(0.05) ? 0 : 1 + random.below(2) }, () => this.where(depth + 1));
    if (random.chance(0.1)) where[random.pick(['o.x', 'o.y', 'a.0', 'o.x.z'])] = random.chance(0.6) ? this.scalar() : { $exists: random.chance(0.5) };
    if (random.chance(0.05)) where.objectId = random.chance(0.5) ? random.pick(this.ids) : { $in: random.some(this.ids) };
    if (random.chance(0.01)) where[random.pick(['', 'a b', '_hashed_password', '$x', 'undefinedField'])] = 1;
    return where;
  }

  caller() {
    const { random } = this;
    return random.weighed([
      [4, () => 'nobody'],
      [4, () => random.pick(this.users).id],
      [3, () => 'master'],
    ]);
  }

  query() {
    const { random } = this;
    const query = {};
    if (random.chance(0.85)) query.where = this.where();
    // With equal keys the order is the store's own; the id at the end makes it the same.
    if (random.chance(0.6)) query.order = [...random.some(['n', '-n', 's', '-s', 'd', '-d', 'b', 'createdAt'].slice(0, 7), 2), 'objectId'].join(',');
    if (query.order && random.chance(0.4)) query.limit = random.pick([0, 1, 2, 5, 1000]);
    if (query.order && random.chance(0.2)) query.skip = random.pick([0, 1, 3, 100]);
    if (random.chance(0.2)) query.count = 1;
    if (random.chance(0.2)) query.keys = random.some([...NAMES, 'o.x', 'p.s', 'zz'], 3).join(',');
    if (random.chance(0.1)) query.excludeKeys = random.some([...NAMES, 'o.x'], 2).join(',');
    if (random.chance(0.25)) query.include = random.pick(['p', 'a', 'p,a', '*', 'o.x', 'zz', 'r']);
    if (random.chance(0.02)) query[random.pick(['limit', 'skip'])] = random.pick(['x', -1, '']);
    if (random.chance(0.02)) query[random.pick(['foo', 'redirectClassNameForKey', 'explain', 'hint'])] = 'x';
    return query;
  }

  row() {
    return `/classes/${this.class}/${this.random.chance(0.03) ? 'missing' : this.random.pick(this.ids)}`;
  }

  create() {
    const { random } = this;
    const json = this.body(name => this.fieldValue(name));
    json.objectId = random.chance(0.98) ? random.pick(this.ids) : 5;
    return { method: 'POST', path: `/classes/${this.class}`, json };
  }

  plain() {
    const { random } = this;
    return random.weighed([
      [22, () => this.create()],
      [18, () => ({ method: 'PUT', path: this.row(), json: this.update() })],
      [8, () => ({ method: 'GET', path: this.row(), query: random.chance(0.5) ? pickKeys(this.query(), ['keys', 'include', 'excludeKeys']) : {} })],
      [4, () => ({ method: 'DELETE', path: this.row() })],
    ]);
  }

  /** One REST request: `{method, path, as, json?, query?}`. */
  rest() {
    const { random, users, world } = this;
    const as = this.caller();
    const request = random.weighed([
      [46, () => this.plain()],
      [34, () => ({ method: 'GET', path: `/classes/${this.class}`, query: this.query() })],
      [3, () => ({ method: 'GET', path: `/classes/${this.other}`, query: { where: { $relatedTo: { object: { __type: 'Pointer', className: this.class, objectId: random.pick(this.ids) }, key: random.pick(['r', 'r', 'n']) } }, order: 'objectId' } })],
      [4, () => this.batch()],
      [3, () => ({ method: 'POST', path: '/login', json: { username: random.pick(users).username, password: random.pick(['pw', 'pw', 'no', '', 5]) } })],
      [2, () => ({ method: 'GET', path: random.pick(['/users/me', `/users/${random.pick(users).id}`, '/sessions/me', '/config', '/schemas', `/schemas/${this.other}`].slice(0, 4)) })],
      [2, () => ({ method: 'PUT', path: `/users/${random.pick(users).id}`, json: random.pick([{ nick: 'x' }, { nick: null }, { username: random.pick(users).username }, { email: `e${random.below(3)}@w${world}.example` }, { password: 'pw' }, { username: { __op: 'Delete' } }, { ACL: this.acl() }, {}]) })],
      [2, () => ({ method: 'POST', path: '/users', json: random.pick([{ username: random.pick(users).username, password: 'pw' }, { username: 'x' }, { password: 'x' }, {}, { username: 5, password: 'x' }, { authData: {} }, { authData: { nothing: { id: '1' } } }]) })],
      [3, () => ({ method: 'GET', path: `/aggregate/${this.class}`, query: { pipeline: this.pipeline() } })],
      [2, () => this.schemaChange()],
      [1, () => this.oddity()],
    ]);
    return { as, ...request };
  }

  batch() {
    const requests = Array.from({ length: 1 + this.random.below(3) }, () => {
      const { method, path, json } = this.plain();
      return { method, path: `/parse${path}`, ...(json ? { body: json } : {}) };
    });
    // Parts that touch one row would race on the reference.
    const seen = new Set();
    const row = ({ method, path, body }) => (method === 'POST' ? body.objectId : path.split('/').pop());
    return { method: 'POST', path: '/batch', json: { requests: requests.filter(part => !seen.has(row(part)) && seen.add(row(part))) } };
  }

  pipeline() {
    const { random } = this;
    const group = { $group: { _id: random.pick(['$s', '$b', '$n', null]), total: random.pick([{ $sum: '$n' }, { $sum: 1 }, { $max: '$n' }, { $min: '$s' }]) } };
    const stages = [];
    if (random.chance(0.5)) stages.push({ $match: { n: { $gte: random.pick(NUMBERS) } } });
    stages.push(random.chance(0.7) ? group : { $project: { n: 1, s: 1, objectId: 1 } });
    if (random.chance(0.1)) stages.push({ $nothing: 1 });
    return stages;
  }

  schemaChange() {
    const { random } = this;
    const path = `/schemas/${this.other}`;
    return random.weighed([
      [3, () => ({ method: 'GET', path, as: 'master' })],
      [1, () => ({ method: 'PUT', path, as: 'master', json: { className: this.other, fields: { [`f${random.below(4)}`]: { type: random.pick(['String', 'Number', 'Wrong', 'Pointer']) } } } })],
      [1, () => ({ method: 'PUT', path, as: 'master', json: { className: this.other, fields: { [`f${random.below(4)}`]: { __op: 'Delete' } } } })],
      [1, () => ({ method: 'GET', path: `/schemas/${random.pick(['Missing', '_Bad', 'a b'])}`, as: 'master' })],
      [1, () => ({ method: 'GET', path, as: 'nobody' })],
    ]);
  }

  oddity() {
    const { random } = this;
    return random.pick([
      { method: 'PUT', path: this.row(), json: [] },
      { method: 'PUT', path: this.row(), json: { objectId: 'other' } },
      { method: 'POST', path: '/classes/_Bad', json: {} },
      { method: 'GET', path: '/classes/a%20b' },
      { method: 'GET', path: `/classes/${this.class}?where=%7B` },
      { method: 'POST', path: '/batch', json: { requests: {} } },
      { method: 'POST', path: '/batch', json: { requests: [{ method: 'GET', path: '/other' }] } },
      { method: 'POST', path: '/functions/none', json: {} },
      { method: 'POST', path: '/logout', json: {} },
      { method: 'POST', path: '/requestPasswordReset', json: { email: 5 } },
    ]);
  }

  /** One GraphQL request: `{as, graphql}`; `graphql` is the body. */
  graphql() {
    const { random } = this;
    const one = this.class[0].toLowerCase() + this.class.slice(1);
    const many = `${one}s`;
    const fields = '{ objectId n s b d a { ... on Element { value } } p { objectId s } g { latitude longitude } ACL { public { read write } } }';
    const query = (text, variables) => ({ as: this.caller(), graphql: { query: text, ...(variables ? { variables } : {}) } });
    const id = random.pick(this.ids);
    const input = () => {
      const made = {};
      for (const name of random.some(['n', 's', 'b', 'd', 'a', 'o'], 3)) {
        made[name] = { n: () => random.pick(NUMBERS), s: () => random.pick(TEXTS), b: () => random.chance(0.5), d: () => random.pick(DATES), a: () => Array.from({ length: random.below(3) }, () => this.scalar()), o: () => ({ x: random.pick(TEXTS) }) }[name]();
        if (random.chance(0.04)) made[name] = random.pick([null, {}, 'x', 1]);
      }
      return made;
    };
    const compare = name => {
      const value = { n: () => random.pick(NUMBERS), s: () => random.pick(TEXTS), b: () => random.chance(0.5), d: () => random.pick(DATES) }[name]();
      return random.weighed([
        [3, () => ({ equalTo: value })],
        [2, () => ({ [random.pick(['greaterThan', 'lessThanOrEqualTo', 'notEqualTo'])]: value })],
        [1, () => ({ [random.pick(['in', 'notIn'])]: [value] })],
        [1, () => ({ exists: random.chance(0.5) })],
        [name === 's' ? 1 : 0, () => ({ matchesRegex: '^a', ...(random.chance(0.5) ? { options: 'i' } : {}) })],
        [0.1, () => ({ foo: value })],
      ]);
    };
    const where = () => {
      const made = {};
      for (const name of random.some(['n', 's', 'b', 'd'], 2)) made[name] = compare(name);
      if (random.chance(0.15)) made[random.pick(['OR', 'AND', 'NOR'])] = [{ n: compare('n') }, { s: compare('s') }];
      if (random.chance(0.1)) made.p = { have: { n: compare('n') } };
      return made;
    };
    const type = this.class;
    return random.weighed([
      [34, () => query(`query($w: ${type}WhereInput${random.chance(0.05) ? '!' : ''}) { ${many}(where: $w, order: [${random.pick(['n_ASC', 's_DESC', 'd_ASC'])}, objectId_ASC]${random.chance(0.3) ? `, first: ${random.below(4)}` : ''}${random.chance(0.2) ? `, skip: ${random.below(3)}` : ''}) { ${random.chance(0.6) ? 'count ' : ''}edges { node ${fields} } } }`, { w: where() })],
      [16, () => query(`{ ${one}(id: "${id}") ${fields} }`)],
      [14, () => query(`mutation($f: Update${type}FieldsInput) { update${type}(input: {id: "${id}", fields: $f}) { ${one} ${fields} } }`, { f: input() })],
      [4, () => query(`mutation { delete${type}(input: {id: "${id}"}) { ${one} { objectId } } }`)],
      [6, () => query(`{ viewer { user { objectId username } } }`)],
      [4, () => query(`mutation { logIn(input: {username: "${random.pick(this.users).username}", password: "${random.pick(['pw', 'no'])}"}) { viewer { user { objectId } } } }`)],
      [4, () => query(`{ health a: health ${random.pick(['', '__typename', 'nothing', '... on Query { health }'])} }`)],
      [3, () => query(`{ class(name: "${random.pick([this.other, 'Missing'])}") { name schemaFields { name } } }`)],
      [2, () => query(random.pick(['{', '', 'query A { health } query B { health }', '{ health(x: 1) }', 'mutation { health }', 'subscription { x }', '{ ...F }', 'fragment F on Query { health }', '{ health { x } }', `{ ${one} { objectId } }`]))],
      [2, () => query(`query($x: Int!) { ${many}(first: $x) { count } }`, random.pick([{}, { x: 'a' }, { x: 1.5 }, { x: null }, { x: 2 }]))],
    ]);
  }
}

const pickKeys = (object, keys) => Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key)));
