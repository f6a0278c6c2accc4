// A mail server that stores what it receives, and functions to read the mails.
import { SMTPServer } from 'smtp-server';
import { until } from '../lib/net.mjs';

const decodeWords = text =>
  text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?(b|q)\?([^?]*)\?=/gi, (_, kind, data) =>
      kind.toLowerCase() === 'b' ? Buffer.from(data, 'base64').toString('utf8') : quotedPrintable(data.replace(/_/g, ' ')),
    );

const quotedPrintable = text => {
  const bytes = text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
};

/** Headers and body of a MIME entity; a multipart one has `parts`. */
function entity(raw) {
  const end = raw.indexOf('\r\n\r\n');
  const head = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const headers = head.split('\r\n').map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  const get = name => headers.find(([key]) => key === name)?.[1] ?? '';
  const body = raw.slice(end + 4);
  const boundary = /boundary="?([^";]+)"?/.exec(get('content-type'))?.[1];
  if (boundary) {
    const parts = body.split(`--${boundary}`).slice(1, -1).map(part => entity(part.replace(/^\r\n/, '').replace(/\r\n$/, '')));
    return { headers, get, parts };
  }
  const encoding = get('content-transfer-encoding').toLowerCase();
  const latin = Buffer.from(body, 'latin1');
  const text = encoding === 'base64' ? Buffer.from(body, 'base64').toString('utf8') : encoding === 'quoted-printable' ? quotedPrintable(body) : latin.toString('utf8');
  return { headers, get, text };
}

/** A mail: header names, `subject`, `type`, `text`, `html`, and the link in its text. */
export function parseMail(raw) {
  const mail = entity(raw.toString('latin1'));
  const part = type => mail.parts?.find(part => part.get('content-type').startsWith(type))?.text;
  const text = part('text/plain');
  return {
    names: mail.headers.map(([name]) => name),
    get: mail.get,
    subject: decodeWords(Buffer.from(mail.get('subject'), 'latin1').toString('utf8')),
    type: mail.get('content-type'),
    text,
    html: part('text/html'),
    link: /https?:\/\/\S+/.exec(text ?? '')?.[0],
  };
}

/**
 * A mail server on the loopback interface. `tls: {key, cert}` offers STARTTLS, with `secure` TLS from the start; `users` are
 * `name → password` of those who may send (none: anybody); `refuse` is asked with the number of the try and may give the code
 * of a refusal.
 */
export async function startMailbox({ tls, secure = false, users, refuse = () => undefined } = {}) {
  const mails = [];
  const seen = { connections: 0, tries: 0, logIns: [], opened: 0 };
  const server = new SMTPServer({
    secure,
    ...tls,
    hideSTARTTLS: !tls,
    authOptional: !users,
    allowInsecureAuth: !tls,
    logger: false,
    closeTimeout: 100,
    onConnect(session, done) {
      seen.connections += 1;
      done();
    },
    onAuth(auth, session, done) {
      seen.logIns.push({ user: auth.username, password: auth.password, secure: session.secure });
      if (users?.[auth.username] === auth.password) return done(null, { user: auth.username });
      return done(Object.assign(new Error('no'), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      const chunks = [];
      stream.on('data', chunk => chunks.push(chunk));
      stream.on('end', () => {
        seen.tries += 1;
        const code = refuse(seen.tries);
        if (code) return done(Object.assign(new Error('not now'), { responseCode: code }));
        const raw = Buffer.concat(chunks);
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({ ...parseMail(raw), raw, from: mailFrom.address, to: rcptTo.map(one => one.address), user: session.user, secure: session.secure });
        return done();
      });
    },
  });
  server.on('error', () => {}); // a client that does not trust us hangs up
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address();
  return {
    port,
    mails,
    seen,
    /** Takes the next mail to an address out of the box. */
    async take(to, limit = 20_000) {
      const index = await until(() => {
        const found = mails.findIndex(mail => mail.to.includes(to));
        return found < 0 ? undefined : { found };
      }, { limit, what: `a mail to ${to}` });
      return mails.splice(index.found, 1)[0];
    },
    stop: () => new Promise(resolve => server.close(resolve)),
  };
}
