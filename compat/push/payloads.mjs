// What is pushed in the comparison. A case is the body of `POST /push` without its condition; `npmFails` has the kinds that the npm adapter
// does not send it to, and why.
const soon = seconds => Math.floor(Date.now() / 1000) + seconds;
const fails = 'apns.headers must only contain string values';

const data = more => ({ data: { alert: 'Hello', ...more } });
const kinds = ['alert', 'background', 'location', 'voip', 'complication', 'fileprovider', 'mdm', 'liveactivity', 'pushtotalk', 'widgets'];

export const payloads = [
  // alerts
  { data: { alert: 'Hello' } },
  { data: { alert: 'Grüße, 世界 🌍 "quoted" \\ \u0001' } },
  { data: { alert: '' } },
  { data: { alert: { title: 'T', body: 'B', 'loc-key': 'K', 'loc-args': ['a', 'b'] } } },
  { data: { alert: { title: 'T', subtitle: 'S', body: 'B' }, title: 'other' } },
  { data: { alert: 'Hello', title: 'Title' } },
  { data: { title: 'Title', alert: 'Hello' } },
  { data: { title: 'only a title' } },
  { data: {} },
  // parts of aps
  data({ badge: 4 }),
  data({ badge: 0 }),
  data({ sound: 'ding.caf' }),
  { data: { alert: 'Hello', sound: '' }, npmFails: { watchos: 'apns.payload.aps.sound must be a non-empty string or a non-null object' } },
  data({ sound: { name: 'alarm', critical: 1, volume: 0.5 } }),
  data({ category: 'INVITE' }),
  data({ threadId: 'thread' }),
  data({ targetContentIdentifier: 'window' }),
  data({ interruptionLevel: 'time-sensitive' }),
  data({ 'content-available': 1 }),
  data({ 'content-available': 0 }),
  data({ 'content-available': 1, 'mutable-content': 1 }),
  data({ 'mutable-content': 0 }),
  { data: { 'content-available': 1, task: 'sync' } },
  { data: { aps: { alert: { body: 'whole' }, badge: 2, 'relevance-score': 0.7 } } },
  { data: { aps: { alert: { body: 'whole' } }, sound: 'ding', custom: 1 } },
  { data: { alert: 'Hello', title: 'Title', badge: 4, sound: 'ding', category: 'C', threadId: 'th', 'content-available': 1, 'mutable-content': 1, custom: { a: 1 }, n: 7 } },
  // what the app gives its own meaning
  data({ custom: { deep: { deeper: [1, 2, { x: null }] } } }),
  data({ n: 7, f: 1.5, big: 9007199254740991, neg: -3, yes: true, no: false, nothing: null }),
  data({ list: ['a', 1, null, { b: 2 }] }),
  data({ uri: 'https://example.com/?a=b&c=d#e' }),
  data({ body: 'for Expo', subtitle: 'S', channelId: 'chan', ttl: 60 }),
  data({ url: 'app://x', emoji: '👩‍👩‍👧‍👦', rtl: 'שלום' }),
  data({ long: 'x'.repeat(2000) }),
  // headers
  ...kinds.map(kind => ({ push_type: kind, data: { alert: kind } })),
  data({ pushType: 'background', 'content-available': 1 }),
  { collapse_id: 'collapse', data: { alert: 'Hello' } },
  data({ collapseId: 'of data' }),
  data({ id: '123e4567-e89b-12d3-a456-426614174000' }),
  data({ topic: 'com.example.special' }),
  data({ requestId: 'request', channelId: 'channel' }),
  data({ expiry: 1900000000 }),
  { priority: 5, data: { alert: 'Hello' }, npmFails: { watchos: fails } },
  { data: { alert: 'Hello', priority: 5 }, npmFails: { watchos: fails } },
  { expiration_time: soon(3600), data: { alert: 'Hello' }, npmFails: { watchos: fails } },
  { expiration_time: soon(400 * 24 * 3600), data: { alert: 'Hello' }, npmFails: { watchos: fails } },
  { expiration_time: soon(3600), collapse_id: 'c', push_type: 'alert', priority: 10, data: { alert: 'all' }, npmFails: { watchos: fails } },
  // Android
  { notification: { title: 'T', body: 'B' }, data: { alert: 'Hello' } },
  { notification: { title: 'T', clickAction: 'OPEN', channelId: 'c', imageUrl: 'https://example.com/a.png', priority: 'high', visibility: 'public' }, data: { alert: 'Hello' } },
  { notification: { bodyLocKey: 'k', bodyLocArgs: ['a'], titleLocKey: 't', titleLocArgs: ['b'], vibrateTimingsMillis: [0, 250, 1000], notificationCount: 3 }, data: { x: 1 } },
  { notification: { lightSettings: { color: '#aabbccdd', lightOnDurationMillis: 200, lightOffDurationMillis: 1000 }, defaultSound: true, localOnly: true }, data: { x: 1 } },
  // raw
  { rawPayload: { notification: { title: 'T', body: 'B', imageUrl: 'https://example.com/a.png' } }, data: { alert: 'Hello' } },
  { rawPayload: { android: { ttl: 3600500, collapseKey: 'c', priority: 'normal', data: { a: 'b' } }, data: { x: 'y' } }, data: { alert: 'Hello' } },
  { rawPayload: { apns: { headers: { 'apns-priority': '5' }, payload: { aps: { alert: { title: 'T', locKey: 'k' }, contentAvailable: true, threadId: 't' }, own: 1 }, fcmOptions: { imageUrl: 'https://example.com/b.png' } } }, data: { alert: 'Hello' } },
  { rawPayload: { webpush: { headers: { TTL: '5' }, data: { a: 'b' } }, fcmOptions: { analyticsLabel: 'label' } }, data: { alert: 'Hello' } },
];
