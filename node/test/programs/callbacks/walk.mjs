export default async function (walk) {
  const seen = () => walk.own('GET', '/seen');
  const mails = () => walk.own('GET', '/mails');
  const later = () => new Promise(resolve => setTimeout(resolve, 300));
  await seen();
  await walk.request('GET', '/schemas/Defined', { master: true });
  // Passwords: the pattern, then the function.
  for (const password of ['simple', 'secret bad', 'SECRET good']) {
    await walk.request('POST', '/users', { body: { username: `with ${password}`, password, email: `${password.replace(' ', '')}@plain.example` } });
  }
  await seen();
  // Addresses to verify.
  const ann = { username: 'ann', password: 'secret1', email: 'ann@verify.example' };
  await walk.request('POST', '/users', { body: ann });
  await later();
  await seen();
  await mails();
  await walk.request('POST', '/login', { body: ann });
  await seen();
  await walk.request('POST', '/login', { body: { username: 'free', password: 'x' } });
  const free = await walk.request('POST', '/users', { body: { username: 'free', password: 'secret1', email: 'free@verify.example', quiet: true } });
  await later();
  await seen();
  await mails();
  const session = (await walk.request('POST', '/login', { body: { username: 'free', password: 'secret1' } })).body.sessionToken;
  await walk.request('PUT', `/users/${free.body.objectId}`, { session, body: { email: 'free@plain.example' } });
  await seen();
  await walk.request('PUT', `/users/${free.body.objectId}`, { session, body: { email: 'free2@verify.example', quiet: false } });
  await later();
  await seen();
  await mails();
  await walk.request('POST', '/users', { body: { username: 'broken', password: 'secret1', email: 'broken@verify.example' } });
  await later();
  await seen();
  await mails();
  await walk.request('POST', '/verificationEmailRequest', { body: { email: 'ann@verify.example' } });
  await later();
  await seen();
  await mails();
  await walk.request('POST', '/requestPasswordReset', { body: { email: 'ann@verify.example' } });
  await later();
  await mails();
  // Files.
  const text = { 'Content-Type': 'text/plain' };
  const file = await walk.request('POST', '/files/a.txt', { body: 'hello', headers: text });
  await walk.own('GET', '/stored');
  await walk.own('GET', new URL(file.body.url).pathname);
  await walk.request('POST', '/files/a.txt', { body: 'a virus', headers: text });
  await walk.request('POST', '/files/forbidden.txt', { body: 'x', headers: text });
  await walk.own('GET', '/parse/files/app/nothing.txt');
  await walk.request('DELETE', `/files/${file.body.name}`, { master: true });
  await walk.request('DELETE', `/files/${file.body.name}`, { master: true });
  await walk.own('GET', new URL(file.body.url).pathname);
  // Events.
  await walk.request('POST', '/events/AppOpened', { body: { at: 'x' } });
  await walk.request('POST', '/events/bought', { body: { dimensions: { what: 'apple' } } });
  await walk.request('POST', '/events/broken', { body: {} });
  await seen();
}
