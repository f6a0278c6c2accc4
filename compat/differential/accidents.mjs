// Accidental answers of the reference, and the correct answer instead.

const isHtml = answer => (answer.headers['content-type'] ?? '').startsWith('text/html');

/** Internal errors, and errors that its web framework writes in HTML. */
export const isAccident = answer => answer.status >= 500 || (answer.status >= 400 && isHtml(answer));

/** A 4xx with a JSON error; in place of an HTML error, with its status. */
export function isRefusal(answer, accident) {
  if (typeof answer.body?.error !== 'string') return false;
  if (accident.status < 500) return answer.status === accident.status;
  return answer.status >= 400 && answer.status < 500 && typeof answer.body.code === 'number';
}
