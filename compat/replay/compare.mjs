// Compares an answer with what the scenario expects.

const brief = value => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
};
/** The key of an expected object that allows any further keys. */
const FURTHER_KEYS = '{{others}}';

const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Yields a line for every difference between an expectation and a value. `unordered` names arrays that are sets. */
export function* differences(expected, actual, scope, { at = 'body', unordered = [] } = {}) {
  if (typeof expected === 'string') {
    if (!scope.matches(expected, actual)) yield `${at}: expected ${brief(scope.fill(expected))}, got ${brief(actual)}`;
  } else if (Array.isArray(expected)) {
    yield* arrayDifferences(expected, actual, scope, { at, unordered });
  } else if (isObject(expected)) {
    yield* objectDifferences(expected, actual, scope, { at, unordered });
  } else if (!Object.is(expected, actual)) {
    yield `${at}: expected ${brief(expected)}, got ${brief(actual)}`;
  }
}

function* arrayDifferences(expected, actual, scope, { at, unordered }) {
  if (!Array.isArray(actual)) return yield `${at}: expected an array, got ${brief(actual)}`;
  if (expected.length !== actual.length) return yield `${at}: expected ${expected.length} elements, got ${actual.length}: ${brief(actual)}`;
  if (!unordered.includes(at)) {
    for (const [index, item] of expected.entries()) yield* differences(item, actual[index], scope, { at: `${at}[${index}]`, unordered });
    return;
  }
  const rest = [...actual];
  for (const item of expected) {
    const found = rest.findIndex(candidate => differences(item, candidate, scope, { at, unordered }).next().done);
    if (found < 0) return yield `${at}: no element is like ${brief(item)} among ${brief(rest)}`;
    rest.splice(found, 1);
  }
}

function* objectDifferences(expected, actual, scope, { at, unordered }) {
  if (!isObject(actual)) return yield `${at}: expected an object, got ${brief(actual)}`;
  const left = new Set(Object.keys(actual));
  for (const [key, value] of Object.entries(expected)) {
    if (key === FURTHER_KEYS) continue;
    const name = findKey(key, actual, scope);
    if (name === undefined) {
      yield `${at}.${scope.fill(key)}: missing, expected ${brief(value)}`;
    } else {
      left.delete(name);
      yield* differences(value, actual[name], scope, { at: `${at}.${key}`, unordered });
    }
  }
  if (Object.hasOwn(expected, FURTHER_KEYS)) return;
  for (const key of left) yield `${at}.${key}: not expected, got ${brief(actual[key])}`;
}

/** Keys may hold placeholders too: the ACL entry of a user whose id nobody knows, say. */
function findKey(template, actual, scope) {
  const key = scope.fill(template);
  if (Object.hasOwn(actual, key)) return key;
  return key.includes('{{') ? Object.keys(actual).find(candidate => scope.matches(template, candidate)) : undefined;
}

/**
 * Where the reference fails by accident, a proper refusal is right too: in place of its 500s any 4xx with a Parse error,
 * in place of its web framework's HTML the same status with a JSON error.
 */
function isProperRefusal(step, answer) {
  const { status, headers } = step.response;
  const html = status >= 400 && headers?.['content-type'] === 'text/html' && !step.request.url.includes('/apps/');
  if (status !== 500 && !html) return false;
  const statusIsRight = status === 500 ? answer.status >= 400 && answer.status < 500 : answer.status === status;
  if (!statusIsRight || !isObject(answer.body)) return false;
  const { code, error, errors } = answer.body;
  return Array.isArray(errors) || (typeof error === 'string' && (html || typeof code === 'number'));
}

/** Codes of refusals that come from a GraphQL library: its texts are its own. */
const LIBRARY_CODES = new Set(['GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED', 'BAD_USER_INPUT', 'OPERATION_RESOLUTION_FAILURE', 'BAD_REQUEST']);

/** GraphQL: positions never count, and of a refusal by parser or validator only the code does. */
function withoutLibraryTexts(body, byLibrary) {
  if (!isObject(body) || !Array.isArray(body.errors)) return body;
  if (byLibrary) return { ...body, errors: body.errors.slice(0, 1).map(error => ({ extensions: { code: error.extensions?.code } })) };
  return { ...body, errors: body.errors.map(({ locations, ...rest }) => rest) };
}

/** Every way in which an answer is not what the step expects. */
export function problems(step, answer, scope) {
  if (isProperRefusal(step, answer)) return [];
  const expected = step.response;
  const found = [];
  if (answer.status !== expected.status) found.push(`status: expected ${expected.status}, got ${answer.status} ${answer.text.slice(0, 300)}`);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const actual = name === 'content-type' ? answer.headers[name]?.split(';')[0].trim() : answer.headers[name];
    if (value === null ? actual !== undefined : !scope.matches(value, actual)) {
      found.push(`header ${name}: expected ${value === null ? 'none' : scope.fill(value)}, got ${actual ?? 'none'}`);
    }
  }
  if (Object.hasOwn(expected, 'body')) {
    const errors = expected.body?.errors;
    const byLibrary = Array.isArray(errors) && errors.length > 0 && errors.every(error => LIBRARY_CODES.has(error.extensions?.code));
    const [want, got] = [expected.body, answer.body].map(body => withoutLibraryTexts(body, byLibrary));
    if (answer.body === undefined) found.push(`body: expected JSON, got ${brief(answer.text)}`);
    else found.push(...differences(want, got, scope, { unordered: expected.unordered }));
  } else if (Object.hasOwn(expected, 'text') && !scope.matches(expected.text, answer.text)) {
    found.push(`text: expected ${brief(scope.fill(expected.text))}, got ${brief(answer.text)}`);
  }
  return found;
}
