// A real OpenID provider on this machine, and a client that logs in there as a browser would.
import crypto from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';
import { freePort } from '../lib/net.mjs';

export const REDIRECT = 'https://app.example/callback';

/** A signing key, RS256 or ES256: `{kid, alg, key, private (JWK), public (JWK)}`. */
export function newKey(kid, alg = 'RS256') {
  const { privateKey, publicKey } = alg === 'RS256' ? crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }) : crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const about = { kid, alg, use: 'sig' };
  return { kid, alg, key: privateKey, private: { ...privateKey.export({ format: 'jwk' }), ...about }, public: { ...publicKey.export({ format: 'jwk' }), ...about } };
}

export const encode = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token with these claims, signed by a key. */
export function sign(key, claims, header = {}) {
  const signed = `${encode({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${signed}.${crypto.sign('sha256', Buffer.from(signed), { key: key.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const client = (client_id, more) => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: 'client_secret_post',
  introspection_endpoint_auth_method: 'client_secret_basic',
  ...more,
});

/** The provider, with the clients `app` and `other`, both with a secret, and `public`, which proves itself by PKCE. */
export async function startProvider({ key, port } = {}) {
  port ??= await freePort();
  key ??= newKey('first');
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    jwks: { keys: [key.private] },
    clients: [client('app'), client('other'), client('public', { client_secret: undefined, token_endpoint_auth_method: 'none' })].map(one => ({ ...one, id_token_signed_response_alg: key.alg })),
    cookies: { keys: ['test'] },
    pkce: { required: (_, { clientId }) => clientId === 'public' },
    // the profile as the services of this world give it: the id has many names
    claims: { openid: ['sub'], profile: ['id', 'userId'] },
    conformIdTokenClaims: false,
    features: { introspection: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: true } },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, id: sub, userId: sub }) }),
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Session: 600, Interaction: 600, Grant: 600 },
    renderError: (ctx, out) => {
      ctx.body = JSON.stringify(out);
    },
  });
  const seen = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url.split('?')[0]}`);
    response.setHeader('Connection', 'close'); // a successor may listen on the same port
    return provider.callback()(request, response);
  });
  await new Promise(resolve => server.listen(port, '127.0.0.1', resolve));

  /** Logs somebody in at the provider and gives the code that the app gets. */
  async function authorize(clientId, sub, { nonce, scope = 'openid profile' } = {}) {
    const verifier = crypto.randomBytes(32).toString('base64url');
    const wish = { client_id: clientId, response_type: 'code', scope, redirect_uri: REDIRECT, state: 's', ...(nonce && { nonce }) };
    if (clientId === 'public') Object.assign(wish, { code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' });
    const jar = new Map();
    const visit = async (url, form) => {
      const answer = await fetch(new URL(url, issuer), {
        redirect: 'manual',
        headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(form && { method: 'POST', body: new URLSearchParams(form) }),
      });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        jar.set(name, value);
      }
      return answer;
    };
    let answer = await visit(`/auth?${new URLSearchParams(wish)}`);
    for (let step = 0; step < 10; step += 1) {
      const place = answer.headers.get('location');
      if (!place) throw new Error(`the provider says ${answer.status} ${await answer.text()}`);
      if (place.startsWith(REDIRECT)) return { code: new URL(place).searchParams.get('code'), redirect_uri: REDIRECT, code_verifier: verifier };
      answer = await visit(place);
      if (answer.status !== 200) continue;
      const prompt = /name="prompt" value="(\w+)"/.exec(await answer.text())[1];
      answer = await visit(place, { prompt, login: sub, password: 'any' });
    }
    throw new Error('the provider does not come to an end');
  }

  /** The tokens that an app gets for a user. */
  async function tokens(clientId, sub, more) {
    const { code, redirect_uri } = await authorize(clientId, sub, more);
    const form = { grant_type: 'authorization_code', code, redirect_uri, client_id: clientId, client_secret: `secret of ${clientId}` };
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
    const body = await answer.json();
    if (!body.id_token) throw new Error(JSON.stringify(body));
    return body;
  }

  const revoke = (clientId, token) =>
    fetch(`${issuer}/token/revocation`, { method: 'POST', body: new URLSearchParams({ token, client_id: clientId, client_secret: `secret of ${clientId}` }) });

  return {
    issuer,
    key,
    seen,
    authorize,
    tokens,
    revoke,
    stop: () =>
      new Promise(resolve => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
