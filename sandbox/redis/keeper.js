// Child process: runs the Redis that nobody else provided, tells its parent the URL, and dies with it.
// Plain JavaScript, since it has to start without a loader.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A parent that vanishes, even by SIGKILL, closes the channel.
process.on('disconnect', () => process.exit(0));

try {
  process.send?.((await installed()) ?? (await embedded()));
} catch (error) {
  process.send?.({ error: String(error) });
}

/** `redis-server` of the machine, with nothing on disk; null when there is none. */
async function installed() {
  // Another process may take the free port before Redis binds it.
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const outcome = await run(port);
    if (outcome === 'ready') return { kind: 'redis-server', url: `redis://127.0.0.1:${port}` };
    if (outcome === 'missing') return null;
    if (attempt === 3) throw new Error(`redis-server does not start: ${outcome}`);
  }
}

/** Resolves with `ready`, `missing`, or what Redis printed before it ended. */
function run(port) {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const redis = spawn('redis-server', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => {
    redis.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  };
  process.on('exit', end);
  return new Promise((resolve) => {
    let printed = '';
    for (const stream of [redis.stdout, redis.stderr]) {
      stream.on('data', (chunk) => {
        // Kept only until it is ready; the pipe has to be drained for ever.
        if (printed.length < 20_000) printed += chunk;
        if (printed.includes('Ready to accept connections')) resolve('ready');
      });
    }
    redis.on('error', (error) =>
      resolve(['ENOENT', 'EACCES'].includes(error.code) ? 'missing' : error.message),
    );
    redis.on('close', () => {
      process.off('exit', end);
      end();
      resolve(printed.trim().split('\n').at(-1) ?? '');
    });
  });
}

/** A Redis in JavaScript and WASM: slow, in memory, enough to try things out. */
async function embedded() {
  const { createRedisMock } = await import('js-redis-server');
  const redis = await createRedisMock({ compatibility: 'redis-7.0' });
  return { kind: 'js-redis-server', url: redis.url };
}

/** A loopback port that is free now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address.port));
    });
  });
}
