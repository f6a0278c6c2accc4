// What all parts of the app use.
const master = { useMasterKey: true };

/** Whoever calls, or a refusal. */
function caller(request) {
  if (!request.user) throw new Parse.Error(Parse.Error.INVALID_SESSION_TOKEN, 'User is not authenticated.');
  return request.user;
}

/** The options with which a request is made in the name of the caller. */
const asCaller = request => ({ sessionToken: caller(request).getSessionToken() });

/** The organisation of a user; a member belongs to one. */
async function orgOf(user) {
  const member = await new Parse.Query('Member').equalTo('user', user).include('org').first(master);
  if (!member) throw new Parse.Error(Parse.Error.OBJECT_NOT_FOUND, 'You belong to no organisation.');
  return member.get('org');
}

/** Readable and writable by the members of an organisation. */
function aclOf(org) {
  const acl = new Parse.ACL();
  acl.setRoleReadAccess(`members-${org.id}`, true);
  acl.setRoleWriteAccess(`members-${org.id}`, true);
  return acl;
}

/** The next number of a series, without gaps. */
async function nextNumber(series) {
  const counters = new Parse.Query('Counter').equalTo('series', series);
  const counter = (await counters.first(master)) ?? new Parse.Object('Counter', { series });
  counter.increment('value');
  await counter.save(null, master);
  return counter.get('value');
}

async function note(event, document, details = {}) {
  await new Parse.Object('Audit').save({ event, document: document.id, ...details }, master);
}

module.exports = { master, caller, asCaller, orgOf, aclOf, nextNumber, note };
