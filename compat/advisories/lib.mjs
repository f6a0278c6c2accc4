// What an advisory's check is given: requests as different callers, and ways to say what must hold.
import http from 'node:http';
import { send } from '../lib/http.mjs';

/** The server cannot be asked this: a feature or an option is missing. */
export class NotApplicable extends Error {}
/** The server is vulnerable. */
export class Vulnerable extends Error {}

let counter = 0;

/** A server under test, as one advisory's check sees it. */
export class Target {
  /** `keys`: `{app, master, readOnly, maintenance}`; `helper`: the helper server, if the runner started the server itself. */
  constructor({ url, graphql, keys, helper, features = {} }) {
    Object.assign(this, { url: url.replace(/\/$/, ''), graphql, keys, helper, features });
    this.salt = `${Date.now().toString(36)}${(counter++).toString(36)}`;
  }

  /** A name that no other check uses. */
  name(text) {
    return `${text}${this.salt}${(counter++).toString(36)}`;
  }

  na(reason) {
    throw new NotApplicable(reason);
  }

  /** What must hold, or the server is vulnerable. */
  must(holds, otherwise) {
    if (!holds) throw new Vulnerable(otherwise);
  }

  /** What the check itself needs, so that it shows anything. */
  needs(holds, what) {
    if (!holds) throw new NotApplicable(`the check cannot be made: ${what}`);
  }

  /** One request. `as`: `master`, `readOnly`, `maintenance`, a session token, or nothing. */
  async request(method, path, { as, body, query, headers = {}, raw, timeout = 20_000 } = {}) {
    const all = { 'X-Parse-Application-Id': this.keys.app };
    if (as === 'master') all['X-Parse-Master-Key'] = this.keys.master;
    else if (as === 'readOnly') all['X-Parse-Master-Key'] = this.keys.readOnly;
    else if (as === 'maintenance') all['X-Parse-Maintenance-Key'] = this.keys.maintenance;
    else if (as) all['X-Parse-Session-Token'] = as;
    for (const [name, value] of Object.entries(headers)) {
      if (value === null) delete all[name];
      else all[name] = value;
    }
    const url = path.startsWith('http') ? path : this.url + path;
    return send(url, { method, headers: all, json: body, data: raw, query, timeout });
  }

  get(path, options) {
    return this.request('GET', path, options);
  }
  post(path, body, options) {
    return this.request('POST', path, { body, ...options });
  }
  put(path, body, options) {
    return this.request('PUT', path, { body, ...options });
  }
  del(path, options) {
    return this.request('DELETE', path, options);
  }

  /** A GraphQL request; the answer, or not applicable without GraphQL. */
  async gql(query, { as, variables, headers, method = 'POST', body, raw } = {}) {
    if (!this.graphql) this.na('GraphQL is not mounted');
    if (method === 'GET') return this.request('GET', this.graphql, { as, headers, query: { query } });
    return this.request('POST', this.graphql, { as, headers, body: raw === undefined ? body ?? { query, variables } : undefined, raw });
  }

  /** Signs up a user: `{id, token, username, password, email}`. */
  async signUp(fields = {}) {
    const user = { username: this.name('u'), password: 'correct horse', ...fields };
    const made = await this.post('/users', user);
    this.needs(made.status === 201 && made.body?.objectId, `signing up answers ${made.status} ${made.text}`);
    return { ...user, id: made.body.objectId, token: made.body.sessionToken };
  }

  /** Makes a class with permissions and fields, as master. */
  async makeClass(name, fields = {}, classLevelPermissions) {
    const answer = await this.post(`/schemas/${name}`, { className: name, fields, classLevelPermissions }, { as: 'master' });
    this.needs(answer.status === 200, `making a class answers ${answer.status} ${answer.text}`);
  }

  /** Makes an object; its id. */
  async make(className, fields, as = 'master') {
    const answer = await this.post(`/classes/${className}`, fields, { as });
    this.needs(answer.status === 201, `making an object answers ${answer.status} ${answer.text}`);
    return answer.body.objectId;
  }

  /** The server answers health. */
  async alive() {
    try {
      const answer = await this.get('/health', { timeout: 10_000 });
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  /** Whether a request is refused: a status of 400 and more, but no 5xx. */
  refused(answer) {
    return answer.status >= 400 && answer.status < 500;
  }
}

/** A public read, private write ACL. */
export const everybody = { '*': { read: true, write: true } };
export const open = { find: { '*': true }, get: { '*': true }, count: { '*': true }, create: { '*': true }, update: { '*': true }, delete: { '*': true }, addField: { '*': true } };
export const pointer = (className, objectId) => ({ __type: 'Pointer', className, objectId });
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/** The helper server: mail that servers forward, an OAuth2 introspection endpoint, and a record of who called. */
export class Helper {
  constructor() {
    this.mails = [];
    this.calls = [];
    /** token → answer of the introspection endpoint */
    this.tokens = new Map();
    this.server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        this.calls.push({ method: request.method, url: request.url, headers: request.headers, text });
        let reply = {};
        if (request.url.startsWith('/introspect')) {
          reply = this.tokens.get(new URLSearchParams(text).get('token')) ?? { active: false };
        } else if (request.url.startsWith('/mail')) {
          try {
            this.mails.push({ kind: request.url.slice(6), mail: JSON.parse(text) });
          } catch {
            // not a mail
          }
        } else if (request.url.startsWith('/hook/')) {
          reply = this.hook ? this.hook(JSON.parse(text || '{}'), request) : { success: null };
        }
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify(reply));
      });
    });
  }

  async start() {
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections?.();
    return new Promise(resolve => this.server.close(resolve));
  }

  /** The newest mail to an address, once it is there. */
  async mail(address) {
    for (let i = 0; i < 100; i++) {
      const found = this.mails.findLast(({ mail }) => JSON.stringify(mail).includes(address));
      if (found) return found;
      await sleep(50);
    }
    return undefined;
  }

  /** The token in the link of the newest mail to an address. */
  async token(address) {
    const found = await this.mail(address);
    return /[?&]token=([A-Za-z0-9]+)/.exec(JSON.stringify(found ?? ''))?.[1];
  }
}
