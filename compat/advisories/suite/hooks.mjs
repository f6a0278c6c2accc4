// Sections E and G, where web hooks answer: what a hook says is judged like what a client says. Needs web hooks.
const hooked = async (t, triggerName, className, hook) => {
  if (!t.helper) t.na('the runner did not start the server');
  t.helper.hook = hook;
  const made = await t.post('/hooks/triggers', { triggerName, className, url: `${t.helper.url}/hook/${className}` }, { as: 'master' });
  if (made.status !== 200) t.na(`web hooks are not available: ${made.text}`);
};

export default [
  {
    id: '93vw-8fm5-p2jf', cve: 'CVE-2022-41879', title: 'the answer of a hook gets past the list of denied keywords',
    async run(t) {
      const name = t.name('Hooked');
      await hooked(t, 'beforeSave', name, () => ({ success: { a: { _bsontype: 'Code', code: 'x' } } }));
      const answer = await t.post(`/classes/${name}`, { a: 1 });
      t.must(t.refused(answer), `${answer.status} ${answer.text}`);
      const rows = await t.get(`/classes/${name}`, { as: 'master' });
      t.must((rows.body?.results ?? []).length === 0, rows.text);
    },
  },
  {
    id: 'xprv-wvh7-qqqx', title: 'a key of the answer of a hook pollutes the prototype',
    async run(t) {
      const name = t.name('Hooked');
      await hooked(t, 'beforeSave', name, () => JSON.parse('{"success":{"__proto__":{"canaryField":1},"constructor":{"prototype":{"canaryField":1}},"b":2}}'));
      const answer = await t.post(`/classes/${name}`, { a: 1 });
      t.must(answer.status < 500, `${answer.status} ${answer.text}`);
      const other = t.name('Clean');
      const id = await t.make(other, { x: 1 });
      const row = await t.get(`/classes/${other}/${id}`, { as: 'master' });
      t.must(!row.text.includes('canaryField'), row.text);
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: 'vpj2-qq7w-5qq6', cve: 'CVE-2026-34532', title: 'a name that walks the prototype chain runs a function without its checks',
    async run(t) {
      if (!t.helper) t.na('the runner did not start the server');
      const name = t.name('guarded');
      let called = 0;
      t.helper.hook = () => {
        called++;
        return { success: 'ran' };
      };
      const made = await t.post('/hooks/functions', { functionName: name, url: `${t.helper.url}/hook/${name}` }, { as: 'master' });
      if (made.status !== 200) t.na(`web hooks are not available: ${made.text}`);
      const good = await t.post(`/functions/${name}`, {});
      t.needs(good.body?.result === 'ran', good.text);
      called = 0;
      for (const spelled of [`${name}.prototype.constructor`, `${name}.constructor`, `${name}.__proto__`]) {
        const answer = await t.post(`/functions/${encodeURIComponent(spelled)}`, {});
        t.must(answer.status >= 400, `${spelled}: ${answer.text}`);
      }
      t.must(called === 0, 'the function ran');
    },
  },
];
