// The cloud code of OpenSign (https://github.com/OpenSignLabs/OpenSign), from a checkout: is it loaded, and do its functions answer as
// they do on parse-server? REPARSE_TEST_OPENSIGN names the folder apps/OpenSignServer of a checkout with its npm packages. Every
// function is called, those that need no outside service with what makes them work; the outcomes of both servers must agree.
import path from 'node:path';
import fs from 'node:fs';
import { startServer } from '../../lib/server.mjs';
import { freshDatabase } from '../../lib/stores.mjs';

const folder = process.env.REPARSE_TEST_OPENSIGN;
if (!folder) throw new Error('REPARSE_TEST_OPENSIGN must name apps/OpenSignServer of a checkout of OpenSign');
// What its code takes as given.
const SERVER = { appId: 'opensign', port: 8080, mountPath: '/app', serverURL: 'http://localhost:8080/app' };
const ENV = { MASTER_KEY: 'master', APP_ID: 'opensign', USE_LOCAL: 'true', SERVER_URL: SERVER.serverURL, PUBLIC_URL: 'http://localhost:3000', npm_package_json: path.join(folder, 'package.json'), npm_package_type: 'module' };
const main = path.join(folder, 'cloud/main.js');
const names = [...fs.readFileSync(main, 'utf8').matchAll(/Parse\.Cloud\.define\('(\w+)'/g)].map(match => match[1]);
/** They send mail, make PDF files or call other hosts. */
const OUTSIDE = new Set(['signPdf', 'sendmailv3', 'SendOTPMailV1', 'newsletter', 'triggerevent', 'generatecertificate', 'fileupload', 'createdocumentfromapp', 'senddeleterequest', 'batchdocuments']);
const pointer = (className, objectId) => ({ __type: 'Pointer', className, objectId });

/** What is the same in every run. */
function plain(value, key = '') {
  if (Array.isArray(value)) return value.map(entry => plain(entry));
  // of an ACL
  const id = (name, entry) => (/^\w{10}$/.test(name) && entry && typeof entry === 'object' && ('read' in entry || 'write' in entry) ? '(id)' : name);
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, entry]) => [id(name, entry), plain(entry, name)]).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (typeof value !== 'string') return value;
  if (/^r:[0-9a-f]{32}$/.test(value)) return '(token)';
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return '(date)';
  if (['objectId', 'id'].includes(key) || /^[A-Za-z0-9]{10}$/.test(value)) return '(id)';
  return value.replace(/exp=\d+|signature=[\w-]+|token=[\w.-]+/g, '(signature)');
}

