// Web hooks that a scenario scripts, and whose calls it looks at:
//
//   PUT /script/NAME {"reply": JSON}   says how POST /hook/rec/NAME (or /hook/NAME) is answered and forgets earlier calls. `text` stands for a body that is
//                                      no JSON; `status`, `headers` and `delay` (ms) go with it. In a reply "$in.PATH" is a value of the body
//                                      received, and the key "..." spreads an object of it. Without a script: {"success": null}.
//   GET /calls/NAME?count=N            waits up to 3 s for N calls, gives {"calls": [{method, contentType, webhookKey, body}]}, forgets them.
import { sleep } from '../lib/net.mjs';

const PATIENCE = 3000;

/** The part of a reply with values of the received body in it. */
function fill(reply, body) {
  if (typeof reply === 'string' && reply.startsWith('$in.')) {
    return reply.slice('$in.'.length).split('.').reduce((value, key) => value?.[key], body);
  }
  if (Array.isArray(reply)) return reply.map(item => fill(item, body));
  if (reply === null || typeof reply !== 'object') return reply;
  return Object.entries(reply).reduce(
    (filled, [key, value]) => (key === '...' ? { ...filled, ...fill(value, body) } : { ...filled, [key]: fill(value, body) }),
    {},
  );
}

/** The body of a call as scenarios compare it: without the log, and of the headers only those that a client chose. */
function comparable({ log, ...body }) {
  if (!body.headers) return body;
  const chosen = Object.entries(body.headers).filter(([name]) => /^x-(parse|test)-/.test(name));
  return { ...body, headers: Object.fromEntries(chosen) };
}

export class Recorder {
  #scripts = new Map();
  #calls = new Map();

  /** Answers a request; `undefined` when it is none for the recorder. */
  async answer({ method, url, headers, body }) {
    const { pathname, searchParams } = new URL(url, 'http://outside');
    const [, verb, ...rest] = pathname.split('/');
    if (verb === 'script') {
      this.#scripts.set(rest[0], body);
      this.#calls.delete(rest[0]);
      return { json: {} };
    }
    if (verb === 'calls') return { json: { calls: await this.#taken(rest[0], Number(searchParams.get('count') ?? 0)) } };
    if (verb !== 'hook') return undefined;
    const name = rest[0] === 'rec' ? rest[1] : rest[0];
    if (rest[0] === 'rec' || this.#scripts.has(name)) return this.#called(name, { method, headers, body });
    return undefined;
  }

  async #called(name, { method, headers, body }) {
    const call = { method, contentType: headers['content-type'], webhookKey: headers['x-parse-webhook-key'] ?? null, body: comparable(body) };
    this.#calls.set(name, [...(this.#calls.get(name) ?? []), call]);
    const { reply = { success: null }, text, status = 200, headers: own = {}, delay = 0 } = this.#scripts.get(name) ?? {};
    await sleep(delay);
    return text === undefined ? { status, headers: own, json: fill(reply, body) } : { status, headers: own, text };
  }

  async #taken(name, count) {
    const end = Date.now() + PATIENCE;
    while ((this.#calls.get(name)?.length ?? 0) < count && Date.now() < end) await sleep(10);
    const calls = this.#calls.get(name) ?? [];
    this.#calls.delete(name);
    return calls;
  }
}
