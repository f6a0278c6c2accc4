import { until } from '../../support.mjs';

export default async function (walk) {
  /** What comes some time after an answer: what the program has got by then. */
  const got = async (where, least) => {
    const all = [];
    const look = async () => {
      all.push(...(await walk.program.request('GET', where, { app: null })).body);
      return all.length >= least;
    };
    await until(look, `${least} at ${where}`, 60_000);
    walk.note(where, all.sort());
  };
  // What the middleware makes of the options, for one request.
  const tenant = name => ({ 'X-Tenant': name });
  const names = Array.from({ length: 10 }, (_, n) => `tenant${n}`);
  const ask = name => walk.program.request('POST', '/parse/functions/tenant', { body: {}, headers: tenant(name) });
  walk.note('tenants', (await Promise.all(names.map(ask))).map(({ body }) => body.result));
  await got('/lines', 20);
  await walk.request('POST', '/functions/tenant', { body: {} });
  await got('/lines', 2);
  await walk.request('POST', '/functions/tenant', { body: {}, headers: tenant('none') });
  for (const headers of [{}, tenant('Ann')]) {
    const { body } = await walk.request('POST', '/classes/Rented', { body: {}, headers });
    await walk.request('GET', `/classes/Rented/${body.objectId}`, { headers });
  }
  // Identities.
  for (const authData of [{ card: { id: '1', code: 'wrong' } }, { card: { id: '1', code: 'secret' } }, { plain: { id: '2', token: 'wrong' } }, { plain: { id: '2', token: 'right' } }]) {
    await walk.request('POST', '/users', { body: { authData } });
    await walk.request('POST', '/users', { body: { authData } });
  }
  // Pages.
  await walk.own('GET', '/parse/apps/app/hello/Ann?what=%3Cb%3E');
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  await walk.own('POST', '/parse/apps/app/form', { body: 'known=Bea', headers: form });
  await walk.own('POST', '/parse/apps/app/form', { body: 'other=1', headers: form });
  await walk.own('GET', '/parse/apps/app/throws');
  await walk.own('GET', '/parse/apps/other/hello/Ann');
  // Pushes.
  for (const [deviceType, deviceToken] of [['ios', 'a'], ['android', 'b'], ['winrt', 'c']]) {
    await walk.request('POST', '/installations', { body: { deviceType, deviceToken } });
  }
  await walk.request('POST', '/push', { master: true, key: 'one', body: { where: {}, data: { alert: 'hello' } } });
  await got('/pushes', 1);
  // The master key.
  const status = async key => (await walk.program.request('GET', '/parse/schemas', { master: true, key })).status;
  await walk.request('GET', '/classes/Rented', { master: true, key: 'two' });
  await walk.own('POST', '/rotate');
  await until(async () => (await status('two')) === 200, 'the new master key', 60_000);
  walk.note('keys', [await status('one'), await status('two')]);
}
