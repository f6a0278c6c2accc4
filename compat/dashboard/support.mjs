import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repoDir } from '../lib/env.mjs';
import { send } from '../lib/http.mjs';
import { startServer } from '../lib/server.mjs';

export const MASTER = 'the master key that no page gets';

/** A server that hosts the dashboard; `dashboard`: more of its options. */
export function startWithDashboard(dashboard = {}, options = {}) {
  const tool = path.join(repoDir, 'tests/tools/parse-dashboard');
  const folder = execFileSync(tool, [path.join(repoDir, 'target/test-tools')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  return startServer({ appName: 'Test', masterKey: MASTER, mountGraphQL: true, dashboard: { enabled: true, package: folder, ...dashboard }, ...options });
}

/** A browser without a window: keeps cookies, follows nothing. */
export class Visitor {
  constructor(server) {
    this.server = server;
    this.cookies = new Map();
  }

  async request(method, where, { headers = {}, ...rest } = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await send(this.server.root + where, { method, headers: { ...(cookie && { Cookie: cookie }), ...headers }, ...rest });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/Max-Age=0/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  /** Sends the form of the log in. */
  async logIn(fields, { redirect = '', headers = {} } = {}) {
    const page = await this.request('GET', `/dashboard/login${redirect && `?redirect=${encodeURIComponent(redirect)}`}`);
    const token = /<script id="csrf" type="application\/json">"([^"]+)"/.exec(page.text)?.[1];
    const data = new URLSearchParams({ _csrf: token, redirect, ...fields }).toString();
    return this.request('POST', '/dashboard/login', { data, headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers } });
  }

  config(headers) {
    return this.request('GET', '/dashboard/parse-dashboard-config.json', { headers });
  }

  /** A request to the API as a page sends it, with the key that the page got. */
  async api(method, where, { key, headers = {}, ...rest } = {}) {
    const own = key ?? (await this.config()).body.apps[0].masterKey;
    return this.request(method, `/parse${where}`, { headers: { 'X-Parse-Application-Id': 'app', 'X-Parse-Master-Key': own, ...headers }, ...rest });
  }
}
