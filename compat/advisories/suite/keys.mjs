// Section G: keys, addresses, rate limits, lists of routes.
import { everybody } from '../lib.mjs';

export default [
  {
    id: 'vm5r-c87r-pf6x', cve: 'CVE-2023-22474', title: 'a header makes the master key good from another address', config: 'addresses',
    async run(t) {
      for (const headers of [{ 'X-Forwarded-For': '10.9.8.7' }, { 'X-Forwarded-For': '10.9.8.7, 127.0.0.1' }, { 'X-Real-IP': '10.9.8.7' }, { Forwarded: 'for=10.9.8.7' }, { 'X-Client-IP': '10.9.8.7' }, { 'CF-Connecting-IP': '10.9.8.7' }]) {
        const answer = await t.get('/schemas', { as: 'master', headers });
        t.must(answer.status >= 400, `${JSON.stringify(headers)}: ${answer.status}`);
      }
    },
  },
  {
    id: 'vc89-5g3r-cmhh', cve: 'CVE-2026-29182', title: 'the read-only master key writes through hooks and jobs',
    async run(t) {
      if (!t.keys.readOnly) t.na('there is no read-only master key');
      const name = t.name('hook');
      for (const [method, path, body] of [
        ['POST', '/hooks/functions', { functionName: name, url: 'http://127.0.0.1:1/x' }],
        ['POST', '/hooks/triggers', { className: 'Any', triggerName: 'beforeSave', url: 'http://127.0.0.1:1/x' }],
        ['PUT', `/hooks/functions/${name}`, { url: 'http://127.0.0.1:1/y' }],
        ['POST', '/jobs/any', {}],
      ]) {
        const answer = await t.request(method, path, { body, as: 'readOnly' });
        t.must(t.refused(answer), `${method} ${path}: ${answer.status} ${answer.text}`);
      }
    },
  },
  {
    id: 'vc89-everything', title: 'the read-only master key changes something on any route',
    async run(t) {
      if (!t.keys.readOnly) t.na('there is no read-only master key');
      const name = t.name('ReadOnly');
      const id = await t.make(name, { a: 1, ACL: everybody });
      const user = await t.signUp();
      const before = await t.get('/schemas', { as: 'master' });
      const attempts = [
        ['POST', `/classes/${name}`, { a: 2 }], ['PUT', `/classes/${name}/${id}`, { a: 2 }], ['DELETE', `/classes/${name}/${id}`],
        ['POST', `/schemas/${t.name('New')}`, { fields: {} }], ['PUT', `/schemas/${name}`, { fields: { z: { type: 'String' } } }], ['DELETE', `/schemas/${name}`],
        ['DELETE', `/purge/${name}`], ['PUT', '/config', { params: { readOnlyWrote: true } }], ['PUT', '/graphql-config', { params: { enabledForClasses: [] } }],
        ['PUT', `/users/${user.id}`, { a: 1 }], ['DELETE', `/users/${user.id}`], ['POST', '/users', { username: t.name('x'), password: 'p' }],
        ['POST', '/loginAs', { userId: user.id }], ['POST', '/roles', { name: t.name('r'), ACL: {} }],
        ['POST', '/installations', { deviceType: 'ios', installationId: t.name('i') }], ['POST', '/push', { channels: [], data: {} }], ['POST', '/push_audiences', { name: 'x', query: '{}' }],
        ['POST', '/batch', { requests: [{ method: 'POST', path: `/parse/classes/${name}`, body: { a: 3 } }] }],
      ];
      for (const [method, path, body] of attempts) {
        const answer = await t.request(method, path, { body, as: 'readOnly' });
        t.must(answer.status >= 400 || (path === '/batch' && !answer.text.includes('"success"')), `${method} ${path}: ${answer.status} ${answer.text.slice(0, 100)}`);
      }
      const rows = await t.get(`/classes/${name}`, { as: 'master' });
      t.must(rows.body?.results?.length === 1 && rows.body.results[0].a === 1, rows.text);
      const after = await t.get('/schemas', { as: 'master' });
      t.must(before.text === after.text || before.body?.results?.length === after.body?.results?.length, 'the schema changed');
    },
  },
  {
    id: '79wj-8rqv-jvp5', cve: 'CVE-2026-30229', title: 'the read-only master key logs in as any user',
    async run(t) {
      if (!t.keys.readOnly) t.na('there is no read-only master key');
      const user = await t.signUp();
      for (const answer of [await t.post('/loginAs', { userId: user.id }, { as: 'readOnly' }), await t.post('/loginAs', {}, { as: 'readOnly', query: { userId: user.id } })]) {
        t.must(answer.status >= 400 && !answer.text.includes('r:'), answer.text);
      }
    },
  },
  {
    id: '79wj-tokens', title: 'the read-only master key reads session tokens, and so becomes any user',
    async run(t) {
      if (!t.keys.readOnly) t.na('there is no read-only master key');
      const user = await t.signUp();
      for (const path of ['/sessions', '/classes/_Session']) {
        const answer = await t.get(path, { as: 'readOnly' });
        t.must(!answer.text.includes(user.token), `${path} shows tokens`);
      }
    },
  },
  {
    id: 'no-ghsa-10517', title: 'the read-only master key writes by $out and $merge, or reads hashes by another name',
    async run(t) {
      if (!t.keys.readOnly) t.na('there is no read-only master key');
      await t.signUp();
      for (const stage of [{ $out: 'Stolen' }, { $merge: 'Stolen' }]) {
        const answer = await t.get('/aggregate/_User', { as: 'readOnly', query: { pipeline: [stage] } });
        t.must(answer.status >= 400, `${JSON.stringify(stage)}: ${answer.status}`);
      }
      for (const stage of [{ $project: { x: '$_hashed_password' } }, { $group: { _id: '$_hashed_password' } }, { $project: { x: { $concat: ['$_hashed_password', ''] } } }]) {
        const answer = await t.get('/aggregate/_User', { as: 'readOnly', query: { pipeline: [stage] } });
        t.must(!/\$2[aby]\$/.test(answer.text), `${JSON.stringify(stage)} shows hashes`);
      }
    },
  },
  {
    id: '775h-3xrc-c228', title: 'a batch gets past a rate limit', config: 'limits',
    async run(t) {
      const part = { method: 'POST', path: '/parse/login', body: { username: t.name('nobody'), password: 'x' } };
      const answer = await t.post('/batch', { requests: Array.from({ length: 20 }, () => part) });
      const judged = (answer.text.match(/Invalid username/g) ?? []).length;
      t.must(judged <= 3, `${judged} guesses of 20 were judged with a limit of 3`);
    },
  },
  {
    id: 'no-ghsa-10234', title: 'another spelling or method gets past a rate limit', config: 'limits',
    async run(t) {
      const ways = [
        ['GET', '/classes/Limited'], ['GET', '/classes/Limited/'], ['GET', '/CLASSES/Limited'], ['GET', '//classes/Limited'], ['GET', '/classes/%4Cimited'], ['GET', '/classes/Limite%64'],
        ['POST', '/classes/Limited', { _method: 'GET' }],
      ];
      let served = 0;
      for (let round = 0; round < 2; round++) {
        for (const [method, path, body] of ways) {
          const answer = await t.request(method, path, { body });
          if (answer.status === 200) served++;
        }
      }
      t.needs(served > 0, 'nothing was served at all');
      t.must(served <= 3, `${served} requests of 14 were served with a limit of 3`);
    },
  },
  {
    id: 'p84r-h6rx-f2xr', cve: 'CVE-2026-50008', title: 'a batch gets past the list of allowed routes', config: 'routes',
    async run(t) {
      const alone = await t.get('/classes/Forbidden');
      t.needs(alone.status >= 400, 'the server has no routeAllowList');
      const answer = await t.post('/batch', { requests: [{ method: 'GET', path: '/parse/classes/Forbidden' }, { method: 'POST', path: '/parse/classes/Forbidden', body: { a: 1 } }] });
      t.must(!answer.text.includes('"success"'), answer.text);
    },
  },
];
