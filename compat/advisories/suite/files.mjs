// Section I: files that run in a browser, and requests for files that end the server. Needs file storage.
const page = '<html><script>canary()</script></html>';

const upload = async (t, name, data, headers = {}, as) => {
  const answer = await t.request('POST', `/files/${name}`, { raw: data, headers: { 'Content-Type': 'text/plain', ...headers }, as });
  if (answer.body?.code === 108 || answer.status === 404) t.na('the server keeps no files');
  return answer;
};
const works = async t => {
  const answer = await upload(t, 'plain.txt', 'plain text');
  t.needs(answer.status === 201, `a plain file is refused: ${answer.status} ${answer.text}`);
  return answer.body;
};
/** Whether what is served at an address may run as a page in the origin of the server. */
const runs = async (t, url) => {
  const answer = await t.request('GET', url.replace(/^https?:\/\/[^/]+/, new URL(t.url).origin), { headers: { 'X-Parse-Application-Id': null } });
  if (answer.status !== 200) return false;
  const type = (answer.headers['content-type'] ?? '').toLowerCase();
  const active = /html|svg|xml|xsl|mathml|rdf|xht|javascript|ecmascript|multipart/.test(type) || type === '';
  const safe = /attachment/i.test(answer.headers['content-disposition'] ?? '') || /sandbox/i.test(answer.headers['content-security-policy'] ?? '');
  const sniffed = !/nosniff/i.test(answer.headers['x-content-type-options'] ?? '') && !/^(text\/plain|image\/(png|jpeg))/.test(type);
  return (active || sniffed) && !safe;
};
const refusedOrHarmless = async (t, name, type, data = page) => {
  const answer = await upload(t, encodeURIComponent(name), data, type === undefined ? { 'Content-Type': '' } : { 'Content-Type': type });
  t.must(answer.status < 500, `${name} as ${type} gives ${answer.status} ${answer.text.slice(0, 120)}`);
  if (answer.status !== 201) return;
  t.must(!(await runs(t, answer.body.url)), `${name} as ${type} is served as a page`);
};
const json = (t, name, base64, type) =>
  t.post(`/files/${name}`, { base64, _ContentType: type, _ApplicationId: t.keys.app }, { headers: { 'Content-Type': 'text/plain' } });

