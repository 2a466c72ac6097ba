import { describe, expect, test } from '@jest/globals';
import { createLog, logOfChange, redact } from '../src/log.js';

const key = `-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nAAAA==\n-----END OPENSSH PRIVATE KEY-----`;

describe('redact', () => {
  test.each<[secret: string, text: string]>([
    ['xoxb-123-456-abcDEF', 'token xoxb-123-456-abcDEF used'],
    ['xapp-1-A1-22-abcdef', 'xapp-1-A1-22-abcdef'],
    ['b3BlbnNzaC1rZXktdjEAAAAA', `before ${key} after`],
    ['b3BlbnNzaC1rZXktdjEAAAAA', 'cut -----BEGIN RSA PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA'],
    ['hunter2', 'password=hunter2 next'],
    ['hunter2', 'Password : hunter2'],
    ['hunter 2', '"client_secret": "hunter 2"'],
    ['hunter2', "token='hunter2'"],
    ['hunter2', 'New-User -Name x -Password hunter2 -Force'],
    ['hunter2', '--api-key "hunter2"'],
    ['hunter2', '--api-key "hunter2, and cut'],
    ['hunter2', "-Password 'hunter2"],
    ['hunter2', 'redis://:hunter2@10.0.0.1:6379'],
    ['hunter2hunter2', 'Authorization: Bearer hunter2hunter2'],
    ['eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJr.c2ln', 'got eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJr.c2ln'],
  ])('%s is gone', (secret, text) => {
    expect(redact(text)).not.toContain(secret);
  });

  test.each([
    'ip route add 192.168.3.0/24 via 10.0.0.7 proto 155',
    'New-NetRoute -DestinationPrefix 192.168.3.0/24 -InterfaceIndex 12 -NextHop 10.0.0.7',
    'admin@win03.corp.local:2222 password authentication failed',
    'SHA256:qwertyuiopasdfghjklzxcvbnm0123456789abcdefg',
    'fence token 17 is older',
  ])('%s stays', (text) => {
    expect(redact(text)).toBe(text);
  });
});

test('a line of the log is JSON, carries the change, and holds no secret, wherever it was', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  const error = new Error(`refused password=hunter2 by ${key}`);
  const env = {
    SLACK_BOT_TOKEN: 'xoxb-123-456-abcDEF',
    nested: { password: 'hunter"2 x', note: 'secret="hunter2 y"' },
  };
  logOfChange(log, 'c7').error({ err: error, env, url: 'redis://me:hunter2@host' }, 'token=hunter2 sent');
  log.debug('not at this level');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ change: 'c7', level: 50 });
  expect(lines[0]).not.toMatch(/hunter|2 [xy]|xoxb-1|b3Blbn/);
});
