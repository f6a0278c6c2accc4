// Writes of cloud code, for the model: `write` makes, changes or deletes an object as master, and answers its id.
Parse.Cloud.define('write', async ({ params: { className, id, fields } }) => {
  const object = new Parse.Object(className);
  if (id) object.id = id;
  if (!fields) {
    await object.destroy({ useMasterKey: true });
    return id;
  }
  for (const [field, value] of Object.entries(fields)) {
    if (field === 'ACL') object.setACL(new Parse.ACL(value));
    else if (value && value.__op === 'Delete') object.unset(field);
    else object.set(field, value);
  }
  await object.save(null, { useMasterKey: true });
  return object.id;
});
