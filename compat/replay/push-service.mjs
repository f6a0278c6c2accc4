// A sender of pushes that answers for each device by its token: bad-* -> "Unregistered", fail-* -> "Throttled", fcm-* -> FCM's error for a token that
// is not registered, lost-* -> nothing, slow-* -> late, crash-* -> status 500; others got the push. GET /push/calls lists what it was handed, and forgets it.
import { sleep } from '../lib/net.mjs';

const LATE = 1500;
/** parse-server loses count of a row when the calls of one batch end at different times: those that come close together are answered together. */
const TOGETHER = 150;

const ERRORS = [
  ['bad-', 'Unregistered'],
  ['fail-', 'Throttled'],
  ['fcm-', { code: 'messaging/registration-token-not-registered' }],
];

function result({ deviceType, deviceToken }) {
  const device = { deviceType, deviceToken };
  const error = ERRORS.find(([prefix]) => deviceToken.startsWith(prefix))?.[1];
  return error ? { device, transmitted: false, response: { error } } : { device, transmitted: true };
}

export class PushService {
  #calls = [];
  #held = [];
  #timer;

  forget() {
    this.#calls = [];
  }

  #together() {
    return new Promise(go => {
      this.#held.push(go);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#held.splice(0).forEach(next => next()), TOGETHER);
    });
  }

  /** Answers a request; `undefined` when it is none for a sender. */
  async answer({ url, body }) {
    if (url === '/push/calls') {
      const calls = this.#calls;
      this.forget();
      return { json: { calls } };
    }
    if (url !== '/push') return undefined;
    this.#calls.push(body);
    const has = prefix => body.installations.some(({ deviceToken }) => deviceToken.startsWith(prefix));
    if (has('slow-')) await sleep(LATE);
    else await this.#together();
    if (has('crash-')) return { status: 500, json: {} };
    return { json: body.installations.filter(({ deviceToken }) => !deviceToken.startsWith('lost-')).map(result) };
  }
}
