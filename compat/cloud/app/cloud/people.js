// Users, organisations and their members.
const { master, caller, orgOf, aclOf } = require('./common');

Parse.Cloud.beforeSave(Parse.User, request => {
  const user = request.object;
  const name = user.get('username');
  if (name && name !== name.trim()) throw new Parse.Error(Parse.Error.VALIDATION_ERROR, 'Names have no spaces around them.');
  if (user.get('email')) user.set('normalizedEmail', user.get('email').toLowerCase());
  if (user.isNew() && !user.get('plan')) user.set('plan', 'free');
  if (request.original && !request.master && request.original.get('plan') !== user.get('plan')) throw 'Plans are changed by the office.';
});

Parse.Cloud.afterFind(Parse.User, request => {
  for (const user of request.objects) if (user.get('picture')) user.set('pictureLink', `${user.get('picture')}?size=small`);
});

Parse.Cloud.beforeLogin(request => {
  if (request.object.get('banned')) throw new Parse.Error(Parse.Error.OPERATION_FORBIDDEN, 'This account is closed.');
});

Parse.Cloud.afterLogin(async request => {
  const user = request.object;
  user.increment('logins');
  await user.save(null, master);
});

Parse.Cloud.afterLogout(async request => {
  await new Parse.Object('Audit').save({ event: 'logout', user: request.object.get('user').id }, master);
});

Parse.Cloud.define('signUpOrg', async ({ params }) => {
  const user = await new Parse.User().signUp({ username: params.username, password: params.password, email: params.email });
  const org = await new Parse.Object('Org').save({ name: params.name }, master);
  const role = new Parse.Role(`members-${org.id}`, new Parse.ACL());
  role.getUsers().add(user);
  await role.save(null, master);
  org.setACL(aclOf(org));
  await org.save(null, master);
  await new Parse.Object('Member').save({ user, org, owner: true }, master);
  const session = await Parse.User.logIn(params.username, params.password);
  return { user: user.id, org: org.id, sessionToken: session.getSessionToken() };
}, {
  fields: {
    name: { required: true, type: String },
    username: { required: true, type: String, options: name => name.length > 2, error: 'The name is too short.' },
    password: { required: true, type: String },
    email: { type: String },
  },
});

Parse.Cloud.define('addMember', async request => {
  const org = await orgOf(caller(request));
  const user = await new Parse.Query(Parse.User).equalTo('username', request.params.username).first(master);
  if (!user) throw new Parse.Error(Parse.Error.OBJECT_NOT_FOUND, 'Nobody has this name.');
  const role = await new Parse.Query(Parse.Role).equalTo('name', `members-${org.id}`).first(master);
  role.getUsers().add(user);
  await role.save(null, master);
  const member = await new Parse.Object('Member').save({ user, org, owner: false }, master);
  return member;
}, { requireUser: true, fields: ['username'] });

Parse.Cloud.define('listMembers', async request => {
  const org = await orgOf(caller(request));
  const members = await new Parse.Query('Member').equalTo('org', org).include('user').ascending('createdAt').find(master);
  return members.map(member => ({ name: member.get('user').get('username'), owner: member.get('owner') }));
}, { requireUser: true });

Parse.Cloud.define('whoAmI', async request => {
  const user = caller(request);
  await user.fetch({ sessionToken: user.getSessionToken() });
  return { name: user.get('username'), plan: user.get('plan'), logins: user.get('logins') ?? 0, email: user.get('normalizedEmail') ?? null };
});
