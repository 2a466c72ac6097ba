/** Packaging, as far as it can be told without a container engine: the files say what they should. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { Environment } from '../src/environment.js';

const root = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const Service = z.object({
  build: z.string().optional(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  env_file: z.string().optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  ports: z.array(z.string()).optional(),
  secrets: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  deploy: z.object({ replicas: z.number() }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }),
  read_only: z.boolean().optional(),
});
const Compose = z.object({
  services: z.object({ redis: Service, bot: Service, worker: Service }),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.unknown()),
});

describe('docker-compose.yml', () => {
  const { services, secrets, volumes } = Compose.parse(parse(read('docker-compose.yml'), { merge: true }));
  const { redis, bot, worker } = services;

  test('Redis writes everything down and throws nothing away', () => {
    const command = redis.command?.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
    expect(redis.volumes).toEqual(['redis:/data']);
    expect(volumes).toHaveProperty('redis');
    expect(redis.ports).toBeUndefined();
  });

  test.each([
    ['bot', bot],
    ['worker', worker],
  ])('%s: our image, our configuration, our Redis, once that is healthy', (_name, service) => {
    expect(service).toMatchObject({ build: '.', env_file: '.env', read_only: true });
    expect(service.environment).toMatchObject({
      REDIS_URL: expect.stringMatching(/:-redis:\/\/redis:6379\}$/),
    });
    expect(service.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
    for (const name of Object.keys(service.environment ?? {})) expect(Environment.shape).toHaveProperty(name);
  });

  test('health is asked where it is served', () => {
    expect(bot.healthcheck.test.join(' ')).toContain(`127.0.0.1:${bot.environment?.['PORT']}/healthz`);
    expect(worker.healthcheck.test.join(' ')).toContain(
      `127.0.0.1:${worker.environment?.['WORKER_PORT']}/healthz`,
    );
    expect(redis.healthcheck.test).toEqual(['CMD', 'redis-cli', 'ping']);
  });

  test('two workers, which alone hold the SSH key; nothing listens to the outside', () => {
    expect(worker.deploy?.replicas).toBe(2);
    expect(worker.secrets).toEqual(['ssh_config', 'ssh_key', 'ssh_known_hosts']);
    expect(worker.environment).toMatchObject({
      SSH_CONFIG_FILE: '/run/secrets/ssh_config',
      SSH_PRIVATE_KEY_FILE: '/run/secrets/ssh_key',
      // Without it nothing behind a jump host would be reached: its key is never taken on trust.
      SSH_KNOWN_HOSTS_FILE: '/run/secrets/ssh_known_hosts',
    });
    expect(Object.keys(secrets)).toEqual(worker.secrets);
    expect(bot.secrets).toBeUndefined();
    expect(bot.ports).toBeUndefined();
  });

  test('every variable that it takes from .env is one of ours', () => {
    const names = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? '');
    expect(names.length).toBeGreaterThan(0);
    // A worker alone on another machine has another Redis than the one beside it.
    const [own, ...ours] = names.sort((a, b) => b.indexOf('_IN_COMPOSE') - a.indexOf('_IN_COMPOSE'));
    expect(own).toBe('REDIS_URL_IN_COMPOSE');
    expect(read('.env.example')).toContain(own);
    for (const name of ours.filter((name) => name !== own)) expect(Environment.shape).toHaveProperty(name);
  });

  test.each([
    ['the bot', bot, 200, true],
    ['the bot', bot, 503, false],
    ['the bot', bot, null, false],
    ['a worker', worker, 200, true],
    ['a worker', worker, 503, false],
  ])("the health check's own code, asking %s: %j", async (_who, service, status, isHealthy) => {
    const [, node, option, code = ''] = service.healthcheck.test;
    expect([node, option]).toEqual(['node', '-e']);
    const server = createServer((_request, response) => response.writeHead(status ?? 200).end());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    // Nobody answers: nothing listens there any more.
    if (status === null) server.close();
    const asked = code.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`);
    const exit = await new Promise((done) => {
      execFile(process.execPath, ['-e', asked], (error) => done(error === null));
    });
    server.close();
    expect(exit).toBe(isHealthy);
  });
});

describe('the image', () => {
  const dockerfile = read('Dockerfile');

  test('is built from the lock, in stages, and runs as nobody special', () => {
    expect(dockerfile.match(/^FROM node:24-slim/gm)).toHaveLength(3);
    expect(dockerfile).toMatch(/^RUN npm ci$/m);
    expect(dockerfile).toMatch(/^RUN npm ci --omit=dev$/m);
    expect(dockerfile.lastIndexOf('\nUSER node\n')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM '));
  });

  test('holds every file that the build needs, and .dockerignore lets just those in', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? '').split(' '),
    );
    const allowed = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(new Set(copied)).toEqual(new Set(allowed));
    for (const path of copied) expect(existsSync(join(root, path))).toBe(true);
  });

  test('starts what the build makes', () => {
    const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
    const command = (JSON.parse(/^CMD (.+)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]).join(' ');
    const worker = Compose.parse(
      parse(read('docker-compose.yml'), { merge: true }),
    ).services.worker.command?.join(' ');
    expect(command).toBe(scripts['start']);
    expect(worker).toBe(scripts['start:worker']);
  });

  test('brings the scripts along', () => {
    const target = mkdtempSync(join(tmpdir(), 'fairway-dist-'));
    try {
      execFileSync(process.execPath, [join(root, 'build/copy-assets.js'), target]);
      const filesOf = (folder: string): string[] =>
        readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
      const assets = filesOf(join(root, 'src')).filter((file) => !['.ts', '.md'].includes(extname(file)));
      expect(assets.length).toBeGreaterThan(5);
      expect(new Set(filesOf(join(target, 'src')))).toEqual(new Set(assets));
      expect(readFileSync(join(target, 'src/network/lease.lua'))).toEqual(
        readFileSync(join(root, 'src/network/lease.lua')),
      );
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  });
});
