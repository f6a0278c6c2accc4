// A real Redis: the program that REPARSE_TEST_REDIS names, else `redis-server` on PATH.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { freePort, until } from './net.mjs';
import { Child } from './process.mjs';
import { tempDir } from './temp.mjs';

/** Starts a Redis that keeps nothing on disk, and waits until it listens; returns `{ url, port, child }`. */
export async function startRedis(port) {
  port ??= await freePort();
  const child = new Child(process.env.REPARSE_TEST_REDIS ?? 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { cwd: tempDir() });
  await until(async () => {
    const socket = net.connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      assert.ok(child.alive, child.output);
      return false;
    } finally {
      socket.destroy();
    }
  }, { what: 'Redis' });
  return { url: `redis://127.0.0.1:${port}`, port, child };
}
