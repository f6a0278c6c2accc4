// Section J: names of classes and fields are judged by one grammar before any store sees them; and pages (part of section I).
const HOSTILE = ['a"b', "a'b", 'a;b', 'a`b', 'a\\b', 'a$b', '$where', 'a b', 'a\u0000b', 'a)b', 'a--b', 'a/*b', 'ａ', 'a\u2028b', '"; DROP TABLE x; --', "x'); DELETE FROM y; --"];
const never500 = (t, answer, what) => t.must(answer.status < 500 && answer.status !== 0, `${what} gives ${answer.status} ${answer.text?.slice(0, 120)}`);

const ids = ['6927-3vr9-fxf2', 'c2hr-cqg6-8j6r', 'qpr4-jrj4-6f27', 'q3vj-96h2-gwvg', 'gqpp-xgvh-9h7h', 'c442-97qw-j6c6', 'p2w6-rmh7-w8q3'];
const ways = {
  '6927-3vr9-fxf2': ['a name in where', (t, name, hostile) => t.get(`/classes/${name}`, { query: { where: { [hostile]: 1 } }, as: 'master' })],
  'c2hr-cqg6-8j6r': ['a name in where with a dot', (t, name, hostile) => t.get(`/classes/${name}`, { query: { where: { [`o.${hostile}`]: 1 } }, as: 'master' })],
  'qpr4-jrj4-6f27': ['a name in order', (t, name, hostile) => t.get(`/classes/${name}`, { query: { order: `o.${hostile}` }, as: 'master' })],
  'q3vj-96h2-gwvg': ['a name in an update', (t, name, hostile) => t.post(`/classes/${name}`, { [hostile]: 1 }, { as: 'master' })],
  'gqpp-xgvh-9h7h': ['a name in distinct', (t, name, hostile) => t.get(`/aggregate/${name}`, { query: { distinct: hostile }, as: 'master' })],
  'c442-97qw-j6c6': ['a name in a stage of an aggregation', (t, name, hostile) => t.get(`/aggregate/${name}`, { query: { pipeline: [{ $sort: { [hostile]: 1 } }] }, as: 'master' })],
  'p2w6-rmh7-w8q3': ['a pattern', (t, name, hostile) => t.get(`/classes/${name}`, { query: { where: { s: { $regex: hostile, $options: 'i' } } }, as: 'master' })],
};

export default [
  ...ids.map(id => ({
    id, title: `${ways[id][0]} reaches the database unjudged`,
    async run(t) {
      const name = t.name('Grammar');
      await t.make(name, { s: 'x', o: { a: 1 }, n: 1 });
      for (const hostile of HOSTILE) never500(t, await ways[id][1](t, name, hostile).catch(error => ({ status: 0, text: String(error) })), JSON.stringify(hostile));
      const rows = await t.get(`/classes/${name}`, { as: 'master', query: { where: { n: 1 } } });
      t.must(rows.body?.results?.length === 1, `the row is gone: ${rows.text.slice(0, 150)}`);
    },
  })),
  {
    id: 'jhgf-2h8h-ggxv', title: 'the pages of reset and verification write parameters as markup', config: 'mail',
    async run(t) {
      const payload = `"><script>canary()</script><img src=x onerror=canary()>`;
      for (const path of [`/apps/${t.keys.app}/verify_email`, `/apps/${t.keys.app}/request_password_reset`, '/apps/choose_password', '/apps/invalid_link.html', '/apps/password_reset_success.html']) {
        for (const key of ['token', 'username', 'error', 'app', 'id', 'locale']) {
          const answer = await t.get(`${path}?${key}=${encodeURIComponent(payload)}`);
          t.must(!answer.text.includes('<script>canary') && !answer.text.includes('<img src=x onerror'), `${path} ${key}`);
          t.must(answer.status < 500, `${path} ${key} gives ${answer.status}`);
        }
      }
    },
  },
  {
    id: 'hm3f-q6rw-m6wh', cve: 'CVE-2026-30848', title: 'a path leads out of the folder of pages', config: 'mail',
    async run(t) {
      for (const path of ['/apps/../../package.json', '/apps/..%2f..%2fpackage.json', '/apps/%2e%2e/%2e%2e/package.json', '/apps/....//package.json', '/apps/..%5c..%5cpackage.json', '/apps/public_html/../../../etc/passwd', '/apps/x.html?locale=../../../etc/passwd%00']) {
        const answer = await t.get(path).catch(() => ({ status: 400, text: '' }));
        t.must(!/"dependencies"|root:x:/.test(answer.text), path);
        t.must(answer.status < 500, `${path} gives ${answer.status}`);
      }
    },
  },
  {
    id: 'no-ghsa-10237', title: 'a parameter writes headers', config: 'mail',
    async run(t) {
      for (const value of ['x%0d%0aX-Canary:%20yes', 'x%0aSet-Cookie:a=b', '%E5%98%8A%E5%98%8DX-Canary:yes']) {
        const answer = await t.get(`/apps/${t.keys.app}/verify_email?token=${value}&username=${value}&locale=${value}`);
        t.must(!answer.headers?.['x-canary'] && !answer.headers?.['set-cookie'], value);
        t.must(answer.status < 500, `${value} gives ${answer.status}`);
      }
    },
  },
];
