/** `check manifest` by every way there is, through the real bot, against nodes whose builds were read when they joined. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB, CHANNEL } from '../../sandbox/world.js';
import { openSite, type Site } from '../support/site.js';
import { textOf } from '../support/team.js';

const POD = `kind: Pod
metadata:
  name: web
spec:
  nodeSelector: { beta.kubernetes.io/os: windows }
  dnsPolicy: Default
  containers:
  - image: "mcr.microsoft.com/windows/servercore:ltsc2019"
    command: [/bin/sh]
`;
const SAID = [
  '2 failures on Windows, with Kubernetes 1.5',
  '*Pod* `web`',
  'line 8: `mcr.microsoft.com/windows/servercore:ltsc2019` is for Windows Server 2019, but `win01` runs Windows Server 2016',
  'line 9: `/bin/sh` is a program of Linux',
];

describe('check manifest', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { VIEWERS: 'UCAROL' } });
    await site.team.make('add windows node win01 10.0.0.5');
  }, 60_000);
  afterAll(() => site.close());

  /** The bot's answer to a message, in its thread. */
  async function answerTo(ts: string): Promise<string> {
    const { slack } = site.world;
    return textOf(
      await slack.waitFor((message) => message.threadTs === ts && message.user !== ALICE, 10_000),
    );
  }
  const mention = (text: string, thread?: string, files?: { name: string; content: string }[]) =>
    site.world.slack.as(ALICE).mention(text, CHANNEL, thread, files);

  test('pasted below a mention, or after the slash command', async () => {
    const { body } = await mention(`check manifest\n\`\`\`\n${POD}\`\`\``);
    const said = await answerTo(String(body));
    for (const part of SAID) expect(said).toContain(part);
    expect(await site.team.say(`check manifest\n${POD}`, 'UCAROL')).toContain(SAID[2]);
  }, 30_000);

  test('as a file that comes with the mention', async () => {
    const { body } = await mention('check manifest', undefined, [{ name: 'web.yaml', content: POD }]);
    const said = await answerTo(String(body));
    for (const part of [...SAID, '`web.yaml`']) expect(said).toContain(part);
  }, 30_000);

  test('as the newest manifest of the thread, and of no other', async () => {
    const { slack } = site.world;
    const alice = slack.as(ALICE);
    const root = alice.share([{ name: 'old.yaml', content: 'kind: Pod' }], CHANNEL);
    alice.share([{ name: 'new.yml', content: POD }], CHANNEL, root.ts);
    alice.share([{ name: 'notes.txt', content: 'x' }], CHANNEL, root.ts);
    alice.share([{ name: 'elsewhere.yaml', content: 'kind: Pod' }], CHANNEL);
    await mention('check manifest', root.ts);
    const said = await answerTo(root.ts);
    for (const part of [...SAID, '`new.yml`']) expect(said).toContain(part);
  }, 30_000);

  test('in a form, which a mention without any text offers', async () => {
    const { slack } = site.world;
    const alice = slack.as(ALICE);
    const { body } = await mention('check manifest');
    const offer = await slack.waitFor((message) => message.threadTs === body, 10_000);
    await alice.click(offer.ts, 'Open the form', CHANNEL);
    const form = await until(() => slack.views(ALICE).at(-1));
    const wrong = await alice.submitView(form, { manifest: 'kind: Pod\nkind: Pod' });
    expect(JSON.stringify(wrong.body)).toContain('Line 2, `kind`: it stands on line 1 already');
    const before = slack.messages(CHANNEL).length;
    await alice.submitView(form, { manifest: POD });
    const said = await until(() => slack.messages(CHANNEL)[before]);
    for (const part of SAID) expect(textOf(said)).toContain(part);
  }, 30_000);

  test('a file that is too big, or no text at all, ends in a sentence', async () => {
    const big = await mention('check manifest', undefined, [
      { name: 'big.yaml', content: 'x'.repeat((1 << 20) + 1) },
    ]);
    expect(await hears()).toContain('The file `big.yaml` is too big: at most 1024 KB');
    expect(big.ok).toBe(true);
    await mention('check manifest', undefined, [{ name: 'app.exe', content: '\0\u0001MZ{[' }]);
    expect(await hears()).toMatch(/Line 1/);
  }, 30_000);

  test('holds images against the build that was read last, whoever had the name before', async () => {
    const { team } = site;
    const image = async () => {
      const said = await team.say(`check manifest\n${POD.replace('/bin/sh', 'cmd')}`, ALICE);
      return /runs (Windows Server \d+)|(I do not know the build)/.exec(said)?.slice(1).join('') ?? said;
    };
    const hasBuild = (build: number) =>
      site.host('win01').alter((state) => (state.os === 'windows' ? { ...state, build } : state));
    const checked = async (user: string) => {
      await team.say('check node win01', user);
      await team.hears('check of win01', user);
      return image();
    };
    hasBuild(20348);
    expect(await image()).toBe('Windows Server 2016');
    expect(await checked(ALICE)).toBe('Windows Server 2022');

    const { redis, keys } = team.stores;
    await redis.del(keys.windowsBuilds);
    expect(await image()).toContain('I do not know the build');
    expect(await checked(BOB)).toBe('Windows Server 2022');

    expect((await team.make('remove node win01')).state).toBe('applied');
    hasBuild(26100);
    expect((await team.make('add windows node win01 10.0.0.5')).state).toBe('applied');
    expect(await image()).toBe('Windows Server 2025');

    const remove = await team.make('remove node win01');
    await team.click(remove.id, 'Roll back');
    await team.until(remove.id, 'rolled-back');
    expect(await image()).toBe('Windows Server 2025');
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });

  /** What alice is told next, in private. */
  let heard = 0;
  async function hears(): Promise<string> {
    const told = () =>
      site.world.slack
        .messages(CHANNEL)
        .filter((message) => message.ephemeralTo === ALICE && /too big|Line \d/.test(message.text));
    const message = await until(() => told()[heard]);
    heard += 1;
    return textOf(message);
  }
});

async function until<T>(what: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = what();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('waited in vain');
}