export default [
  {
    id: '9prm-jqwx-45x9', cve: 'CVE-2023-32689', title: 'pages can be uploaded',
    async run(t) {
      await works(t);
      for (const [name, type] of [['a.html', 'text/html'], ['a.htm', 'text/html'], ['a.HTML', 'TEXT/HTML'], ['a', 'text/html']]) await refusedOrHarmless(t, name, type);
      const answer = await json(t, 'b.html', Buffer.from(page).toString('base64'), 'text/html');
      if (answer.status === 201) t.must(!(await runs(t, answer.body.url)), 'as base64');
    },
  },
  {
    id: 'v5hf-f4c3-m5rv', title: 'types like pages can be uploaded',
    async run(t) {
      await works(t);
      for (const [name, type] of [['a.xhtml', 'application/xhtml+xml'], ['a.xht', 'application/xhtml+xml'], ['a.shtml', 'text/html'], ['a.xslt', 'text/xsl'], ['a.mht', 'multipart/related'], ['a.svgz', 'image/svg+xml'], ['a.xml', 'application/xml'], ['a.rdf', 'application/rdf+xml']]) await refusedOrHarmless(t, name, type);
    },
  },
  {
    id: 'hcj7-6gxh-24ww', title: 'SVG with scripts can be uploaded',
    async run(t) {
      await works(t);
      const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>canary()</script></svg>';
      for (const [name, type] of [['a.svg', 'image/svg+xml'], ['a.SVG', 'image/svg+xml'], ['a', 'image/svg+xml']]) await refusedOrHarmless(t, name, type, svg);
    },
  },
  {
    id: '42ph-pf9q-cr72', title: 'parameters of a type hide it',
    async run(t) {
      await works(t);
      for (const [name, type] of [['a', 'text/html; charset=utf-8'], ['a', 'text/html;x=y'], ['a', 'image/svg+xml;charset=utf-8'], ['a', 'application/xml; x'], ['a', ' text/html']]) await refusedOrHarmless(t, name, type);
    },
  },
  {
    id: '7wqv-xjf3-x35v', cve: 'CVE-2026-53724', title: 'a dot at the end hides an extension',
    async run(t) {
      await works(t);
      for (const name of ['a.html.', 'a.html..', 'a.svg.', 'a.html ', 'a.html\t']) await refusedOrHarmless(t, name, 'text/html');
    },
  },
  {
    id: 'v8x7-r927-cc93', cve: 'CVE-2026-55778', title: 'an odd extension hides a page',
    async run(t) {
      await works(t);
      for (const name of ['a.ht%6dl', 'a.html%00.txt', 'a.png.html', 'a.hTmL', 'a.html;.png', 'a.html:png', 'a..html']) await refusedOrHarmless(t, name, 'text/html');
    },
  },
  {
    id: 'r899-h629-j84r', title: 'a malformed type gets past the list',
    async run(t) {
      await works(t);
      for (const type of ['text/html/', '/', 'html', 'text//html', 'text/html,image/png', 'text/html\\', 'texthtml', 'text/HTML;;', '*/*']) await refusedOrHarmless(t, 'a', type);
    },
  },
  {
    id: 'vr5f-2r24-w5hc', cve: 'CVE-2026-35200', title: 'the type is not that of the extension',
    async run(t) {
      await works(t);
      for (const [name, type] of [['a.png', 'text/html'], ['a.txt', 'text/html'], ['a.jpg', 'image/svg+xml'], ['a.pdf', 'application/xhtml+xml']]) await refusedOrHarmless(t, name, type);
    },
  },
  {
    id: '792q-q67h-w579', cve: 'CVE-2023-46119', title: 'a name without an extension ends the server',
    async run(t) {
      await works(t);
      for (const name of ['noextension', '.', '..', '.hidden', 'a.', '%20']) {
        const answer = await upload(t, name, 'x').catch(error => ({ status: 0, text: String(error) }));
        t.must(answer.status < 500 && answer.status !== 0, `${name}: ${answer.status} ${answer.text}`);
      }
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: 'xw6g-jjvf-wwf9', cve: 'CVE-2022-31089', title: 'a malformed request for a file ends the server',
    async run(t) {
      await works(t);
      for (const path of ['/files/app/%', '/files/app/%00', '/files//', '/files/app/', '/files/__proto__/x.txt', '/files/app/..%2f..%2fetc%2fpasswd', `/files/app/${'a'.repeat(4000)}.txt`]) {
        const answer = await t.get(path).catch(error => ({ status: 0, text: String(error) }));
        t.must(answer.status < 500 && answer.status !== 0, `${path.slice(0, 60)}: ${answer.status} ${answer.text.slice(0, 100)}`);
      }
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: 'h423-w6qv-2wj3', cve: 'CVE-2022-39313', title: 'a malformed range ends the server',
    async run(t) {
      const file = await works(t);
      const path = new URL(file.url).pathname.replace(/^.*\/files\//, '/files/');
      for (const range of ['bytes=', 'bytes=-', 'bytes=a-b', 'bytes=5-1', 'bytes=99999999-', 'bytes=-99999999', 'bytes=0-0,', 'bytes=0-1,3-4,6-', 'lines=0-1', 'bytes=-0', `bytes=${'9'.repeat(400)}-`, 'bytes=0--1']) {
        const answer = await t.get(path, { headers: { Range: range } }).catch(error => ({ status: 0, text: String(error) }));
        t.must(answer.status < 500 && answer.status !== 0, `${range.slice(0, 30)}: ${answer.status}`);
      }
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: 'xfh7-phr7-gr2x', cve: 'CVE-2026-30228', title: 'the read-only master key writes and deletes files',
    async run(t) {
      if (!t.keys.readOnly) t.na('there is no read-only master key');
      const file = await works(t);
      const [made, gone] = [await upload(t, 'ro.txt', 'x', {}, 'readOnly'), await t.del(`/files/${file.name}`, { as: 'readOnly' })];
      t.must(t.refused(made) && t.refused(gone), `${made.status} ${made.text}; ${gone.status} ${gone.text}`);
    },
  },
  {
    id: 'x4qj-2f4q-r4rx', cve: 'CVE-2025-64430', title: 'the server fetches an address that a client gives',
    async run(t) {
      await works(t);
      if (!t.helper) t.na('the runner did not start the server');
      const before = t.helper.calls.length;
      await t.post('/files/uri.txt', { _ApplicationId: t.keys.app, _source: { format: 'uri', uri: `${t.helper.url}/ssrf` }, fileData: {} }, { headers: { 'Content-Type': 'text/plain' } });
      await t.post(`/classes/${t.name('Uri')}`, { f: { __type: 'File', name: 'x.txt', url: `${t.helper.url}/ssrf`, _source: { format: 'uri', uri: `${t.helper.url}/ssrf` } } });
      await new Promise(resolve => setTimeout(resolve, 300));
      t.must(!t.helper.calls.slice(before).some(({ url }) => url.includes('ssrf')), 'the address was fetched');
    },
  },
];
