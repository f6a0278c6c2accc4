// Certificates for servers on this machine, signed by a test certificate authority.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import forge from 'node-forge';
import { tempDir } from '../lib/temp.mjs';

const DAY = 86_400_000;

/** A certificate and its key; without `signer`, the issuer's key, it signs itself. `organization`: that of the subject. `from`, `to`: days from now. */
export function certificate(subject, issuer, signer, extensions, { organization, from = -1, to = 1 } = {}) {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.publicKeyFromPem(publicKey);
  made.serialNumber = `01${crypto.randomBytes(8).toString('hex')}`;
  made.validity.notBefore = new Date(Date.now() + from * DAY);
  made.validity.notAfter = new Date(Date.now() + to * DAY);
  made.setSubject([...(organization ? [{ name: 'organizationName', value: organization }] : []), { name: 'commonName', value: subject }]);
  made.setIssuer([{ name: 'commonName', value: issuer }]);
  made.setExtensions(extensions);
  made.sign(forge.pki.privateKeyFromPem(signer ?? privateKey), forge.md.sha256.create());
  return { key: privateKey, cert: forge.pki.certificateToPem(made) };
}

/** An authority, and the key and certificate of `localhost`, `127.0.0.1` and more names. `ca` is the path of its certificate. */
export function makeCertificates(names = []) {
  const authority = certificate('Test CA', 'Test CA', undefined, [{ name: 'basicConstraints', cA: true, critical: true }, { name: 'keyUsage', keyCertSign: true, critical: true }]);
  const server = certificate('localhost', 'Test CA', authority.key, [
    { name: 'basicConstraints', cA: false },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }, { type: 7, ip: '127.0.0.1' }, ...names.map(value => ({ type: 2, value }))] },
  ]);
  const ca = path.join(tempDir('reparse-ca'), 'ca.pem');
  fs.writeFileSync(ca, authority.cert);
  return { ca, tls: server };
}
