// Fills a server through its API, every server alike, and returns the lists that requests draw from.

/** Amounts of data; `small` is for the smoke test. */
export const sizes = {
  full: { groups: 1000, documents: 50, counters: 1000, users: 50, authors: 100 },
  small: { groups: 40, documents: 4, counters: 20, users: 3, authors: 10 },
};

export const SMALL_FILE = 100 << 10;
export const LARGE_FILE = 20 << 20;
export const PASSWORD = 'correct horse battery';
export const PER_GROUP = 10;
const BATCH = 50;

/** Does `work` for all of these, a few at a time; results in order. */
export async function pooled(entries, work, width = 4) {
  const results = new Array(entries.length);
  let next = 0;
  const worker = async () => {
    while (next < entries.length) {
      const index = next++;
      results[index] = await work(entries[index], index);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

/** Creates these objects in batches; returns their ids. */
export async function createAll(server, className, objects) {
  const parts = [];
  for (let at = 0; at < objects.length; at += BATCH) parts.push(objects.slice(at, at + BATCH));
  const answers = await pooled(parts, async part => {
    const requests = part.map(body => ({ method: 'POST', path: `${server.options.mountPath}/classes/${className}`, body }));
    const results = await server.must('POST', '/batch', { requests });
    return results.map(({ success, error }) => success?.objectId ?? Promise.reject(new Error(JSON.stringify(error))));
  });
  return Promise.all(answers.flat());
}

const pointer = (className, objectId) => ({ __type: 'Pointer', className, objectId });

/** An object such as applications keep: some 600 bytes of JSON. */
export function item(n, author) {
  return {
    title: `Item ${n}`,
    body: `${n} `.padEnd(120, 'lorem ipsum dolor sit amet '),
    score: n,
    group: `g${Math.floor(n / PER_GROUP)}`,
    active: n % 2 === 0,
    tags: ['red', 'green', 'blue'],
    rating: 4.5,
    when: { __type: 'Date', iso: '2026-01-02T03:04:05.678Z' },
    author: pointer('Author', author),
  };
}

const itemFields = {
  title: { type: 'String' },
  body: { type: 'String' },
  score: { type: 'Number' },
  group: { type: 'String' },
  active: { type: 'Boolean' },
  tags: { type: 'Array' },
  rating: { type: 'Number' },
  when: { type: 'Date' },
  author: { type: 'Pointer', targetClass: 'Author' },
};

async function schemas(server) {
  const create = (className, fields) => server.must('POST', `/schemas/${className}`, { className, fields });
  await create('Author', { name: { type: 'String' }, country: { type: 'String' } });
  await create('Item', itemFields);
  await create('Created', itemFields);
  await create('Counter', { n: { type: 'Number' } });
  await create('Document', { title: { type: 'String' }, group: { type: 'String' } });
  // the indexes that whoever queries these fields would make
  await server.must('PUT', '/schemas/Item', { className: 'Item', indexes: { group_1: { group: 1 }, score_1: { score: 1 } } });
  await server.must('PUT', '/schemas/Document', { className: 'Document', indexes: { group_1: { group: 1 } } });
}

async function signUpAll(server, count) {
  return pooled(Array.from({ length: count }), async (_, index) => {
    const username = `member-${index}`;
    const { objectId, sessionToken } = await server.must('POST', '/users', { username, password: PASSWORD, country: 'CH' }, { master: false });
    return { id: objectId, token: sessionToken, username };
  });
}

/** Uploads a file of so many bytes; returns the name under which it is stored. */
export async function upload(server, name, length, headers = {}) {
  const request = { master: true, data: Buffer.alloc(length, 'x'), headers: { 'Content-Type': 'application/octet-stream', ...headers }, timeout: 120_000 };
  const answer = await server.request('POST', `/files/${name}`, request);
  if (answer.status !== 201) throw new Error(`${server.which}: upload: ${answer.status} ${answer.text.slice(0, 500)}`);
  return answer.body.name;
}

export async function addRole(server, name, userIds) {
  const users = { __op: 'AddRelation', objects: userIds.map(id => pointer('_User', id)) };
  return server.must('POST', '/roles', { name, ACL: { '*': { read: true } }, ...(userIds.length ? { users } : {}) });
}

/** Seeds an empty server. */
export async function seed(server, { groups, documents, counters, users: userCount, authors: authorCount }) {
  await schemas(server);
  const authors = await createAll(server, 'Author', Array.from({ length: authorCount }, (_, n) => ({ name: `Author ${n}`, country: 'CH' })));
  const total = groups * PER_GROUP;
  const items = await createAll(server, 'Item', Array.from({ length: total }, (_, n) => item(n, authors[n % authors.length])));
  const counterIds = await createAll(server, 'Counter', Array.from({ length: counters }, () => ({ n: 0 })));
  const users = await signUpAll(server, userCount);
  const roles = ['editors', 'reviewers', 'authors'];
  for (const role of roles) await addRole(server, role, users.map(user => user.id));
  await addRole(server, 'strangers', []);
  // of the 20 documents of a group, 10 are for roles of the users
  const texts = Array.from({ length: documents * 20 }, (_, n) => {
    const role = n % 2 ? 'strangers' : roles[n % roles.length];
    return { title: `Document ${n}`, group: `d${Math.floor(n / 20)}`, ACL: { [`role:${role}`]: { read: true } } };
  });
  await createAll(server, 'Document', texts);
  const [small, large] = [await upload(server, 'small.bin', SMALL_FILE), await upload(server, 'large.bin', LARGE_FILE)];
  return {
    apps: [{ id: server.options.appId }],
    files: [{ small, large }],
    items: items.map((id, n) => ({ id, title: `Item ${n}` })),
    groups: Array.from({ length: groups }, (_, n) => ({ name: `g${n}` })),
    // 100 rows lie above each
    scores: Array.from({ length: total - 100 }, (_, n) => ({ from: String(n), title: `Item ${n}` })),
    documents: Array.from({ length: documents }, (_, n) => ({ group: `d${n}` })),
    counters: counterIds.map(id => ({ id })),
    authors: authors.map(id => ({ id })),
    users,
    readers: ['*', users[0].id, ...roles.map(role => `role:${role}`)].map(name => ({ name })),
  };
}
