import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, ids, rejects, request, useServer } from '../support.mjs';

useServer();

const Book = Parse.Object.extend('Book');
const Author = Parse.Object.extend('Author');
const authors = count => Parse.Object.saveAll(Array.from({ length: count }, (_, n) => new Author({ n })));

test('add, query and remove', async () => {
  const [first, second, third] = await authors(3);
  const book = new Book({ title: 'Together' });
  book.relation('authors').add([first, second]);
  await book.save();
  const query = book.relation('authors').query();
  assert.deepEqual(ids(await query.find()), ids([first, second]));
  book.relation('authors').add(third);
  book.relation('authors').remove(first);
  await book.save();
  assert.deepEqual(ids(await query.find()), ids([second, third]));
  assert.equal(await query.count(), 2);
  assert.deepEqual(ids(await book.relation('authors').query().equalTo('n', 2).find()), [third.id]);
});

test('adding twice is adding once', async () => {
  const [author] = await authors(1);
  const book = new Book();
  for (let time = 0; time < 2; time += 1) {
    book.relation('authors').add(author);
    await book.save();
  }
  assert.equal(await book.relation('authors').query().count(), 1);
});

test('from the other side', async () => {
  const [author] = await authors(1);
  const book = new Book();
  book.relation('authors').add(author);
  await book.save();
  const found = await new Parse.Query(Book).equalTo('authors', author).find();
  assert.deepEqual(ids(found), [book.id]);
  assert.equal(await new Parse.Query(Book).notEqualTo('authors', author).equalTo('objectId', book.id).count(), 0);
});

test('the field shows its class', async () => {
  const [author] = await authors(1);
  const book = new Book();
  book.relation('authors').add(author);
  await book.save();
  const raw = await request('GET', `classes/Book/${book.id}`);
  assert.deepEqual(raw.authors, { __type: 'Relation', className: 'Author' });
});

test('deleted members are not found', async () => {
  const [kept, gone] = await authors(2);
  const book = new Book();
  book.relation('authors').add([kept, gone]);
  await book.save();
  await gone.destroy();
  assert.deepEqual(ids(await book.relation('authors').query().find()), [kept.id]);
});

test('a relation has one class', async () => {
  const [author] = await authors(1);
  const book = new Book();
  book.relation('authors').add(author);
  await book.save();
  const other = await new Book().save();
  await rejects(request('PUT', `classes/Book/${book.id}`, { authors: { __op: 'AddRelation', objects: [other.toPointer()] } }), 111);
  await rejects(request('PUT', `classes/Book/${book.id}`, { authors: 'x' }), 111);
});

test('a hundred members', async () => {
  const many = await authors(100);
  const book = new Book();
  book.relation('authors').add(many);
  await book.save();
  assert.equal(await book.relation('authors').query().count(), 100);
});