async function play(which, store) {
  const options = { ...SERVER, cloud: main, allowClientClassCreation: true, maxLimit: 500, masterKeyIps: ['0.0.0.0/0', '::/0'], auth: {}, silent: true };
  const server = await startServer(options, { which, database: freshDatabase(store), env: ENV });
  const outcomes = {};
  let session;
  const call = async (name, params, label = name, user = session) => {
    const answer = await server.request('POST', `/functions/${name}`, { json: params, session: user, timeout: 30_000, ...(user ? { headers: { sessiontoken: user } } : {}) });
    outcomes[label] = plain({ status: answer.status, body: answer.body });
    return answer.body.result;
  };
  const make = async (className, json) => (await server.request('POST', `/classes/${className}`, { session, json })).body;
  try {
    for (const name of names.filter(name => !OUTSIDE.has(name))) await call(name, {}, `${name} (nobody, nothing)`, undefined);
    await call('checkadminexist', {});
    const userDetails = { name: 'Ann', email: 'ann@example.com', password: 'secret pass 1', company: 'Acme', role: 'contracts_Admin', phone: '1', timezone: 'UTC', country: 'India' };
    await call('addadmin', { userDetails });
    await call('addadmin', { userDetails }, 'addadmin again');
    const { objectId: user, sessionToken } = await call('loginuser', { email: 'ann@example.com', password: 'secret pass 1' });
    session = sessionToken;
    await call('checkadminexist', {}, 'checkadminexist, afterwards');
    const ext = await call('getUserDetails', {});
    await call('getUserDetails', { email: 'ann@example.com' }, 'getUserDetails by mail');
    await call('isextenduser', { email: 'ann@example.com' });
    await call('isextenduser', { email: 'none@example.com' }, 'isextenduser, nobody');
    await call('getUserId', { email: 'ann@example.com' });
    const tenant = ext?.TenantId?.objectId;
    await call('gettenant', { userId: user });
    await call('getteams', { active: true });
    await call('getuserlistbyorg', { organizationId: ext?.OrganizationId?.objectId });
    const contact = await call('savecontact', { name: 'Zoe', email: 'Zoe@example.com', tenantId: tenant });
    await call('savecontact', { name: 'Zoe', email: 'Zoe@example.com', tenantId: tenant }, 'savecontact again');
    await call('getcontact', { contactId: contact?.objectId });
    await call('editcontact', { contactId: contact?.objectId, name: 'Zoe B', email: 'zoe@example.com', tenantId: tenant });
    await call('isuserincontactbook', {});
    await call('createbatchcontact', { contacts: JSON.stringify([{ Name: 'Yan', Email: 'yan@example.com', TenantId: tenant }]) });
    await call('getsigners', { search: 'Z' });
    await call('updatecontacttour', { contactId: contact?.objectId });
    await call('updatetourstatus', { TourStatus: [{ loginTour: true }], ExtUserId: ext?.objectId });
    await call('updatesignaturetype', { SignatureType: [{ name: 'draw', enabled: true }] });
    await call('updatepreferences', { NotifyOnSignatures: true, Timezone: 'UTC', DateFormat: 'MM/DD/YYYY' });
    await call('updatetenant', { tenantId: tenant, details: { TenantName: 'Acme 2' } });
    await call('managesign', { signature: 'https://files.example.com/s.png', userId: user, title: 'Mine' });
    await call('savesignature', { signature: 'https://files.example.com/s.png', userId: user, title: 'Mine' });
    await call('getdefaultsignature', { userId: user });
    await call('updateemailtemplates', { RequestBody: 'b', RequestSubject: 's' });
    await call('setwidgetpreferences', { dateWidget: { format: 'MM/DD/YYYY' } });
    await call('getlogobydomain', { domain: 'example.com' });
    await call('adduser', { name: 'Bob', email: 'bob@example.com', password: 'secret pass 2', organization: { objectId: ext?.OrganizationId?.objectId, company: 'Acme' }, team: ext?.TeamIds?.[0]?.objectId, tenantId: tenant, timezone: 'UTC', role: 'User' });
    await call('usersignup', { userDetails: { ...userDetails, email: 'carl@example.com', role: 'contracts_User' } });
    await call('usersignup', { userDetails: { ...userDetails, email: 'carl@example.com', role: 'contracts_User' } }, 'usersignup again');
    const document = await make('contracts_Document', {
      Name: 'Lease', URL: 'http://localhost:8080/app/files/opensign/lease.pdf', CreatedBy: pointer('_User', user), ExtUserPtr: pointer('contracts_Users', ext?.objectId),
      Signers: [pointer('contracts_Contactbook', contact?.objectId)], Placeholders: [], Note: 'n', ACL: { [user]: { read: true, write: true } },
    });
    outcomes['a document is made'] = plain(document);
    outcomes['a document is read'] = plain((await server.request('GET', `/classes/contracts_Document/${document.objectId}`, { session })).body);
    const template = await make('contracts_Template', { Name: 'T', URL: 'http://localhost:8080/app/files/opensign/t.pdf', CreatedBy: pointer('_User', user), ExtUserPtr: pointer('contracts_Users', ext?.objectId), Signers: [], Placeholders: [] });
    outcomes['a template is made'] = plain(template);
    await call('getDocument', { docId: document.objectId });
    await call('getTemplate', { templateId: template.objectId });
    await call('filterdocs', { searchTerm: 'ea' });
    await call('getDrive', { limit: 10, skip: 0 });
    await call('getReport', { reportId: '1MwEuxLEkF', limit: 10, skip: 0 });
    await call('getReport', { reportId: 'none', limit: 10, skip: 0 }, 'getReport, none such');
    await call('getsignedurl', { docId: document.objectId, url: 'http://localhost:8080/app/files/opensign/lease.pdf' });
    await call('linkcontacttodoc', { docId: document.objectId, email: 'wim@example.com', name: 'Wim' });
    await call('createduplicate', { templateId: template.objectId });
    await call('saveastemplate', { docId: document.objectId });
    await call('recreatedoc', { docId: document.objectId });
    await call('declinedoc', { docId: document.objectId, reason: 'no', userId: user });
    await call('forwarddoc', { docId: document.objectId, recipients: [] });
    await call('resetpassword', { userId: user, password: 'another pass 3' });
    await call('AuthLoginAsMail', { email: 'ann@example.com', otp: 1 });
    await call('verifyemail', { email: 'ann@example.com', otp: 1 });
    await call('savefile', { fileBase64: Buffer.from('%PDF').toString('base64'), fileName: 'a.pdf' });
  } catch (error) {
    outcomes['the run'] = `${error.message}`;
  } finally {
    await server.stop();
  }
  return outcomes;
}

const stores = process.argv[2]?.split(',') ?? ['embedded', 'mongo'];
const theirs = await play('reference', 'mongo');
let different = 0;
for (const store of stores) {
  const ours = await play('reparse', store);
  const labels = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
  const agree = labels.filter(label => JSON.stringify(theirs[label]) === JSON.stringify(ours[label]));
  const worked = agree.filter(label => theirs[label]?.status === 200 && !theirs[label].body?.result?.error);
  console.log(`${store}: ${agree.length} of ${labels.length} outcomes agree; answered with a result: ${worked.join(', ')}`);
  for (const label of labels.filter(label => !agree.includes(label))) {
    different += 1;
    console.log(`  ${label}\n    parse-server: ${JSON.stringify(theirs[label])?.slice(0, 600)}\n    reparse:      ${JSON.stringify(ours[label])?.slice(0, 600)}`);
  }
}
process.exit(different > 0 ? 1 : 0);
