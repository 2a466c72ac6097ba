import { expect, test } from '@jest/globals';
import { type Check, check } from '../../src/plan/check.js';
import { checkLine } from '../../src/words/check.js';
import { bareVoice, slackVoice } from '../../src/words/voice.js';
import { SAMPLES } from '../support/check-samples.js';

const line = (each: Check, member: string | null = null) => checkLine(each, member, slackVoice);

test('every check reads as recorded, in one short line that ends', () => {
  const lines = SAMPLES.map((each) => `${each.verdict} ${each.id}: ${line(each)}`);
  for (const each of lines) expect(each).toMatch(/^[^\n]{10,330}[.`]$/);
  expect(lines.join('\n')).toMatchSnapshot();
});

test('who becomes an administrator is not locked out: the key first, where sshd looks for it from then on', () => {
  expect(checkLine(check('administrator', 'fix', {}), null, bareVoice)).toMatch(
    /add its key .*icacls C:\\ProgramData\\ssh\\administrators_authorized_keys .*Then Add-LocalGroupMember/,
  );
});

test('the network that is advised is the one that is checked for, and one that differs says how', () => {
  const own = { network: 'transparent', podCidr: '192.168.3.0/24' };
  expect(checkLine(check('pod-network', 'fix', { ...own, other: null }), null, bareVoice)).toContain(
    'docker network create -d transparent --subnet 192.168.3.0/24 --gateway 192.168.3.1 -o com.docker.network.windowsshim.interface="<card>" transparent',
  );
  // Right but for its gateway, as somebody makes it who leaves that to docker.
  const other = { name: 'transparent', subnet: '192.168.3.0/24', gateway: '192.168.3.2' };
  expect(checkLine(check('pod-network', 'fix', { ...own, other }), null, bareVoice)).toBe(
    'Docker has the transparent network transparent with 192.168.3.0/24 and the gateway 192.168.3.2, not transparent with 192.168.3.0/24 and 192.168.3.1: docker network rm transparent',
  );
});

test('what must be put right names the command or the thing to do', () => {
  for (const each of SAMPLES.filter(({ verdict }) => verdict === 'fix'))
    expect(line(each)).toMatch(/`|Install|Use an|make room|need|docs\//);
});

test('what is missing says who sees to it: the addition, or a member’s repair', () => {
  const [missing] = SAMPLES.filter(({ verdict }) => verdict === 'will');
  if (!missing) throw new Error('no sample');
  expect(line(missing)).toMatch(/: `add` sees to it\.$/);
  expect(line(missing, 'win03')).toMatch(/: `repair win03` sees to it\.$/);
});

test('what a host says of itself can do nothing in Slack, and goes plain into files', () => {
  const bad = '<!channel> `x` & <@U1>\n';
  const hostile = [
    check('docker', 'fix', { error: bad }),
    check('windows', 'ok', { product: bad, build: 14393 }),
    check('container-nic', 'fix', { mac: null, why: 'busy', asked: '00-15-5D-00-00-02', uses: [bad] }),
    check('container-nic', 'fix', { mac: null, why: 'several-free', has: [{ name: bad, mac: 'm' }] }),
    check('virtual-switch', 'fix', { name: 'KubeProxySwitch', types: [bad] }),
    check('virtual-switch', 'fix', { name: 'KubeProxySwitch', error: bad }),
    check('pod-network', 'fix', {
      network: 'transparent',
      podCidr: null,
      other: { name: bad, subnet: '172.16.0.0/16', gateway: '172.16.0.1' },
    }),
    check('iproute', 'fix', { version: bad, oldest: '4.17' }),
  ];
  for (const each of hostile) expect(line(each)).not.toMatch(/<[!@]|\n/);
  for (const each of SAMPLES) expect(checkLine(each, null, bareVoice)).not.toMatch(/[`\n]/);
});
