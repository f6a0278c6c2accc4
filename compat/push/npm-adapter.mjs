// @parse/push-adapter in a process of its own. All its connections go to the endpoints of the test, whatever host it asks for.
//
// Started by `startNpmAdapter`: gets `{body, installations}` and answers `{results}` or `{error}`.
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);

/** Starts the adapter with these settings. `send` resolves with its results, flattened, or rejects with its error. */
export function startNpmAdapter(settings, { port, ca }) {
  const env = { ...process.env, ENDPOINTS_PORT: String(port), PUSH_SETTINGS: JSON.stringify(settings), NODE_EXTRA_CA_CERTS: ca, NODE_NO_WARNINGS: '1' };
  const child = fork(self, [], { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let last = 0;
  let words = '';
  const waiting = new Map();
  child.on('message', ({ id, ...outcome }) => waiting.get(id)(outcome));
  child.stderr.on('data', text => (words = (words + text).slice(-3000)));
  child.on('exit', () => waiting.forEach(settle => settle({ error: `the adapter ended: ${words}` })));
  return {
    send: (body, installations) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, outcome => (outcome.error ? reject(new Error(outcome.error)) : resolve(outcome.results)));
        child.send({ id, body, installations });
      }),
    stop: () =>
      new Promise(resolve => {
        child.on('exit', resolve);
        child.kill();
      }),
  };
}

/** Makes every connection with TLS go to the endpoints. */
function redirect() {
  const require = createRequire(import.meta.url);
  const tls = require('node:tls');
  const connect = tls.connect;
  tls.connect = (...args) => {
    // (options), (port, options), (port, host, options)
    const options = args.find(arg => arg && typeof arg === 'object') ?? {};
    const host = (typeof args[1] === 'string' ? args[1] : undefined) ?? options.servername ?? options.host;
    const callback = args.find(arg => typeof arg === 'function');
    const there = { ...options, host: '127.0.0.1', port: Number(process.env.ENDPOINTS_PORT), servername: host };
    return connect.call(tls, there, callback);
  };
}

if (process.argv[1] === self && process.send) {
  redirect();
  const { ParsePushAdapter } = await import('@parse/push-adapter');
  const adapter = new ParsePushAdapter(JSON.parse(process.env.PUSH_SETTINGS));
  process.on('message', async ({ id, body, installations }) => {
    try {
      const results = await adapter.send(body, installations);
      process.send({ id, results: results.flat(3) });
    } catch (error) {
      process.send({ id, error: error.message ?? String(error) });
    }
  });
}
