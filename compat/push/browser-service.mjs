// Google's push service as Chromium sees it, on this machine: check-in, registration, and the connection on which messages arrive (MCS).
// Only what a browser needs to get a message; the protocol's messages are written by hand.
import crypto from 'node:crypto';
import https from 'node:https';
import tls from 'node:tls';

/** One field of a protocol buffer: a text or bytes, a whole number, or (`fixed64`) 8 bytes. */
function field(number, value) {
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return Buffer.concat([varint((number << 3) | 1), bytes]);
  }
  if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

const VERSION = 41;
const LOGIN_RESPONSE = 3;
const DATA_MESSAGE = 8;
const stanza = (tag, ...fields) => {
  const body = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([tag]), varint(body.length), body]);
};

/** Starts it. `flags` are those with which Chromium finds it; `deliver` hands the encrypted message of a request to the browser. */
export async function startBrowserService(certificate) {
  let registration;
  const web = https.createServer(certificate, (request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/checkin') {
        response.setHeader('content-type', 'application/x-protobuf');
        // accepted, time, the device's id and secret
        response.end(Buffer.concat([field(1, 1), field(3, Date.now()), field(7, 4711n), field(8, 4712n)]));
      } else {
        registration = new URLSearchParams(Buffer.concat(chunks).toString());
        response.end(`token=${crypto.randomUUID()}`);
      }
    });
  });
  let connection;
  let connected;
  const isConnected = new Promise(resolve => (connected = resolve));
  const messages = tls.createServer(certificate, socket => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.concat([Buffer.from([VERSION]), stanza(LOGIN_RESPONSE, field(1, 'chrome'), field(8, Date.now()))]));
      connection = socket;
      connected();
    });
  });
  const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
  const [webPort, messagesPort] = [await listen(web), await listen(messages)];
  const pair = (key, value) => field(7, Buffer.concat([field(1, key), field(2, value)]));
  return {
    flags: [
      `--gcm-checkin-url=https://localhost:${webPort}/checkin`,
      `--gcm-registration-url=https://localhost:${webPort}/register`,
      `--gcm-mcs-endpoint=https://localhost:${messagesPort}`,
    ],
    async deliver(encrypted) {
      await isConnected;
      const parts = [
        field(3, registration.get('sender')),
        field(5, registration.get('app')),
        pair('subtype', registration.get('X-subtype')),
        pair('content-encoding', 'aes128gcm'),
        field(9, crypto.randomUUID()),
        field(21, encrypted),
      ];
      connection.write(stanza(DATA_MESSAGE, ...parts));
    },
    stop() {
      connection?.destroy();
      web.closeAllConnections();
      web.close();
      messages.close();
    },
    get registration() {
      return registration;
    },
  };
}
