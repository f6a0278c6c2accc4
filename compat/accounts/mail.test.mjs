// Mails as a mail server receives them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { sleep, until } from '../lib/net.mjs';
import { serve } from '../lib/outside.mjs';
import { spawnReparse, writeConfig } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { makeCertificates } from './certificates.mjs';
import { startMailbox } from './mailbox.mjs';
import { signUp, startWithMail } from './support.mjs';

const opened = [];
after(() => Promise.all(opened.map(one => one.stop())));
const keep = one => {
  opened.push(one);
  return one;
};
const smtp = (url, more) => ({ module: 'smtp', options: { url, from: 'Demo <noreply@demo.example>', ...more } });
const plain = box => smtp(`smtp://127.0.0.1:${box.port}`);
const forget = (server, email) => server.request('POST', '/requestPasswordReset', { json: { email } });
/** How long a call takes, in milliseconds. */
const timed = async call => {
  const started = performance.now();
  const answer = await call();
  return { answer, took: performance.now() - started };
};

describe('mail', () => {
  test('a mail is text and HTML, from and to whom it should be', async () => {
    const box = keep(await startMailbox());
    const server = keep(await startWithMail(plain(box), { appName: 'Käse & <Wein>' }));
    assert.equal((await signUp(server, { username: 'u <b>', email: 'u@example.com' })).status, 201);
    const mail = await box.take('u@example.com');
    assert.deepEqual([mail.from, mail.to], ['noreply@demo.example', ['u@example.com']]);
    assert.equal(mail.get('from'), 'Demo <noreply@demo.example>');
    assert.equal(mail.get('to'), 'u@example.com');
    assert.match(mail.get('message-id'), /^<[\w-]+@demo\.example>$/);
    assert.ok(Math.abs(Date.parse(mail.get('date')) - Date.now()) < 60_000, mail.get('date'));
    assert.match(mail.type, /^multipart\/alternative;/);
    assert.equal(mail.subject, 'Please verify your e-mail for Käse & <Wein>');
    assert.ok(mail.link.startsWith(`${server.url}/apps/app/verify_email?token=`), mail.link);
    assert.ok(mail.html.includes('K\u00e4se &amp; &lt;Wein&gt;') && !mail.html.includes('<Wein>'), mail.html);
    const href = /href="([^"]+)"/.exec(mail.html)[1].replaceAll('&#x3D;', '=').replaceAll('&amp;', '&').replaceAll('&#x2F;', '/');
    assert.equal(href, mail.link);
    assert.equal((await forget(server, 'u@example.com')).status, 200);
    const reset = await box.take('u@example.com');
    assert.equal(reset.subject, 'Password Reset for Käse & <Wein>');
    assert.ok(reset.link.startsWith(`${server.url}/apps/app/request_password_reset?token=`), reset.link);
    assert.notEqual(reset.get('message-id'), mail.get('message-id'));
  });

  test('TLS and STARTTLS, with a name and a password', async () => {
    const { ca, tls } = makeCertificates();
    for (const secure of [true, false]) {
      const box = keep(await startMailbox({ tls, secure, users: { 'demo@x': 'p@ss/word' } }));
      const url = `${secure ? 'smtps' : 'smtp'}://demo%40x:p%40ss%2Fword@localhost:${box.port}${secure ? '' : '?tls=required'}`;
      const server = keep(await startWithMail(smtp(url, { ca })));
      await signUp(server, { username: 'u', email: 'u@example.com' });
      const mail = await box.take('u@example.com');
      assert.deepEqual([mail.secure, mail.user], [true, 'demo@x']);
      // one connection serves several mails
      for (let round = 0; round < 3; round += 1) {
        await forget(server, 'u@example.com');
        await box.take('u@example.com');
      }
      assert.equal(box.seen.connections, 1);
      assert.ok(!server.child.output.includes('p@ss') && !server.child.output.includes('p%40ss'));
    }
  });

  test('a stranger behind the address gets neither password nor mail', async () => {
    const { tls } = makeCertificates();
    const { ca } = makeCertificates();
    const box = keep(await startMailbox({ tls, secure: true, users: { demo: 'hush' } }));
    const unknown = keep(await startWithMail(smtp(`smtps://demo:hush@localhost:${box.port}`)));
    const other = keep(await startWithMail(smtp(`smtps://demo:hush@localhost:${box.port}`, { ca })));
    // no STARTTLS on offer, as after an attacker took it away
    const bare = keep(await startMailbox({ users: { demo: 'hush' } }));
    const stripped = keep(await startWithMail(smtp(`smtp://demo:hush@localhost:${bare.port}?tls=required`, { ca })));
    for (const server of [unknown, other, stripped]) {
      assert.equal((await signUp(server, { username: 'u', email: 'u@example.com' })).status, 201);
      await until(() => server.child.output.includes('failed to send a mail; it will be retried'), { what: 'a line in the log' });
      assert.ok(!server.child.output.includes('hush'));
    }
    assert.deepEqual([box.mails, box.seen.logIns, bare.mails, bare.seen.logIns], [[], [], [], []]);
  });

  test('a wrong password of the mail server is said in the log, once', async () => {
    const { ca, tls } = makeCertificates();
    const box = keep(await startMailbox({ tls, secure: true, users: { demo: 'right' } }));
    const server = keep(await startWithMail(smtp(`smtps://demo:wrong@localhost:${box.port}`, { ca })));
    assert.equal((await signUp(server, { username: 'u', email: 'u@example.com' })).status, 201);
    await until(() => server.child.output.includes('the mail server refused a mail'), { what: 'a line in the log' });
    assert.equal(box.mails.length, 0);
  });

  test('a temporary failure is tried again beside the request, a final one is not', async () => {
    const box = keep(await startMailbox({ refuse: number => (number === 1 ? 451 : undefined) }));
    const server = keep(await startWithMail(plain(box)));
    const { answer, took } = await timed(() => signUp(server, { username: 'u', email: 'u@example.com' }));
    assert.equal(answer.status, 201);
    assert.ok(took < 1500, `${took} ms`);
    const mail = await box.take('u@example.com');
    assert.equal(box.seen.tries, 2);
    assert.ok(mail.link);
    const final = keep(await startMailbox({ refuse: () => 550 }));
    const refused = keep(await startWithMail(plain(final)));
    await signUp(refused, { username: 'u', email: 'u@example.com' });
    await until(() => refused.child.output.includes('the mail server refused a mail'), { what: 'a line in the log' });
    await sleep(3000);
    assert.equal(final.seen.tries, 1);
  });

  test('a mail server that never answers holds up neither requests nor the end', async () => {
    const sockets = [];
    const dead = net.createServer(socket => {
      socket.on('error', () => {});
      sockets.push(socket);
    });
    await new Promise(resolve => dead.listen(0, '127.0.0.1', resolve));
    keep({ stop: () => new Promise(resolve => [dead.close(resolve), sockets.forEach(socket => socket.destroy())]) });
    const server = await startWithMail(smtp(`smtp://127.0.0.1:${dead.address().port}`, { timeout: 2000 }));
    await signUp(server, { username: 'u', email: 'u@example.com' });
    const all = await timed(() => Promise.all(Array.from({ length: 50 }, () => timed(() => forget(server, 'u@example.com')))));
    for (const { answer } of all.answer) assert.equal(answer.status, 200);
    assert.ok(all.took < 10_000, `${all.took} ms`);
    assert.ok(sockets.length <= 4, `${sockets.length} connections`);
    assert.equal((await server.request('GET', '/health')).status, 200);
    const stopped = await timed(() => server.child.stop(45_000));
    assert.ok(stopped.answer.signal === null, JSON.stringify(stopped.answer));
    // nobody listens at all
    const nobody = keep(await startWithMail(smtp('smtp://127.0.0.1:1')));
    const { answer, took } = await timed(() => signUp(nobody, { username: 'u', email: 'u@example.com' }));
    assert.equal(answer.status, 201);
    assert.ok(took < 1500, `${took} ms`);
  });

  test('own templates file by file, and by the language of the user', async () => {
    const templates = tempDir();
    fs.mkdirSync(path.join(templates, 'de'));
    fs.mkdirSync(path.join(templates, 'de-CH'));
    const write = (file, text) => fs.writeFileSync(path.join(templates, file), text);
    write('verification_email_subject.txt', 'Welcome to {{appName}},\r\n {{username}}');
    write('de/verification_email_subject.txt', 'Willkommen bei {{appName}}');
    write('de/verification_email.txt', 'Hallo {{user.nick}}: {{{link}}}');
    write('de/verification_email.html', '<p>Hallo <b>{{user.nick}}</b>, {{#user.city}}aus {{user.city}}{{/user.city}} <a href="{{link}}">hier</a></p>');
    write('de-CH/verification_email_subject.txt', 'Grüezi');
    const box = keep(await startMailbox());
    const server = keep(await startWithMail(smtp(`smtp://127.0.0.1:${box.port}`, { templates })));
    let number = 0;
    for (const [locale, subject, text] of [
      [undefined, 'Welcome to Demo, none', /verify_email/],
      ['fr', 'Welcome to Demo, fr', /verify_email/],
      ['de', 'Willkommen bei Demo', /^Hallo <i>N&M<\/i>: http:\/\/127/],
      ['de-AT', 'Willkommen bei Demo', /^Hallo <i>N&M<\/i>: http:\/\/127/],
      ['de-CH', 'Grüezi', /^Hallo/],
      ['../de', 'Welcome to Demo, ../de', /verify_email/],
    ]) {
      number += 1;
      const email = `user${number}@example.com`;
      const made = await signUp(server, { username: locale ?? 'none', email, locale, nick: '<i>N&M</i>' });
      assert.equal(made.status, 201, made.text);
      const mail = await box.take(email);
      assert.equal(mail.subject, subject);
      assert.match(mail.text, text);
      if (locale?.startsWith('de')) assert.match(mail.html, /^<p>Hallo <b>&lt;i&gt;N&amp;M&lt;(\/|&#x2F;)i&gt;<\/b>,  <a href="http/);
    }
  });

  test('what users choose is no header, no recipient and no markup', async () => {
    const templates = tempDir();
    fs.writeFileSync(path.join(templates, 'verification_email_subject.txt'), '{{username}} {{user.nick}}');
    const box = keep(await startMailbox());
    const server = keep(await startWithMail(smtp(`smtp://127.0.0.1:${box.port}`, { templates })));
    const break_ = 'x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>';
    const made = await signUp(server, { username: break_, nick: break_, locale: `de\r\nBcc: evil@example.com`, email: 'good@example.com' });
    assert.equal(made.status, 201, made.text);
    const mail = await box.take('good@example.com');
    assert.deepEqual(mail.to, ['good@example.com']);
    assert.deepEqual(mail.names.filter(name => !['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type'].includes(name)), []);
    assert.ok(!mail.html.includes('<script'));
    assert.ok(!mail.raw.toString().split('\r\n\r\n')[0].split('\r\n').some(line => /^bcc/i.test(line)));
    // addresses that would be several, or end a command
    let number = 0;
    for (const email of [
      'a@example.com\r\nRCPT TO:<evil@example.com>',
      'a@example.com\nBcc: evil@example.com',
      'a@example.com>\r\nDATA',
      'a@example.com,evil@example.com',
      'a@example.com, evil@example.com',
      '<evil@example.com> a@example.com',
      'evil@example.com> <a@example.com',
      'Evil <evil@example.com>',
      '"a@example.com" evil@example.com',
      'a@[127.0.0.1]>\u0000evil@example.com',
      'a@exa\u0000mple.com',
      'a@evil.example.com\u2028x',
    ]) {
      number += 1;
      const answer = await signUp(server, { username: `user ${number}`, email });
      assert.ok(answer.status < 500, answer.text);
      if (answer.status === 201) assert.equal((await forget(server, email)).status, 200);
    }
    await signUp(server, { username: 'last', email: 'last@example.com' });
    await box.take('last@example.com');
    for (const { to } of box.mails) assert.ok(to.length === 1 && !to[0].startsWith('evil@'), JSON.stringify(to));
    assert.equal((await server.request('GET', '/health')).status, 200);
  });

  test('a user without an address, and a name that is one', async () => {
    const box = keep(await startMailbox());
    const server = keep(await startWithMail(plain(box)));
    await signUp(server, { username: 'name@example.com' });
    assert.equal((await forget(server, 'name@example.com')).status, 200);
    assert.match((await box.take('name@example.com')).link, /request_password_reset/);
    await signUp(server, { username: 'plain' });
    assert.equal((await forget(server, 'plain')).status, 200);
    await sleep(500);
    for (const { to } of box.mails) assert.deepEqual(to, []);
  });

  test('own code sends: the web hook', async () => {
    let failures = 1;
    const hook = keep(await serve(({ method }) => {
      if (method !== 'POST') return undefined;
      failures -= 1;
      return failures >= 0 ? { status: 503 } : { json: {} };
    }));
    const server = keep(await startWithMail({ module: 'webhook', options: { url: `${hook.url}/mail` } }));
    const { took } = await timed(() => signUp(server, { username: 'u', email: 'u@example.com', nick: 'N' }));
    assert.ok(took < 1500, `${took} ms`);
    await until(() => hook.calls.length === 2, { what: 'two calls' });
    const [first, second] = hook.calls.map(call => call.json);
    assert.deepEqual(first, second);
    assert.equal(hook.calls[0].path, '/mail/sendMail');
    assert.deepEqual([first.mail.to, first.mail.subject, first.userJSON.nick], ['u@example.com', 'Please verify your e-mail for Demo', 'N']);
    assert.match(first.mail.text, /verify_email\?token=/);
    for (const secret of ['password', '_hashed_password', 'sessionToken', '_email_verify_token', 'authData']) assert.ok(!(secret in first.userJSON), secret);
    const rich = keep(await startWithMail({ module: 'webhook', options: { url: hook.url, methods: ['sendMail', 'sendPasswordResetEmail'] } }));
    await signUp(rich, { username: 'u', email: 'u@example.com' });
    await forget(rich, 'u@example.com');
    await until(() => hook.calls.length === 4, { what: 'four calls' });
    const own = hook.calls.find(call => call.path === '/sendPasswordResetEmail').json;
    assert.equal(own.mail.appName, 'Demo');
    assert.match(own.mail.link, /request_password_reset\?token=/);
    assert.equal(own.userJSON.email, 'u@example.com');
  });

  test('settings that cannot work are refused at start, without the password', async () => {
    const from = 'a@example.com';
    for (const [adapter, text] of [
      [{ module: './my-adapter.js', options: {} }, /emailAdapter.*cannot find/is],
      [{ module: '@parse/simple-mailgun-adapter', options: {} }, /emailAdapter.*cannot find/is],
      [{ module: 'smtp', options: { from } }, /url/],
      [{ module: 'smtp', options: { url: 'smtp://demo:hush@mail.example.com', from } }, /encrypted/],
      [{ module: 'smtp', options: { url: 'smtps://mail.example.com' } }, /from/],
      [{ module: 'smtp', options: { url: 'smtps://mail.example.com', from: 'nobody' } }, /from/],
      [{ module: 'smtp', options: { url: 'smtps://mail.example.com', from, ca: '/nowhere.pem' } }, /nowhere/],
      [{ module: 'smtp', options: { url: 'smtps://mail.example.com', from, colour: 1 } }, /colour/],
      [{ module: 'webhook', options: { url: 'http://mail.example.com' } }, /https/],
      [{ module: 'file', options: {} }, /dir/],
    ]) {
      const { file } = await writeConfig({ appName: 'Demo', publicServerURL: 'http://127.0.0.1:1/parse', emailAdapter: adapter });
      const child = spawnReparse([file]);
      const timer = setTimeout(() => child.kill(), 20_000);
      const { code, signal } = await child.ended;
      clearTimeout(timer);
      assert.ok(code !== 0 && signal === null, child.output);
      assert.match(child.output, text);
      assert.ok(!child.output.includes('hush'), child.output);
    }
  });
});
