'use strict';
// REST requests of the SDK go over the socket, with the rights that the call states.
const { Buffer } = require('node:buffer');

/** Puts a controller into the SDK that sends requests to the server of the channel. */
function install(Parse, channel, options) {
  const core = Parse.CoreManager;
  const http = core.getRESTController();
  const base = () => core.get('SERVER_URL').replace(/\/$/, '');

  async function send(request, body) {
    const { value, attachment } = await channel.call('rest', request, body);
    const text = attachment.toString('utf8');
    const response = text === '' ? {} : JSON.parse(text);
    if (value.status >= 400) throw failure(value.status, response);
    return { status: value.status, headers: named(value.headers ?? {}), response };
  }

  /** Headers under the names by which the SDK looks for them: `X-Parse-Job-Status-Id`. */
  function named(headers) {
    const name = text => text.replace(/(^|-)[a-z]/g, first => first.toUpperCase());
    return Object.fromEntries(Object.entries(headers).map(([key, value]) => [name(key), value]));
  }

  function failure(status, response) {
    const forbidden = status === 403 ? Parse.Error.OPERATION_FORBIDDEN : Parse.Error.OTHER_CAUSE;
    return new Parse.Error(response.code ?? forbidden, response.error ?? response.message ?? `status ${status}`);
  }

  const controller = {
    ...http,
    async request(method, path, data, given = {}) {
      if (options.directAccess === false) return http.request(method, path, data, given);
      const request = {
        method,
        path: path.replace(/^\//, ''),
        auth: {
          useMasterKey: given.useMasterKey ?? core.get('USE_MASTER_KEY') ?? false,
          useMaintenanceKey: given.useMaintenanceKey ?? false,
          sessionToken: given.sessionToken,
          installationId: given.installationId,
        },
        context: given.context,
      };
      const { status, headers, response } = await send(request, Buffer.from(JSON.stringify(data ?? {})));
      return given.returnStatus ? { ...response, _status: status, _headers: headers } : response;
    },
    /** Used by the SDK for bodies that are no JSON: files. */
    async ajax(method, url, data, headers = {}, given = {}) {
      const prefix = `${base()}/`;
      if (options.directAccess === false || !String(url).startsWith(prefix)) {
        return http.ajax(method, url, data, headers, given);
      }
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
      const request = {
        method,
        path: url.slice(prefix.length),
        auth: {
          useMasterKey: lower['x-parse-master-key'] !== undefined && lower['x-parse-master-key'] === core.get('MASTER_KEY'),
          sessionToken: lower['x-parse-session-token'],
          installationId: lower['x-parse-installation-id'],
        },
        contentType: lower['content-type'],
        headers: lower,
      };
      return send(request, await bytesOf(data));
    },
  };
  core.setRESTController(controller);
}

async function bytesOf(data) {
  if (data === undefined || data === null) return Buffer.alloc(0);
  if (typeof data === 'string') return Buffer.from(data);
  if (Buffer.isBuffer(data)) return data;
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  const chunks = [];
  for await (const chunk of data) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

module.exports = { install };
