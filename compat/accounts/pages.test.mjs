// The pages behind the links of mails, in a real browser, from the mail to the log in by the SDK.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Parse, forgetUser } from '../js/support.mjs';
import { picture, startBrowser } from '../lib/browser.mjs';
import { sleep } from '../lib/net.mjs';
import { serve } from '../lib/outside.mjs';
import { keys } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { startMailbox } from './mailbox.mjs';
import { row, startWithMail } from './support.mjs';

let browser;
let box;
const opened = [];
before(async () => {
  box = await startMailbox();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await Promise.all([box, ...opened].map(one => one?.stop()));
});

/** A server whose mails come into the box, and which the SDK talks to. */
async function start(options) {
  const adapter = { module: 'smtp', options: { url: `smtp://127.0.0.1:${box.port}`, from: 'noreply@demo.example' } };
  const server = await startWithMail(adapter, { appName: 'Demo & <Co>', ...options });
  opened.push(server);
  Parse.initialize(keys.appId, undefined, keys.masterKey);
  Parse.serverURL = server.url;
  await forgetUser();
  return server;
}

/** A page that fails if an unexpected script runs or the browser reports an error. */
async function open(url, { quiet = true } = {}) {
  const page = await browser.newPage();
  page.trouble = [];
  page.on('dialog', async dialog => {
    page.trouble.push(`dialog ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('pageerror', error => page.trouble.push(error.message));
  page.on('console', message => message.type() === 'error' && page.trouble.push(message.text()));
  if (url) {
    await page.goto(url);
    if (quiet) assert.deepEqual(page.trouble.filter(text => !text.includes('favicon')), []);
  }
  return page;
}

const heading = page => page.textContent('h1');

async function newUser(name, fields = {}) {
  const user = new Parse.User();
  await user.signUp({ username: name, password: 'first', email: `${name}@example.com`, ...fields });
  const session = user.getSessionToken();
  await forgetUser();
  return { id: user.id, session, name, email: `${name}@example.com` };
}

/** Types a password into the form, and waits for the next page. */
async function choose(page, password) {
  await page.fill('input[type=password]', password);
  await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
}

const refused = (promise, code) => assert.rejects(promise, error => error.code === code);

describe('pages', () => {
  test('an address is verified by opening the link', async () => {
    const server = await start({ preventLoginWithUnverifiedEmail: true });
    const user = await newUser('alice');
    await refused(Parse.User.logIn('alice', 'first'), 205);
    const { link } = await box.take(user.email);
    const page = await open(link);
    assert.equal(await heading(page), 'Your address has been confirmed');
    assert.match(await page.textContent('p.app'), /^Demo & <Co>$/);
    await picture(page, 'page-email-verified');
    assert.equal((await Parse.User.logIn('alice', 'first')).get('emailVerified'), true);
    await page.reload();
    assert.equal(await heading(page), 'This link does not work');
    assert.equal((await row(server, user.id))._email_verify_token, undefined);
    await page.close();
  });

  test('a forgotten password is replaced by a new one', async () => {
    const server = await start({
      passwordPolicy: { validatorPattern: '^.{8,}$', validationError: 'At least <b>8</b> letters.', doNotAllowUsername: true, maxPasswordHistory: 2 },
      accountLockout: { threshold: 2, duration: 5, unlockOnPasswordReset: true },
    });
    const user = await newUser('robert', { password: 'first password' });
    await box.take(user.email);
    await refused(Parse.User.logIn('robert', 'wrong'), 101);
    await refused(Parse.User.logIn('robert', 'wrong'), 101);
    await assert.rejects(Parse.User.logIn('robert', 'first password'), /locked/);
    await Parse.User.requestPasswordReset(user.email);
    const { link } = await box.take(user.email);
    const page = await open(link);
    assert.equal(await heading(page), 'Choose a new password');
    await picture(page, 'page-choose-password');
    for (const [password, text] of [
      ['short', 'At least <b>8</b> letters.'],
      ['as robert said', 'Password cannot contain your username.'],
      ['first password', 'New password should not be the same as last 2 passwords.'],
    ]) {
      await choose(page, password);
      assert.equal(await page.textContent('p.error'), text);
      assert.equal(await heading(page), 'Choose a new password');
    }
    await picture(page, 'page-choose-password-refused');
    await choose(page, 'second password');
    assert.equal(await heading(page), 'Your password has been changed');
    await picture(page, 'page-password-changed');
    assert.ok(!page.url().includes('token='), page.url());
    await refused(Parse.User.logIn('robert', 'first password'), 101);
    assert.equal((await Parse.User.logIn('robert', 'second password')).id, user.id);
    await refused(Parse.User.me(user.session), 209);
    await page.goto(link);
    assert.equal(await heading(page), 'This link does not work');
    // a form that was open all the time is too late
    assert.equal((await row(server, user.id))._perishable_token, undefined);
    await page.close();
  });

  test('an expired link leads to a new one', async () => {
    await start({ emailVerifyTokenValidityDuration: 1 });
    const user = await newUser('late');
    const { link } = await box.take(user.email);
    await sleep(1200);
    const page = await open(link);
    assert.equal(await heading(page), 'This link has expired');
    await picture(page, 'page-link-expired');
    await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
    assert.equal(await heading(page), 'Check your email');
    assert.match(page.url(), /\/apps\/email_verification_send_success\.html\?/);
    await page.goto((await box.take(user.email)).link);
    assert.equal(await heading(page), 'Your address has been confirmed');
    assert.equal((await Parse.User.logIn('late', 'first')).get('emailVerified'), true);
    await page.close();
  });

  test('an endpoint of one’s own, in the language of the visitor', async () => {
    await start({ pages: { pagesEndpoint: 'konto', enableLocalization: true }, emailVerifyTokenValidityDuration: 3600 });
    const user = await newUser('gerda');
    const verify = (await box.take(user.email)).link;
    assert.match(verify, /\/parse\/konto\/app\/verify_email\?token=/);
    const page = await open(`${verify}&locale=de-AT`);
    assert.equal(await heading(page), 'Ihre Adresse wurde bestätigt');
    await Parse.User.requestPasswordReset(user.email);
    await page.goto(`${(await box.take(user.email)).link}&locale=de`);
    assert.equal(await heading(page), 'Neues Passwort wählen');
    await picture(page, 'page-choose-password-de');
    await choose(page, 'second');
    assert.equal(await heading(page), 'Das Passwort wurde geändert');
    await Parse.User.logIn('gerda', 'second');
    await page.close();
  });

  test('redirects instead of pages', async () => {
    await start({ pages: { forceRedirect: true, enableLocalization: true } });
    const user = await newUser('fred');
    const page = await open(`${(await box.take(user.email)).link}&locale=de`);
    assert.match(page.url(), /\/apps\/de\/email_verification_success\.html\?/);
    assert.equal(await heading(page), 'Ihre Adresse wurde bestätigt');
    await Parse.User.requestPasswordReset(user.email);
    await page.goto((await box.take(user.email)).link);
    assert.match(page.url(), /\/apps\/password_reset\.html\?.*token=/);
    await choose(page, 'second');
    assert.match(page.url(), /\/apps\/password_reset_success\.html\?/);
    await Parse.User.logIn('fred', 'second');
    await page.close();
  });

  test('a folder of own pages, with a script that sets the password', async () => {
    const pagesPath = tempDir();
    fs.writeFileSync(
      path.join(pagesPath, 'password_reset.html'),
      `<!DOCTYPE html><h1>{{title}}</h1><input type="password"><output></output><p id="token">{{token}}</p><script src="/parse/apps/own.js"></script>`,
    );
    fs.writeFileSync(
      path.join(pagesPath, 'own.js'),
      `document.querySelector('input').onchange = async event => {
         const token = document.querySelector('#token').textContent;
         const headers = { 'X-Requested-With': 'XMLHttpRequest', 'Content-Type': 'application/json' };
         const answer = await fetch(location.pathname, { method: 'POST', headers, body: JSON.stringify({ token, new_password: event.target.value }) });
         document.querySelector('output').textContent = answer.status + ' ' + (await answer.text());
       };`,
    );
    await start({ pages: { pagesPath, placeholders: { title: 'Own <i>page</i>' } } });
    const user = await newUser('olga');
    await box.take(user.email);
    await Parse.User.requestPasswordReset(user.email);
    const page = await open((await box.take(user.email)).link);
    assert.equal(await heading(page), 'Own <i>page</i>');
    await page.fill('input', 'second');
    await page.press('input', 'Tab');
    await page.waitForSelector('output:not(:empty)');
    assert.equal(await page.textContent('output'), '200 "Password successfully reset"');
    await Parse.User.logIn('olga', 'second');
    await page.close();
  });

  test('pages somewhere else, and a frame around ours: the older options', async () => {
    const visits = [];
    const site = await serve(({ path: where, query }) => {
      if (where === '/favicon.ico') return undefined;
      visits.push({ where, query });
      const link = query.link && `<iframe src="${site.backend}${query.link}?token=${query.token}"></iframe>`;
      return { headers: { 'content-type': 'text/html' }, text: `<!DOCTYPE html><h1>site ${where}</h1>${link ?? ''}` };
    });
    opened.push(site);
    const server = await start({
      customPages: {
        verifyEmailSuccess: `${site.url}/verified`,
        choosePassword: `${site.url}/choose`,
        passwordResetSuccess: `${site.url}/changed`,
        invalidPasswordResetLink: `${site.url}/invalid`,
      },
    });
    const user = await newUser('carl');
    const page = await open((await box.take(user.email)).link);
    assert.equal(await heading(page), 'site /verified');
    await Parse.User.requestPasswordReset(user.email);
    const { link } = await box.take(user.email);
    await page.goto(link);
    assert.equal(await heading(page), 'site /choose');
    const { query } = visits.at(-1);
    assert.equal(query.appId, 'app');
    assert.equal(query.appName, 'Demo & <Co>');
    const form = new URLSearchParams({ token: query.token, new_password: 'second' });
    const set = await server.request('POST', '/apps/app/request_password_reset', { data: form.toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.equal(set.status, 303);
    assert.ok(set.headers.location.startsWith(`${site.url}/changed?`), set.headers.location);
    await Parse.User.logIn('carl', 'second');
    await page.goto(link);
    assert.equal(await heading(page), 'site /invalid');

    const framed = await start({ customPages: { parseFrameURL: `${site.url}/frame?x=1` } });
    site.backend = framed.url;
    const other = await newUser('dora');
    await box.take(other.email);
    await Parse.User.requestPasswordReset(other.email);
    const mail = await box.take(other.email);
    assert.ok(mail.link.startsWith(`${site.url}/frame?x=1&link=%2Fapps%2Fapp%2Frequest_password_reset&token=`), mail.link);
    await page.goto(mail.link);
    const frame = page.frames().find(frame => frame.url().startsWith(framed.url));
    assert.equal(await frame.textContent('h1'), 'Choose a new password');
    await frame.fill('input[type=password]', 'second');
    await frame.click('button[type=submit]');
    await page.frameLocator('iframe').locator('h1', { hasText: 'Your password has been changed' }).waitFor();
    await Parse.User.logIn('dora', 'second');

    // nobody else may put our pages into a frame
    const token = 'x';
    const stranger = await serve(() => ({ headers: { 'content-type': 'text/html' }, text: `<!DOCTYPE html><h1>trap</h1><iframe src="${framed.url}/apps/choose_password?appId=app&token=${token}"></iframe>` }));
    opened.push(stranger);
    const trap = await open(stranger.url, { quiet: false });
    await sleep(500);
    assert.ok(trap.trouble.some(text => /frame-ancestors|frame/i.test(text)), trap.trouble.join());
    for (const inner of trap.frames().slice(1)) assert.equal(await inner.locator('input').count(), 0);
    await trap.close();
    await page.close();
  });

  // jhgf-2h8h-ggxv, #9310
  test('adv_jhgf what a link brings is text', async () => {
    const server = await start({ pages: { enableLocalization: true } });
    const evil = encodeURIComponent(`"'><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>{{token}}{{{token}}}`);
    const scheme = encodeURIComponent('javascript:alert(4)');
    for (const where of [
      `/apps/app/verify_email?token=${evil}&username=${evil}&locale=${evil}&appName=${evil}`,
      `/apps/app/request_password_reset?token=${evil}&username=${evil}&error=${evil}`,
      `/apps/choose_password?appId=app&token=${evil}&error=${evil}&app=${evil}&appName=${evil}&locale=${evil}`,
      `/apps/choose_password?appId=app&token=x&publicServerUrl=${scheme}&publicServerURL=${scheme}`,
      `/apps/password_reset.html?token=${evil}&error=${evil}&appId=${evil}&publicServerUrl=${scheme}`,
      `/apps/email_verification_link_expired.html?token=${evil}&appId=${evil}&publicServerUrl=${scheme}`,
      `/apps/email_verification_send_fail.html?username=${evil}&appName=${evil}`,
      `/apps/${evil}/verify_email?token=${evil}`,
      `/apps/${evil}`,
    ]) {
      const page = await open(server.url + where, { quiet: false });
      assert.deepEqual(page.trouble.filter(text => !/Failed to load resource/.test(text)), [], where);
      assert.equal(await page.locator('script, img, svg').count(), 0, where);
      for (const action of await page.locator('form').evaluateAll(forms => forms.map(form => form.action))) {
        assert.ok(action.startsWith(server.url), action);
      }
      await page.close();
    }
    // a form that was filled in elsewhere
    const trap = await serve(() => ({
      headers: { 'content-type': 'text/html' },
      text: `<!DOCTYPE html><form method="post" action="${server.url}/apps/app/request_password_reset"><input name="token" value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"><input name="new_password" value="x"><button>go</button></form>`,
    }));
    opened.push(trap);
    const page = await open(trap.url, { quiet: false });
    await Promise.all([page.waitForNavigation(), page.click('button')]);
    assert.deepEqual(page.trouble.filter(text => !/Failed to load resource/.test(text)), []);
    assert.equal(await page.locator('script').count(), 0);
    await page.close();
  });

  test('the link does not travel on', async () => {
    const server = await start();
    const answer = await server.request('GET', '/apps/choose_password', { query: { appId: 'app', token: 'secret' } });
    assert.equal(answer.headers['referrer-policy'], 'no-referrer');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
    assert.match(answer.headers['content-security-policy'], /frame-ancestors 'none'/);
  });
});
