// Plays one scenario against a running server.
import { send } from '../lib/http.mjs';
import { sleep } from '../lib/net.mjs';
import { differences, problems } from './compare.mjs';
import { Scope } from './placeholders.mjs';
import { Sockets } from './sockets.mjs';

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

function ask(step, scope) {
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
    if (!/^(body|text|header)\b/.test(where)) continue; // of a message to a client
    const value = lookUp(answer, where);
    if (value === undefined) yield `nothing at ${where} to capture as ${name}`;
    else scope.captured.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

async function attempt(step, scope) {
  if (!step.request) return [];
  try {
    const answer = await ask(step, scope);
    return [...problems(step, answer, scope), ...capture(step, answer, scope)];
  } catch (error) {
    return [`could not be played: ${error.message}`];
  }
}

/** The original was waited for before this was read; a busy machine may take longer. */
function patience({ wait, request }) {
  const reads = request?.method === 'GET' && request.url.startsWith('{{baseURL}}');
  return { times: wait && reads ? 100 : 0, every: 100 };
}

/** Says how a web hook answers from now on. */
async function script({ hook, answer }, scope) {
  await send(`${scope.addresses.helperURL}/script/${hook}`, { method: 'PUT', json: { reply: scope.fill(answer) } });
}

/** What is wrong with the calls that web hooks got. */
async function callProblems({ called = {} }, scope) {
  const found = [];
  for (const [hook, expected] of Object.entries(called)) {
    const { body } = await send(`${scope.addresses.helperURL}/calls/${hook}?count=${expected.length}`);
    found.push(...differences(expected, body.calls.map(call => call.body), scope, { at: `hook ${hook}` }));
  }
  return found;
}

/** The request of a step, again while what is done in the background takes its time. */
async function insist(step, scope) {
  let found = await attempt(step, scope);
  const { times, every } = step.retry ?? patience(step);
  for (let left = times; found.length > 0 && left > 0; left--) {
    await sleep(every);
    found = await attempt(step, scope);
  }
  return found;
}

async function perform(step, scope, sockets) {
  if (step.wait) await sleep(step.wait);
  try {
    if (step.hook) await script(step, scope);
    const asked = await insist(step, scope);
    const acted = await sockets.act(step, scope);
    return [...asked, ...acted, ...(await sockets.problems(step, scope)), ...(await callProblems(step, scope))];
  } catch (error) {
    return [`could not be played: ${error.message}`];
  }
}

/** Plays all steps in order; returns `{id, title, problems}` for each. */
export async function play(scenario, addresses) {
  const scope = new Scope(addresses);
  const sockets = new Sockets(addresses);
  const results = [];
  for (const step of scenario.steps) results.push({ id: step.id, title: step.title, problems: await perform(step, scope, sockets) });
  const left = await sockets.end();
  if (left.length > 0) results.push({ id: 'end', title: 'nothing else is heard', problems: left });
  return results;
}
