import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { binaryRequest, parseBinary } from '../../../src/host/binary.js';
import { describeWith } from '../../lab/requirements.js';
import { type Channel, type Site, startSite } from './site.js';

const BYTES = Buffer.from('MZ, and more');
const sha256 = createHash('sha256').update(BYTES).digest('hex');
const spec = { path: 'C:\\k\\versions\\v1.5.0-0123456789ab\\kubelet.exe', size: BYTES.length, sha256 };

describeWith(['root', 'dotnet'], 'a binary that was brought to Windows', () => {
  let site: Site;
  let channel: Channel;
  beforeAll(async () => {
    site = await startSite('bin');
    channel = await site.open();
  }, 120_000);
  afterAll(() => site.stop());

  const ask = (action: 'look' | 'finish', more: object = {}) =>
    channel.request('binary', { ...binaryRequest(spec, action, 7).params, ...more });
  const file = (): string => join(site.workDir, 'host/k/versions/v1.5.0-0123456789ab/kubelet.exe');

  test('takes its place once its sum is right, and not before', async () => {
    expect(parseBinary(await ask('look'), 'win01')).toEqual({ sha256: null, partBytes: 0, partSha256: null });
    writeFileSync(`${file()}.part`, BYTES.subarray(0, 5));
    const half = createHash('sha256').update(BYTES.subarray(0, 5)).digest('hex');
    expect(parseBinary(await ask('look'), 'win01')).toEqual({ sha256: null, partBytes: 5, partSha256: half });
    expect(await ask('finish')).toMatchObject({ ok: false, code: 'SUM' });
    expect([existsSync(file()), existsSync(`${file()}.part`)]).toEqual([false, false]);
    writeFileSync(`${file()}.part`, BYTES);
    expect(parseBinary(await ask('finish'), 'win01')).toEqual({ sha256, partBytes: 0, partSha256: null });
    expect(readFileSync(file())).toEqual(BYTES);
  });

  test('hears only whoever holds the host, and goes nowhere else', async () => {
    expect(await ask('look', { fence: 6 })).toMatchObject({ ok: false, code: 'FENCED' });
    for (const path of ['C:\\k\\..\\x\\kubelet.dll', '\\\\other\\share\\kubelet.exe', 'C:\\k\\$(id).exe'])
      expect(await ask('look', { path })).toMatchObject({ ok: false, code: 'BAD-PARAMS' });
  });
});
