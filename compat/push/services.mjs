// What the servers and the adapter are configured with: keys, certificates, a device of every kind.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import forge from 'node-forge';
import { certificate } from '../accounts/certificates.mjs';
import { tempDir } from '../lib/temp.mjs';

/** Names that the services have in the world. */
export const HOSTS = ['api.push.apple.com', 'api.sandbox.push.apple.com', 'fcm.googleapis.com', 'oauth2.googleapis.com', 'www.googleapis.com', 'exp.host', 'push.example'];

const pem = { type: 'pkcs8', format: 'pem' };
const base64url = bytes => Buffer.from(bytes).toString('base64url');

/** A P-256 pair: PEM of the private key, and both keys as browsers have them. */
export function ecKeys() {
  const pair = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { x, y, d } = pair.privateKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { private: pair.privateKey.export(pem), publicKey: pair.publicKey, point: base64url(point), secret: d };
}

/** All keys, and files with those that are given as paths. */
export function makeKeys() {
  const dir = tempDir('reparse-push');
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const apple = ecKeys();
  const vapid = ecKeys();
  // Apple's mark of a certificate for its production servers
  const mac = certificate('mac', 'mac', undefined, [{ id: '1.2.840.113635.100.6.3.2', value: '\x05\x00' }]);
  const account = {
    type: 'service_account',
    project_id: 'project',
    client_email: 'server@project.iam.gserviceaccount.com',
    private_key: rsa.privateKey.export(pem),
  };
  const file = (name, content) => {
    fs.writeFileSync(path.join(dir, name), content);
    return path.join(dir, name);
  };
  const p12 = forge.pkcs12.toPkcs12Asn1(forge.pki.privateKeyFromPem(mac.key), [forge.pki.certificateFromPem(mac.cert)], 'secret', { algorithm: '3des' });
  return {
    apple,
    vapid,
    google: rsa.publicKey,
    account,
    accountFile: file('account.json', JSON.stringify(account)),
    appleFile: file('AuthKey.p8', apple.private),
    mac,
    macFile: file('mac.pem', mac.cert),
    pfxFile: file('mac.p12', Buffer.from(forge.asn1.toDer(p12).getBytes(), 'binary')),
  };
}

/** The option `push` as it stands in the configuration of a parse-server. */
export function pushSettings(keys) {
  const token = { key: keys.appleFile, keyId: 'KEY0000001', teamId: 'TEAM000001' };
  return {
    ios: [
      { token, topic: 'com.example.app', production: true },
      { token, topic: 'com.example.other', production: false },
    ],
    tvos: { useNativeAPNs: true, token: { ...token, key: keys.apple.private }, topic: 'com.example.tv', production: true },
    osx: { cert: keys.macFile, key: keys.mac.key, topic: 'com.example.mac', production: true },
    watchos: { firebaseServiceAccount: keys.accountFile },
    android: { firebaseServiceAccount: keys.accountFile },
    fcm: { firebaseServiceAccount: keys.accountFile, fcmEnableLegacyHttpTransport: true },
    web: { vapidDetails: { subject: 'mailto:push@example.com', publicKey: keys.vapid.point, privateKey: keys.vapid.secret }, TTL: 3600, urgency: 'high', topic: 'news' },
    expo: { accessToken: 'expo-secret' },
  };
}

/** The same for reparse, with the endpoints of the test. */
export function withEndpoints(settings, { port, ca }) {
  const apns = { address: 'localhost', port, ca };
  const firebase = { endpoint: `https://localhost:${port}`, tokenEndpoint: `https://localhost:${port}/token`, ca };
  return {
    ...settings,
    ios: settings.ios.map(app => ({ ...app, ...apns })),
    tvos: { ...settings.tvos, ...apns },
    osx: { ...settings.osx, ...apns },
    watchos: { ...settings.watchos, ...firebase },
    android: { ...settings.android, ...firebase },
    fcm: { ...settings.fcm, ...firebase },
    web: { ...settings.web, allowLocalEndpoints: true, ca },
    expo: { ...settings.expo, endpoint: `https://localhost:${port}`, ca },
  };
}

/** One device of every kind. `web` has the browser's keys beside it. */
export function makeDevices(webOrigin) {
  const browser = { ...ecKeys(), auth: base64url(crypto.randomBytes(16)) };
  const subscription = { endpoint: `${webOrigin}/web/1`, expirationTime: null, keys: { p256dh: browser.point, auth: browser.auth } };
  const hex = crypto.randomBytes(32).toString('hex');
  return {
    browser,
    rows: [
      { deviceType: 'ios', deviceToken: hex, appIdentifier: 'com.example.app' },
      { deviceType: 'tvos', deviceToken: 'tv-token', appIdentifier: 'com.example.tv' },
      { deviceType: 'osx', deviceToken: 'mac-token', appIdentifier: 'com.example.mac' },
      { deviceType: 'watchos', deviceToken: 'watch-token', appIdentifier: 'com.example.app' },
      { deviceType: 'android', deviceToken: 'android-token' },
      { deviceType: 'android', pushType: 'fcm', deviceToken: 'fcm-token' },
      { deviceType: 'web', deviceToken: JSON.stringify(subscription) },
      { deviceType: 'android', pushType: 'expo', deviceToken: 'ExponentPushToken[abc]' },
    ],
  };
}

/** The kind of a device, as the option `push` names it. */
export const kindOf = row => row.pushType ?? row.deviceType;
