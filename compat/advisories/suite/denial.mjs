// Section H: requests that cost far more than they are. What is asserted is that the server refuses, or goes on answering others.
const nested = (depth, inner = { a: 1 }) => {
  let where = inner;
  for (let i = 0; i < depth; i++) where = { $or: [where, where] };
  return where;
};
const deep = depth => `${'{"$and":['.repeat(depth)}{"a":1}${']}'.repeat(depth)}`;
const find = (t, name, where) => t.request('POST', `/classes/${name}`, { raw: `{"_method":"GET","where":${where}}`, headers: { 'Content-Type': 'application/json' } });
/** Health is answered within two seconds while the attack runs. */
const others = async (t, attack) => {
  let over = false;
  const attacking = attack().catch(error => ({ status: 0, text: String(error) })).finally(() => (over = true));
  let worst = 0;
  do {
    const start = Date.now();
    const health = await t.get('/health', { timeout: 15_000 }).catch(() => ({ status: 0 }));
    worst = Math.max(worst, health.status === 200 ? Date.now() - start : 15_000);
    await new Promise(resolve => setTimeout(resolve, 20));
  } while (!over && worst < 5_000);
  t.must(worst < 2_000, `others waited ${worst} ms`);
  return attacking;
};

export default [
  {
    id: '9xp9-j92r-p88v', title: 'nested conditions end the server',
    async run(t) {
      const name = t.name('Nested');
      await t.make(name, { a: 1 });
      const answer = await find(t, name, deep(4000)).catch(error => ({ status: 0, text: String(error) }));
      t.must(answer.status !== 0 && answer.status < 500, `${answer.status} ${answer.text.slice(0, 100)}`);
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: '9fjp-q3c4-6w3j', title: 'the depth of a condition is counted after work was done with it', config: 'complexity',
    async run(t) {
      const name = t.name('Depth');
      await t.make(name, { a: 1 });
      const answer = await others(t, () => find(t, name, deep(60)));
      t.must(t.refused(answer), `${answer.status} ${answer.text.slice(0, 100)}`);
    },
  },
  {
    id: 'cgxm-vr2f-6fj8', title: 'a small nested condition takes exponential time',
    async run(t) {
      const name = t.name('Exponential');
      await t.make(name, { a: 1 });
      const answer = await others(t, () => t.post(`/classes/${name}`, { _method: 'GET', where: nested(12) }));
      t.must(answer.status < 500, `${answer.status} ${answer.text.slice(0, 100)}`);
    },
  },
  {
    id: 'mfj6-6p54-m98c', cve: 'CVE-2026-34573', title: 'fragments that fan out take exponential time',
    async run(t) {
      const depth = 26;
      let document = 'query { ...F0 }';
      for (let i = 0; i < depth; i++) document += ` fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`;
      document += ` fragment F${depth} on Query { health }`;
      const answer = await others(t, () => t.gql(document));
      t.must(answer.status < 500 && answer.status !== 0, `${answer.status} ${answer.text?.slice(0, 100)}`);
    },
  },
  {
    id: '38m6-82c8-4xfm', cve: 'CVE-2026-47138', title: 'the version of the client is read with backtracking',
    async run(t) {
      for (const version of [`${'a'.repeat(7000)}`, `js${'1.'.repeat(3500)}`, `i${'-'.repeat(7000)}1`]) {
        const answer = await others(t, () => t.get('/health', { headers: { 'X-Parse-Client-Version': version } }));
        t.must(answer.status !== 0, `${version.slice(0, 12)}…: ${answer.text}`);
      }
    },
  },
  {
    id: 'cmj3-wx7h-ffvg', title: 'a query costs without bound', config: 'complexity',
    async run(t) {
      const name = t.name('Include');
      await t.make(name, { a: 1 });
      const include = Array.from({ length: 400 }, (_, i) => `a${i}.b.c.d.e`).join();
      const answer = await others(t, () => t.post(`/classes/${name}`, { _method: 'GET', include }));
      t.must(t.refused(answer), `include: ${answer.status}`);
      const batch = await t.post('/batch', { requests: Array.from({ length: 200 }, () => ({ method: 'GET', path: `/parse/classes/${name}` })) });
      t.must(t.refused(batch), `a batch of 200: ${batch.status}`);
    },
  },
  {
    id: 'no-ghsa-keys', title: 'a list of many names takes quadratic time',
    async run(t) {
      const name = t.name('Keys');
      await t.make(name, { a: 1, ACL: { '*': { read: true } } });
      const list = letter => Array.from({ length: 30_000 }, (_, i) => `${letter}${i}`).join();
      const answer = await others(t, () => t.post(`/classes/${name}`, { _method: 'GET', keys: list('k'), excludeKeys: list('e') }));
      t.must(answer.status < 500, `${answer.status}`);
    },
  },
  {
    id: 'no-ghsa-regex', title: 'a pattern of a client runs without bound',
    async run(t) {
      const name = t.name('Pattern');
      for (let i = 0; i < 5; i++) await t.make(name, { a: `${'a'.repeat(30)}!`, ACL: { '*': { read: true } } });
      const answer = await others(t, () => t.get(`/classes/${name}`, { query: { where: { a: { $regex: '^(([a-z])+.)+[A-Z]([a-z])+$' } } } }));
      t.must(answer.status !== 0, 'the server is gone');
    },
  },
];
