// What an afterFind can do to an object, by the word in the context.
const doings = {
  nothing() {},
  look(object) {
    return [object.toJSON(), object.get('list'), object.get('pointer').id, object.get('when').getTime(), object.getACL(), object.dirty()];
  },
  same(object) {
    object.get('list')[0] = 1;
    object.get('when').setTime(object.get('when').getTime());
  },
  set(object) {
    object.set({ n: 2, extra: new Date(object.get('when')) });
  },
  operations(object) {
    object.increment('n');
    object.add('list', 'x');
    object.unset('map');
  },
  list(object) {
    object.get('list')[1].a = 2;
  },
  map(object) {
    object.get('map').a.c = 2;
  },
  date(object) {
    object.get('when').setTime(Date.UTC(2000, 0, 1));
  },
  acl(object) {
    object.getACL().setWriteAccess('u', true);
  },
  place(object) {
    object.get('place').latitude = 5;
  },
  pointer(object) {
    object.set('pointer', Parse.Object.extend('Other').createWithoutData('p123456789'));
  },
  dotted(object) {
    object.set('map.a.b', 7);
  },
  state(object) {
    const before = { dirty: object.dirty(), keys: object.dirtyKeys(), existed: object.existed() };
    object.get('list').push(3);
    object.set('n', 9);
    object.set('state', { ...before, afterwards: object.dirtyKeys().sort(), save: object._getSaveJSON() });
  },
};
Parse.Cloud.afterFind('Kinds', ({ objects, context }) => {
  if (context.how === 'twice') return [objects[0], objects[0]];
  if (context.how === 'nonsense') return [5, 'text', [0, { n: 1 }, []], { a: 1 }];
  doings[context.how](objects[0]);
});
Parse.Cloud.define('sdk', () => String(Parse.CoreManager.get('VERSION')).replace(/^js/, ''));
