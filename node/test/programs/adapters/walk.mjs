import { until } from '../../support.mjs';

export default async function (walk) {
  /** What the adapters have been called for since the last time, some of it after the answer. */
  const called = async least => {
    const all = [];
    const look = async () => {
      all.push(...(await walk.program.request('GET', '/called', { app: null })).body);
      return all.length >= least;
    };
    await until(look, `${least} calls of adapters`, 60_000);
    walk.note('called', all.map(call => JSON.stringify(call)).sort());
  };
  // The log, and events.
  await walk.request('POST', '/functions/say', { body: { what: 'hello' } });
  await called(1);
  await walk.request('POST', '/events/AppOpened', { body: {} });
  await walk.request('POST', '/events/bought', { body: {} });
  await called(2);
  // Files.
  const file = await walk.request('POST', '/files/a.txt', { body: 'hello', headers: { 'Content-Type': 'text/plain' } });
  await walk.own('GET', new URL(file.body.url).pathname);
  await walk.request('DELETE', `/files/${file.body.name}`, { master: true });
  await called(3);
  // Identities.
  for (const authData of [{ badge: { id: '1', code: 'no' } }, { badge: { id: '1', code: 'badge' } }, { pass: { id: '2', code: 'no' } }, { pass: { id: '2', code: 'pass' } }]) {
    await walk.request('POST', '/users', { body: { authData } });
    await walk.request('POST', '/users', { body: { authData } });
  }
  const { body } = await walk.request('POST', '/users', { body: { authData: { shown: { id: '3' } } } });
  await walk.request('GET', '/users/me', { session: body.sessionToken });
  await called(4);
  const ann = await walk.request('POST', '/users', { body: { username: 'ann', password: 'correct horse', email: 'ann@example.com' } });
  const second = code => ({ authData: { second: { id: '4', code } } });
  await walk.request('PUT', `/users/${ann.body.objectId}`, { session: ann.body.sessionToken, body: second('no') });
  await walk.request('PUT', `/users/${ann.body.objectId}`, { session: ann.body.sessionToken, body: second('second') });
  await walk.request('POST', '/challenge', { body: { username: 'ann', password: 'correct horse', challengeData: { second: 'now' } } });
  for (const code of ['no', 'second']) await walk.request('POST', '/login', { body: { username: 'ann', password: 'correct horse', ...second(code) } });
  await called(1);
  // Mail, and pushes.
  await walk.request('POST', '/requestPasswordReset', { body: { email: 'ann@example.com' } });
  await called(1);
  await walk.request('POST', '/installations', { body: { deviceType: 'ios', deviceToken: 'a' } });
  await walk.request('POST', '/push', { master: true, body: { where: {}, data: { alert: 'hello' } } });
  await called(1);
}
