// Section F: identities of other services, and the second factor.
import crypto from 'node:crypto';

const oauth = (t, provider, id, token = t.name('token'), { appid = `app-of-${provider}`, sub = id } = {}) => {
  t.helper.tokens.set(token, { active: true, sub, appid });
  return { [provider]: { id, access_token: token } };
};
const totp = (secret, at = Date.now()) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const letter of secret.replace(/=+$/, '').toUpperCase()) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = crypto.createHmac('sha1', key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1e6).padStart(6, '0');
};
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

export default [
  {
    id: 'fr88-w35c-r596', title: 'the id of an OAuth2 identity is not bound to its token', config: 'oauth',
    async run(t) {
      const own = oauth(t, 'one', t.name('own'));
      own.one.id = t.name('victim');
      const answer = await t.post('/users', { authData: own });
      t.must(answer.status >= 400, `${answer.status} ${answer.text}`);
    },
  },
  {
    id: '2cjm-2gwv-m892', title: 'two OAuth2 providers share their settings', config: 'oauth',
    async run(t) {
      const id = t.name('id');
      const data = oauth(t, 'one', id);
      const good = await t.post('/users', { authData: data });
      t.needs(good.status === 201, `${good.status} ${good.text}`);
      const crossed = await t.post('/users', { authData: { two: data.one } });
      t.must(crossed.status >= 400, `a token of one is good for two: ${crossed.text}`);
      const again = await Promise.all(Array.from({ length: 20 }, (_, i) => {
        const provider = i % 2 ? 'one' : 'two';
        const before = t.helper.calls.length;
        return t.post('/users', { authData: oauth(t, provider, t.name('many')) }).then(answer => ({ answer, before }));
      }));
      t.must(again.every(({ answer }) => answer.status === 201), 'at the same time they get into each other');
    },
  },
  {
    id: '69xg-f649-w5g2', cve: 'CVE-2026-32269', title: 'another token than the one sent is introspected', config: 'oauth',
    async run(t) {
      const token = t.name('exact');
      await t.post('/users', { authData: oauth(t, 'one', t.name('id'), token) });
      const call = t.helper.calls.findLast(({ url }) => url.startsWith('/introspect/one'));
      t.needs(call, 'nothing was introspected');
      t.must(call.text.includes(token), call.text);
    },
  },
  {
    id: 'r657-33vp-gp22', title: 'a token made for another app is good', config: 'oauth',
    async run(t) {
      const answer = await t.post('/users', { authData: oauth(t, 'one', t.name('id'), undefined, { appid: 'another-app' }) });
      t.must(answer.status >= 400, `${answer.status} ${answer.text}`);
    },
  },
  {
    id: 'pfj7-wv7c-22pr', cve: 'CVE-2026-33409', title: 'an identity without its token is not checked', config: 'oauth',
    async run(t) {
      const id = t.name('id');
      const first = await t.post('/users', { authData: oauth(t, 'one', id) });
      t.needs(first.status === 201, first.text);
      for (const data of [{ id }, { id, access_token: '' }, { id, access_token: null }, { id, access_token: {} }, { id, access_token: 'wrong' }]) {
        const answer = await t.post('/users', { authData: { one: data } });
        t.must(answer.status >= 400 && !answer.body?.sessionToken, `${JSON.stringify(data)}: ${answer.status} ${answer.text}`);
      }
    },
  },
  {
    id: '64mf-fqfc-3pjh', title: 'the id alone logs in, because it was checked once', config: 'oauth',
    async run(t) {
      const id = t.name('id');
      const data = oauth(t, 'one', id);
      const first = await t.post('/users', { authData: data });
      t.needs(first.status === 201, first.text);
      t.helper.tokens.delete(data.one.access_token);
      const answer = await t.post('/users', { authData: data });
      t.must(answer.status >= 400, `an expired token logs in: ${answer.text}`);
    },
  },
  {
    id: 'mr43-w6c2-mvjq', title: 'a log in with a password takes identities without checking them', config: 'oauth',
    async run(t) {
      const user = await t.signUp();
      const id = t.name('victim');
      const answer = await t.post('/login', { username: user.username, password: user.password, authData: { one: { id, access_token: 'wrong' } } });
      t.must(answer.status >= 400, `${answer.status} ${answer.text.slice(0, 150)}`);
      const row = await t.get(`/users/${user.id}`, { as: 'master' });
      t.must(!row.text.includes(id), 'the identity is linked');
      const challenge = await t.post('/challenge', { authData: { one: { id, access_token: 'wrong' } }, challengeData: { one: {} } });
      t.must(challenge.status >= 400 && challenge.status < 500, `/challenge: ${challenge.status} ${challenge.text}`);
    },
  },
  {
    id: '8w3j-g983-8jh5', cve: 'CVE-2019-1020013', title: 'the error of an identity comes before the password is checked', config: 'oauth',
    async run(t) {
      const owner = oauth(t, 'one', t.name('owner'));
      const first = await t.post('/users', { authData: owner });
      t.needs(first.status === 201, first.text);
      const user = await t.signUp();
      const ask = authData => t.post('/login', { username: user.username, password: 'wrong', authData });
      const [linked, unknown] = [await ask(owner), await ask(oauth(t, 'one', t.name('nobody')))];
      t.must(linked.text === unknown.text && linked.status === unknown.status, `${linked.text} against ${unknown.text}`);
    },
  },
  {
    id: 'g4cf-xj29-wqqr', cve: 'CVE-2026-33538', title: 'a provider that is not configured is looked up', config: 'oauth',
    async run(t) {
      for (const provider of ['facebook', 'google', 'nosuch', 'ldap', 'gcenter', 'gpgames', '__proto__', 'constructor', 'toString']) {
        const answer = await t.request('POST', '/users', { raw: `{"authData":{"${provider}":{"id":"x","access_token":"y"}}}`, headers: { 'Content-Type': 'application/json' } });
        t.must(answer.status >= 400 && !answer.body?.sessionToken, `${provider}: ${answer.status} ${answer.text}`);
      }
    },
  },
  {
    id: 'no-ghsa-10223', title: 'an update with a dot changes identities unchecked', config: 'oauth',
    async run(t) {
      const user = await t.signUp();
      const id = t.name('victim');
      for (const key of ['authData.one.id', 'authData.one', '_auth_data_one', '_auth_data_one.id']) {
        await t.put(`/users/${user.id}`, { [key]: key.endsWith('id') ? id : { id } }, { as: user.token });
        const row = await t.get(`/users/${user.id}`, { as: 'master' });
        t.must(!row.text.includes(id), `${key}: ${row.text.slice(0, 200)}`);
      }
    },
  },
  {
    id: 'no-ghsa-10224', title: '/challenge takes values of any type', config: 'oauth',
    async run(t) {
      for (const body of [{}, [], { challengeData: 'x' }, { challengeData: { one: {} }, authData: 'x' }, { username: { $ne: null }, password: 'x', challengeData: { one: {} } }, { username: 'x', password: { $ne: null }, challengeData: {} }]) {
        const answer = await t.post('/challenge', body);
        t.must(answer.status >= 400 && answer.status < 500, `${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
      }
    },
  },
  {
    id: '4hf6-3x24-c9m8', title: 'a recovery code of the second factor is not used up', config: 'mfa',
    async run(t) {
      const user = await t.signUp();
      const set = await t.put(`/users/${user.id}`, { authData: { mfa: { secret: SECRET, token: totp(SECRET) } } }, { as: user.token });
      t.needs(set.status === 200, set.text);
      const text = JSON.stringify(set.body);
      const code = /"recovery":\s*"([A-Za-z0-9]+)/.exec(text)?.[1];
      t.needs(code, text);
      const login = () => t.post('/login', { username: user.username, password: user.password, authData: { mfa: { token: code } } });
      const answers = [];
      for (let i = 0; i < 3; i++) answers.push(await login());
      t.must(answers.filter(answer => answer.status === 200).length <= 1, answers.map(answer => answer.status).join());
    },
  },
  {
    id: 'jpq4-7fmq-q5fj', cve: 'CVE-2026-43930', title: 'one code of the second factor makes many sessions', config: 'mfa',
    async run(t) {
      const user = await t.signUp();
      // Set up with the code of the step before, so that the code of this step is not used yet.
      const set = await t.put(`/users/${user.id}`, { authData: { mfa: { secret: SECRET, token: totp(SECRET) } } }, { as: user.token });
      t.needs(set.status === 200, set.text);
      const code = /"recovery":\s*"([A-Za-z0-9]+)/.exec(JSON.stringify(set.body))?.[1];
      t.needs(code, set.text);
      const answers = await Promise.all(Array.from({ length: 20 }, () => t.post('/login', { username: user.username, password: user.password, authData: { mfa: { token: code } } })));
      t.must(answers.filter(answer => answer.status === 200).length <= 1, `${answers.filter(answer => answer.status === 200).length} of 20 at once`);
    },
  },
  {
    id: 'mw9v-j7v7-vh97', title: 'the second factor is taken away without a code', config: 'mfa',
    async run(t) {
      const user = await t.signUp();
      const set = await t.put(`/users/${user.id}`, { authData: { mfa: { secret: SECRET, token: totp(SECRET) } } }, { as: user.token });
      t.needs(set.status === 200, set.text);
      for (const mfa of [{}, { token: '' }, { old: null }, { token: '000000' }]) {
        await t.post('/login', { username: user.username, password: user.password, authData: { mfa } });
      }
      const without = await t.post('/login', { username: user.username, password: user.password });
      t.must(without.status >= 400, 'the password alone logs in');
    },
  },
];
