// Section A: what error texts, statuses and work tell about users and the database.
const same = (t, one, other, what) =>
  t.must(one.status === other.status && one.text === other.text, `${what}: ${one.status} ${one.text} against ${other.status} ${other.text}`);

export default [
  {
    id: 'w54v-hf9p-8856', title: 'asking for a verification mail tells which addresses have an account', config: 'mail',
    async run(t) {
      const user = await t.signUp({ email: `${t.name('known')}@example.com` });
      const known = await t.post('/verificationEmailRequest', { email: user.email });
      const unknown = await t.post('/verificationEmailRequest', { email: `${t.name('nobody')}@example.com` });
      same(t, { ...known, text: '' }, { ...unknown, text: '' }, 'the statuses differ');
      t.must(known.status === 200, `the answer is ${known.status} ${known.text}`);
    },
  },
  {
    id: 'h29g-q5c2-9h4f', title: 'the page that sends a verification mail again tells which users exist', config: 'mail',
    async run(t) {
      const user = await t.signUp({ email: `${t.name('known')}@example.com` });
      const page = username => t.request('POST', `/apps/${t.keys.app}/resend_verification_email`, {
        raw: new URLSearchParams({ username, token: 'x' }).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      });
      const [known, unknown] = [await page(user.username), await page(t.name('nobody'))];
      const where = answer => (answer.headers.location ?? '').replace(/[?].*/, '');
      t.must(known.status === unknown.status && where(known) === where(unknown), `${known.status} ${where(known)} against ${unknown.status} ${where(unknown)}`);
    },
  },
  {
    id: '9cp7-3q5w-j92g', cve: 'CVE-2026-30835', title: 'an invalid $regex shows an error object of the database',
    async run(t) {
      const name = t.name('Regex');
      await t.make(name, { a: 'x', ACL: { '*': { read: true } } });
      for (const pattern of ['[', '(?<', '*', '(?P<x', 'a{2,1}']) {
        const answer = await t.get(`/classes/${name}`, { query: { where: { a: { $regex: pattern } } } });
        t.must(!/topology|MongoServer|errorLabels|codeName|clusterTime|operationTime/i.test(answer.text), `${pattern}: ${answer.text}`);
      }
    },
  },
  {
    id: '7cx5-254x-cgrq', cve: 'CVE-2025-64502', title: 'anybody may ask for the plan of a query',
    async run(t) {
      const name = t.name('Plan');
      await t.make(name, { a: 1, ACL: { '*': { read: true } } });
      const answer = await t.get(`/classes/${name}`, { query: { explain: true } });
      t.must(t.refused(answer), `the answer is ${answer.status} ${answer.text.slice(0, 120)}`);
      for (const word of ['queryPlanner', 'winningPlan', 'COLLSCAN']) t.must(!answer.text.includes(word), `the plan is shown: ${word}`);
    },
  },
  {
    id: 'xqp8-w826-hh6x', cve: 'CVE-2021-39187', title: 'an invalid value of explain ends the server',
    async run(t) {
      const name = t.name('Explain');
      await t.make(name, { a: 1 });
      for (const value of ['someNonsense', '[]', '{"a":1}', '1e999']) {
        const answer = await t.get(`/classes/${name}?explain=${encodeURIComponent(value)}`, { as: 'master' }).catch(error => ({ status: 0, text: String(error) }));
        t.must(answer.status !== 0, `explain=${value}: ${answer.text}`);
      }
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: 'no-ghsa-10268', title: 'fields are checked before the permission to create, which tells the schema',
    async run(t) {
      const name = t.name('Closed');
      await t.makeClass(name, { secret: { type: 'Number' } }, { create: {}, find: {}, get: {}, update: {}, delete: {}, addField: {}, count: {} });
      const wrong = await t.post(`/classes/${name}`, { secret: 'text' });
      const right = await t.post(`/classes/${name}`, { secret: 1 });
      same(t, wrong, right, 'the refusals differ');
      t.must(t.refused(wrong), `the answer is ${wrong.status}`);
    },
  },
  {
    id: 'no-ghsa-9937', title: 'details of internal errors and permissions are shown to clients',
    async run(t) {
      for (const [method, path, body] of [['GET', '/schemas'], ['GET', '/classes/_Hooks'], ['POST', '/loginAs', { userId: 'x' }], ['GET', '/aggregate/_User']]) {
        const answer = await t.request(method, path, { body });
        t.must(t.refused(answer), `${path} gives ${answer.status}`);
        t.must(!/master key|masterKey|_Hooks/i.test(answer.text), `${path}: ${answer.text}`);
      }
    },
  },
  {
    id: 'mmpq-5hcv-hf2v', cve: 'CVE-2026-39321', title: 'no hash is compared for unknown users', measured: true,
    async run(t) {
      // a hash of cost 10 is far above everything else of a log in, so that medians of few samples show whether one is compared
      const user = await t.signUp();
      const once = async username => {
        const start = process.hrtime.bigint();
        await t.post('/login', { username, password: 'wrong' });
        return Number(process.hrtime.bigint() - start) / 1e6;
      };
      const times = { known: [], unknown: [] };
      for (let i = 0; i < 15; i++) {
        times.known.push(await once(user.username));
        times.unknown.push(await once(t.name('nobody')));
      }
      const median = list => list.sort((a, b) => a - b)[list.length >> 1];
      const [known, unknown] = [median(times.known), median(times.unknown)];
      t.needs(known > 10, `a comparison takes ${known.toFixed(1)} ms here, too short to be seen`);
      t.must(unknown > known / 3, `known ${known.toFixed(1)} ms, unknown ${unknown.toFixed(1)} ms`);
    },
  },
];
