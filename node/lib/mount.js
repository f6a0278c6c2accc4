'use strict';
// Leads requests for the API past the program's Express where Express would ask nobody else about them: it takes longer to find that
// out than all the rest takes. Express tells an app that is mounted where it is; that is what the middleware of this package is to it.
const http = require('node:http');

/** A path that nothing else is meant by. */
const PLAIN = /^(\/[\w.~-]+)+$/;

/** What Express 4 puts before all that a program gives it. */
const BEFORE = ['query', 'expressInit'];

const POWERED = ['X-Powered-By', 'Express'];

/** By app: where middleware of this package is mounted in it. */
const mounts = new WeakMap();

/**
 * How a request came that Express has not seen: the path of the mount, the rest of its address, and headers that answers begin with.
 * @typedef {{ mount: string, url: string, first: string[] }} Way
 */

/**
 * Makes middleware an app that Express can mount, and that can listen by itself.
 * @param {Function} middleware of Express
 * @param {(req: object, res: object, way: Way) => void} [direct] serves a request without Express; absent if it needs that
 */
function mountable(middleware, direct) {
  return Object.assign(middleware, {
    handle: middleware,
    emit(event, parent) {
      if (event === 'mount' && direct) mounted(parent, this.mountpath, direct);
    },
    listen(...where) {
      return http.createServer(middleware).listen(...where);
    },
    set() {
      throw new Error('server.app has no settings; give them to the Express app that it is mounted in');
    },
  });
}

function mounted(app, path, direct) {
  const layer = stackOf(app)?.at(-1);
  if (typeof path !== 'string' || !PLAIN.test(path) || !layer) return;
  if (!mounts.has(app)) {
    mounts.set(app, []);
    const { handle } = app;
    app.handle = function (req, res, next) {
      // With `next` it is mounted itself.
      if (next !== undefined || !lead(app, req, res)) handle.call(this, req, res, next);
    };
  }
  mounts.get(app).push({ path, layer, direct });
}

/** The middleware of an app, in its order. An Express 4 app has a `router` that throws. */
const stackOf = app => (app._router ?? app.router)?.stack;

/** Serves a request, if nobody but the API is to be asked about it. */
function lead(app, req, res) {
  const { url } = req;
  const mount = mounts.get(app).find(({ path }) => url.startsWith(path) && isEnd(url[path.length]));
  // What has hooked into the class of answers expects Express's, and proxies are for Express to know.
  if (!mount || Object.getPrototypeOf(res) !== http.ServerResponse.prototype || app.enabled('trust proxy')) return false;
  if (!isFirst(stackOf(app), mount.layer, url.split('?', 1)[0])) return false;
  const rest = url.slice(mount.path.length);
  mount.direct(req, res, { mount: mount.path, url: rest[0] === '/' ? rest : `/${rest}`, first: app.enabled('x-powered-by') ? POWERED : [] });
  return true;
}

const isEnd = character => character === '/' || character === '?' || character === undefined;

/** Whether no middleware before this one matches a path. */
function isFirst(stack, layer, path) {
  try {
    return layer === stack.find((other, index) => other === layer || (other.name !== BEFORE[index] && other.match(path)));
  } catch {
    // A path that cannot be decoded.
    return false;
  }
}

module.exports = { mountable };
