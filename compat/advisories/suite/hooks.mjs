// Sections E and G, where code of the app answers, by web hook or in JavaScript: what it says is judged like what a client says.
import { LiveClient } from '../../live/socket.mjs';
import { open } from '../lib.mjs';

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
  {
    id: '93vw-8fm5-p2jf (JavaScript)', cve: 'CVE-2022-41879', title: 'a trigger in JavaScript gets past the list of denied keywords', config: 'code',
    async run(t) {
      const answer = await t.post('/classes/CodeDenied', { b: 1 });
      t.must(t.refused(answer), `${answer.status} ${answer.text}`);
      const rows = await t.get('/classes/CodeDenied', { as: 'master' });
      t.must((rows.body?.results ?? []).length === 0, rows.text);
    },
  },
  {
    id: 'vpj2-qq7w-5qq6 (JavaScript)', cve: 'CVE-2026-34532', title: 'a name that walks the prototype chain skips a validator', config: 'code',
    async run(t) {
      const good = await t.post('/functions/guarded', {}, { as: 'master' });
      t.needs(good.body?.result === 'ran', good.text);
      const refused = await t.post('/functions/guarded', {});
      t.must(t.refused(refused), refused.text);
      for (const spelled of ['guarded.prototype.constructor', 'guarded.constructor', 'guarded.__proto__', 'guarded.', '.guarded']) {
        const answer = await t.post(`/functions/${encodeURIComponent(spelled)}`, {});
        t.must(t.refused(answer), `${spelled}: ${answer.status} ${answer.text}`);
      }
    },
  },
  {
    id: '4263-jgmp-7pf4', title: 'names that every object has are called as functions and jobs', config: 'code',
    async run(t) {
      for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', '__defineGetter__', 'constructor.prototype', 'guarded.call']) {
        const called = await t.post(`/functions/${encodeURIComponent(name)}`, { a: 1 }, { as: 'master' });
        t.must(t.refused(called), `function ${name}: ${called.status} ${called.text}`);
        const started = await t.post(`/jobs/${encodeURIComponent(name)}`, {}, { as: 'master' });
        t.must(t.refused(started), `job ${name}: ${started.status} ${started.text}`);
      }
      t.must(await t.alive(), 'the server is gone');
    },
  },
  {
    id: '5hmj-jcgp-6hff', title: 'a trigger on events shows subscribers what is hidden from them', config: 'code',
    async run(t) {
      const secret = t.name('secret');
      await t.makeClass('CodeLive', { secret: { type: 'String' } }, { ...open, protectedFields: { '*': ['secret'] } });
      const id = await t.make('CodeLive', { n: 1, secret });
      const user = await t.signUp({ ACL: { '*': { read: true, write: true } } });
      const client = await LiveClient.connect(t, { applicationId: t.keys.app });
      try {
        await client.follow(1, 'CodeLive');
        await client.follow(2, '_User');
        await t.put(`/classes/CodeLive/${id}`, { n: 2 }, { as: 'master' });
        await t.put(`/users/${user.id}`, { authData: { anonymous: { id: secret } }, email: `${secret}@example.com` }, { as: 'master' });
        const seen = JSON.stringify([await client.have(1, 1), await client.have(2, 1)]);
        t.must(!seen.includes(secret), seen);
      } finally {
        client.close();
      }
    },
  },
  {
    id: 'm983-v2ff-wq65', cve: 'CVE-2026-34363', title: 'what a trigger changes for one subscriber reaches others', config: 'code',
    async run(t) {
      await t.makeClass('CodeShared', { n: { type: 'Number' } }, open);
      const clients = [];
      try {
        for (const installationId of ['marked', 'plain', 'marked', 'plain']) {
          const client = await LiveClient.connect(t, { applicationId: t.keys.app, installationId });
          await client.follow(1, 'CodeShared');
          clients.push(client);
        }
        await t.make('CodeShared', { n: 1 });
        const marks = await Promise.all(clients.map(async client => (await client.have(1, 1))[0].object.mark ?? null));
        t.must(JSON.stringify(marks) === JSON.stringify(['for one subscriber', null, 'for one subscriber', null]), JSON.stringify(marks));
      } finally {
        for (const client of clients) client.close();
      }
    },
  },
];
