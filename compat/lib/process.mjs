// A child process whose output is captured, and which is stopped when this process ends.
import { spawn } from 'node:child_process';

/** The environment for a child: ours without the variables that are meant for the suites. */
const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REPARSE_TEST_')));

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) process.on(signal, () => process.exit(code));

export class Child {
  constructor(command, args, { env = {}, cwd } = {}) {
    this.output = '';
    this.process = spawn(command, args, { cwd, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.process);
    const keep = chunk => {
      this.output = (this.output + chunk).slice(-200_000);
    };
    this.process.stdout.on('data', keep);
    this.process.stderr.on('data', keep);
    /** Resolves to `{code, signal}` once the process is gone and its output complete. */
    this.ended = new Promise(resolve => {
      this.process.once('error', error => {
        this.output += `\n${error.message}`;
        running.delete(this.process);
        resolve({ code: 127, signal: null });
      });
      this.process.once('close', (code, signal) => {
        running.delete(this.process);
        resolve({ code, signal });
      });
    });
  }

  get pid() {
    return this.process.pid;
  }

  get alive() {
    return this.process.exitCode === null && this.process.signalCode === null && this.process.pid !== undefined;
  }

  signal(name) {
    return this.process.kill(name);
  }

  /** Asks the process to end, insists after `limit` milliseconds, and returns how it ended. */
  async stop(limit = 10_000) {
    if (this.alive) this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), limit);
    const ended = await this.ended;
    clearTimeout(timer);
    return ended;
  }

  /** `kill -9`. */
  async kill() {
    this.signal('SIGKILL');
    return this.ended;
  }
}
