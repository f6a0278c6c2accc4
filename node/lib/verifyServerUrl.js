'use strict';
// Whether the address that programs give for the server leads to it.

const ADVICE = 'Cloud code and push notifications may be unavailable!';

/** Asks the server for its health; warns, as parse-server does, if there is no answer. */
async function verifyServerUrl(url) {
  if (!url) return undefined;
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    console.warn(`\nWARNING, Unable to connect to '${url}' as the URL is invalid. ${ADVICE}\n`);
    return undefined;
  }
  const status = await health(`${url.replace(/\/$/, '')}/health`);
  if (status === 'ok') return true;
  console.warn(`\nWARNING, Unable to connect to '${url}'. ${ADVICE}\n`);
  return undefined;
}

async function health(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const { status } = await answer.json();
    return answer.ok ? status : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { verifyServerUrl };
