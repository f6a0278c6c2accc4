// Plays one scenario against a running server.
import { send } from '../lib/http.mjs';
import { sleep } from '../lib/net.mjs';
import { problems } from './compare.mjs';
import { Scope } from './placeholders.mjs';

/** The bytes of a request's body and the content type that goes with them. */
function encode(request) {
  if (request.body !== undefined) return { data: JSON.stringify(request.body), type: 'application/json' };
  if (request.text !== undefined) return { data: request.text };
  if (request.base64 !== undefined) return { data: Buffer.from(request.base64, 'base64') };
  if (request.form) return { data: new URLSearchParams(request.form).toString(), type: 'application/x-www-form-urlencoded' };
  if (request.multipart) return encodeMultipart(request.multipart);
  return {};
}

function encodeMultipart(parts) {
  const boundary = 'a-boundary-that-nobody-writes';
  const lines = parts.flatMap(part => [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${part.name}"${part.filename ? `; filename="${part.filename}"` : ''}`,
    ...(part.contentType ? [`Content-Type: ${part.contentType}`] : []),
    '',
    typeof part.value === 'string' ? part.value : JSON.stringify(part.value),
  ]);
  return { data: [...lines, `--${boundary}--`, ''].join('\r\n'), type: `multipart/form-data; boundary=${boundary}` };
}

function perform(step, scope) {
  const request = scope.fill(step.request);
  const { data, type } = encode(request);
  const headers = { ...request.headers };
  const typed = Object.keys(headers).some(name => name.toLowerCase() === 'content-type');
  if (type && (!typed || request.form || request.multipart)) headers['Content-Type'] = type;
  return send(request.url, { method: request.method, headers, query: request.query, data });
}

/** What stands at a path such as `body.results.0.objectId` or `header.location`. */
function lookUp(answer, where) {
  if (where.startsWith('header.')) return answer.headers[where.slice('header.'.length)];
  return where.split('.').reduce((value, key) => value?.[key], { body: answer.body, text: answer.text });
}

function* capture(step, answer, scope) {
  for (const [name, where] of Object.entries(step.capture ?? {})) {
    const value = lookUp(answer, where);
    if (value === undefined) yield `nothing at ${where} to capture as ${name}`;
    else scope.captured.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

async function attempt(step, scope) {
  try {
    const answer = await perform(step, scope);
    return [...problems(step, answer, scope), ...capture(step, answer, scope)];
  } catch (error) {
    return [`could not be played: ${error.message}`];
  }
}

/** The original was waited for before this was read; a busy machine may take longer. */
function patience({ wait, request }) {
  const reads = request.method === 'GET' && request.url.startsWith('{{baseURL}}');
  return { times: wait && reads ? 100 : 0, every: 100 };
}

/** Plays all steps in order; returns `{id, title, problems}` for each. */
export async function play(scenario, addresses) {
  const scope = new Scope(addresses);
  const results = [];
  for (const step of scenario.steps) {
    if (step.wait) await sleep(step.wait);
    let found = await attempt(step, scope);
    // What is done in the background takes its time.
    const { times, every } = step.retry ?? patience(step);
    for (let left = times; found.length > 0 && left > 0; left--) {
      await sleep(every);
      found = await attempt(step, scope);
    }
    results.push({ id: step.id, title: step.title, problems: found });
  }
  return results;
}
