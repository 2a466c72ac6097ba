/** Every handler that is hung into Bolt, found by standing in for Bolt's App, and called as somebody without any role (Q2). */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { webApi } from '@slack/bolt';
import type { Card } from '../../src/change/change.js';
import type { BotCommand } from '../../src/command/command.js';
import { Refusal } from '../../src/errors.js';
import { createLog } from '../../src/log.js';
import { ACTION } from '../../src/slack/buttons.js';
import type { ListenerDeps, SlackArgs } from '../../src/slack/guard.js';
import { LISTENERS } from '../../src/slack/listeners.js';
import { NOTICE_ACTION } from '../../src/slack/notice-card.js';
import { registerListeners } from '../../src/slack/register.js';
import type { SharedFile } from '../../src/slack/shared-file.js';
import { clickBody, formBody, manifestBody, mentionBody, modalBody, slashBody } from './support/payloads.js';
import { CLUSTER, NOW, VIEWS } from './support/views.js';

type Handler = (args: SlackArgs) => Promise<void>;
const VALUE = JSON.stringify({ id: 'c17', hash: 'a1b2c3d4e5f6' });
const NOTICE = JSON.stringify({ notice: 'n3', host: 'win03', component: 'kubelet', incident: 'i7' });

let log: string[];
let happened: string[];
let handlers: Map<string, Handler>;
let allowed: boolean;
/** Whether the card could be posted at once. */
let posted: boolean;
/** Where the card of the change stands. */
let cards: Card[];
/** A file of the thread. */
let shared: SharedFile | null;
let deps: ListenerDeps;

/** The desk's own authorization stands in `allow`; everything else would be a hole. */
function allow(doing: string): void {
  if (!allowed)
    throw new Refusal('forbidden', { doing, role: 'operator', who: ['T1:U0BOB'], unreadable: [] });
  happened.push(doing);
}

beforeEach(() => {
  log = [];
  happened = [];
  handlers = new Map();
  allowed = false;
  posted = true;
  cards = [{ channel: 'C0OPS', ts: '1.1' }];
  shared = null;
  const seen = new Set<string>();
  deps = {
    desk: {
      run: async (command) => {
        allow(command.kind);
        if (command.kind === 'add-node') return { kind: 'change-card', id: 'c17' };
        return { kind: 'accepted', id: 'c17', what: 'cancel' };
      },
      decide: async (id, verdict, hash, reason) => {
        allow(`${verdict} ${id} ${hash} ${reason}`);
        return { kind: 'decided', id, verdict, approved: 1, required: 1 };
      },
      tryDecide: async (id, verdict, hash) => allow(`try to ${verdict} ${id} ${hash}`),
      answer: async (id, verdict, digests) => {
        allow(`${verdict} to ${digests.join(' ')} of ${id}`);
        return { kind: 'accepted', id, what: verdict === 'yes' ? 'confirm' : 'decline' };
      },
      view: async () => ({ ...VIEWS.pending, change: { ...VIEWS.pending.change, cards } }),
    },
    outbox: {
      answer: async (_origin, message) => {
        happened.push(`answered: ${message.text}`);
        return 0;
      },
      renderNow: async () => posted,
    },
    jobs: {
      card: async () => {},
      notice: async () => {},
      reply: async () => {},
      file: async () => {
        happened.push('file');
      },
      auditFile: async ({ channel }) => {
        happened.push(`audit file to ${channel}`);
      },
      upload: async ({ fileName, origin }) => {
        happened.push(`upload ${fileName} to ${origin.channel}`);
      },
    },
    cards: { addCard: async () => {} },
    slack: {
      views: { open: async () => void happened.push('modal') },
      chat: { update: async () => void happened.push('update') },
    } as unknown as ListenerDeps['slack'],
    files: {
      newestIn: async (channel, thread) => {
        happened.push(`looked for files in ${channel} ${thread}`);
        return shared;
      },
      text: async ({ name }) => {
        happened.push(`read ${name}`);
        return 'kind: Pod';
      },
    },
    cluster: CLUSTER,
    log: createLog('info', { write: (line) => log.push(line) }),
    now: () => NOW,
    firstTime: async (id) => {
      happened.push('looked whether it is new');
      return seen.size < seen.add(id).size;
    },
    admit: async (actor, team) => (team === 'T1' ? actor : null),
  };
  const record = (kind: string) => (id: string, handler: Handler) => handlers.set(`${kind} ${id}`, handler);
  registerListeners(
    {
      command: record('command'),
      event: record('event'),
      action: record('action'),
      view: (id, handler) => handlers.set(`view ${id}`, handler as Handler),
    },
    deps,
    new Set(),
  );
});

function bodyFor(name: string): unknown {
  if (name.startsWith('command')) return slashBody('add linux node lin02 10.0.0.8');
  if (name.startsWith('event')) return mentionBody('<@U0BOT> nodes');
  if (name === 'view adopt-list') return formBody();
  if (name === 'view manifest-text') return manifestBody();
  if (name.startsWith('action notice:')) return clickBody(NOTICE);
  return name.startsWith('view') ? modalBody() : clickBody(VALUE);
}

/** What comes of a call, beside what comes of every one. */
const effects = () => happened.filter((line) => line !== 'ack' && line !== 'looked whether it is new');

function call(name: string, body = bodyFor(name)): { acked: Promise<void>; done: Promise<void> } {
  const handler = handlers.get(name);
  if (!handler) throw new Error(`no handler ${name}`);
  let acknowledge = (): void => {};
  const acked = new Promise<void>((resolve) => {
    acknowledge = resolve;
  });
  const ack = async (response?: unknown): Promise<void> => {
    happened.push(response === undefined ? 'ack' : `ack ${JSON.stringify(response)}`);
    acknowledge();
  };
  return {
    acked,
    done: handler({ body, context: { botUserId: 'U0BOT' }, ...(name.startsWith('event') ? {} : { ack }) }),
  };
}

test('every button, the command, mentions and the dialog are registered', () => {
  expect(new Set(handlers.keys())).toEqual(
    new Set([
      'command /fairway',
      'event app_mention',
      'view deny-reason',
      'view adopt-list',
      'action adopt:form',
      'view manifest-text',
      'action manifest:form',
      ...[...Object.values(ACTION), ...Object.values(NOTICE_ACTION)].map((id) => `action ${id}`),
    ]),
  );
});

describe.each(LISTENERS.map(({ kind, id }) => `${kind} ${id}`))('%s', (name) => {
  test('refuses a nobody, visibly', async () => {
    await call(name).done;
    expect(effects()).toEqual([expect.stringMatching(/^answered: Only an operator may/)]);
  });

  test('acknowledges before anything else, Redis above all', async () => {
    allowed = true;
    await call(name).done;
    const first = name.startsWith('event') ? [] : ['ack'];
    expect(happened.slice(0, first.length + 1)).toEqual([...first, 'looked whether it is new']);
    expect(effects()).not.toEqual([]);
  });

  test('runs once when Slack delivers it twice', async () => {
    allowed = true;
    const body = bodyFor(name);
    await Promise.all([call(name, body).done, call(name, body).done]);
    const once = effects();
    happened = [];
    await call(name).done;
    expect(once).toEqual(effects());
  });

  test('sends strangers from a shared channel away', async () => {
    allowed = true;
    const body = JSON.parse(JSON.stringify(bodyFor(name)).replaceAll('"T1"', '"T9"'));
    await call(name, body).done;
    expect(effects()).toEqual([
      expect.stringContaining('another Slack workspace. An administrator can add you as `T9:U0ALICE`'),
    ]);
  });

  test('tells our own trouble with a reference that is in the log', async () => {
    deps.desk.run = async () => {
      throw new Error('redis is on fire');
    };
    deps.desk.decide = async () => {
      throw new Error('redis is on fire');
    };
    deps.desk.tryDecide = async () => {
      throw new Error('redis is on fire');
    };
    deps.desk.answer = async () => {
      throw new Error('redis is on fire');
    };
    await call(name).done;
    const [, ref = 'none'] = /ref `([0-9a-f]{8})`/.exec(happened.join('\n')) ?? [];
    expect(log.join('')).toContain(`"ref":"${ref}"`);
    expect(log.join('')).toContain('redis is on fire');
    expect(happened.join('\n')).not.toContain('on fire');
  });
});

test('when the outbox is mute, Bolt’s own answer is used', async () => {
  deps.outbox.answer = async () => {
    throw new Error('no redis');
  };
  const said: string[] = [];
  await handlers.get('command /fairway')?.({
    body: slashBody('nodes'),
    context: {},
    ack: async () => {},
    respond: async ({ text }) => said.push(text),
  });
  expect(said).toEqual([expect.stringContaining('Only an operator may')]);
});

test('a mistyped command is told what would work', async () => {
  await call('command /fairway', slashBody('ad linux node lin02 10.0.0.8')).done;
  expect(happened.at(-1)).toContain('Did you mean `add linux node lin02 10.0.0.8`?');
});

test('a button of a card that nobody knows: said, and the card loses its buttons', async () => {
  await call('action change:approve', clickBody('{"id":"rm -rf"}')).done;
  expect(effects()).toEqual(['update', expect.stringContaining('too old')]);
  deps.desk.decide = async (id) => {
    throw new Refusal('change-unknown', { id });
  };
  deps.desk.tryDecide = async (id) => {
    throw new Refusal('change-unknown', { id });
  };
  for (const press of ['approve', 'deny']) {
    happened = [];
    await call(`action change:${press}`).done;
    expect(effects()).toEqual(['update', expect.stringContaining('There is no change `c17`')]);
  }
});

test.each([
  ['trigger_expired', 'trigger_expired'],
  ['internal_error', 'no answer'],
])('a dialog that Slack does not open (%s): what to type instead', async (error, why) => {
  allowed = true;
  deps.slack.views.open = async () => {
    throw new webApi.WebAPIPlatformError({ ok: false, error });
  };
  await call('action change:deny').done;
  expect(happened.at(-1)).toContain(
    `Slack did not open the dialog (${why}). Click again, or type \`deny c17\``,
  );
});

test('nobody is asked for a reason that would count for nothing', async () => {
  deps.desk.tryDecide = async (id) => {
    throw new Refusal('change-expired', { id, command: 'remove node win03' });
  };
  await call('action change:deny').done;
  expect(effects()).toEqual([expect.stringContaining('expired: nobody decided in time')]);
});

test('a card that has to wait for its turn is announced, once, to the person alone', async () => {
  allowed = true;
  await call('command /fairway').done;
  expect(effects()).toEqual(['add-node']);
  happened = [];
  posted = false;
  cards = [];
  const quiet: (boolean | undefined)[] = [];
  const { answer } = deps.outbox;
  deps.outbox.answer = (origin, message, options) => {
    quiet.push(options?.quiet);
    return answer(origin, message, options);
  };
  await call('command /fairway').done;
  expect(effects()).toEqual(['add-node', expect.stringContaining('`c17` is on its way')]);
  expect(quiet).toEqual([true]);
  // It stands there already, and only its newest edit waits.
  happened = [];
  cards = [{ channel: 'C0OPS', ts: '1.1' }];
  await call('command /fairway').done;
  expect(effects()).toEqual(['add-node']);
});

test('a card that is not where it was asked for is said, and how to get the next one here', async () => {
  allowed = true;
  cards = [{ channel: 'D0ALICE', ts: '1.1' }];
  await call('command /fairway').done;
  expect(effects()).toEqual(['add-node', expect.stringMatching(/`c17` is in your direct messages/)]);
  expect(effects()[1]).toContain('`/invite @Fairway` here');
  expect(effects()[1]).toContain('`approve c17`');
  happened = [];
  cards = [];
  await call('command /fairway').done;
  expect(effects()).toEqual(['add-node', expect.stringMatching(/`c17` has no card: `change c17` shows it/)]);
});

test('the dialog’s reason reaches the desk, with the plan that was seen', async () => {
  allowed = true;
  await call('view deny-reason', modalBody('  wrong rack ')).done;
  expect(happened).toContain('deny c17 a1b2c3d4e5f6 wrong rack');
  await call('view deny-reason', modalBody(null)).done;
  expect(happened).toContain('deny c17 a1b2c3d4e5f6 undefined');
});

test('the audit log comes as a file, once the desk lets it', async () => {
  deps.desk.run = async (command) => {
    allow(command.kind);
    return { kind: 'audit-file' };
  };
  await call('command /fairway', slashBody('audit export')).done;
  expect(effects()).toEqual([expect.stringContaining('Only an operator may')]);
  allowed = true;
  happened = [];
  await call('command /fairway', slashBody('audit export')).done;
  expect(effects()).toEqual([
    'audit',
    'audit file to C0OPS',
    expect.stringContaining('The audit log comes as a file'),
  ]);
});

describe('a list of nodes', () => {
  const shortList = 'cluster: prod\n';
  beforeEach(() => {
    allowed = true;
    deps.desk.run = async (command) => {
      allow(command.kind);
      if (command.kind === 'export')
        return { kind: 'export', cluster: 'prod', nodes: 2, text: shortList.repeat(exported) };
      return command.kind === 'adopt' && command.list === undefined
        ? { kind: 'form', form: 'adopt' }
        : { kind: 'change-card', id: 'c18' };
    };
  });
  let exported = 1;

  test('is asked for in a form where there is a trigger, else by a button that brings one', async () => {
    for (const [name, body] of [
      ['command /fairway', slashBody('adopt')],
      ['command /fairway', slashBody('import')],
      ['action adopt:form', clickBody('adopt')],
    ] as const) {
      happened = [];
      await call(name, body).done;
      expect(effects()).toEqual(['adopt', 'modal']);
    }
    happened = [];
    await call('event app_mention', mentionBody('<@U0BOT> adopt')).done;
    expect(effects()).toEqual(['adopt', expect.stringContaining('`/fairway adopt` opens it')]);
    happened = [];
    deps.slack.views.open = async () => {
      throw new webApi.WebAPIPlatformError({ ok: false, error: 'expired_trigger_id' });
    };
    await call('command /fairway', slashBody('adopt')).done;
    expect(effects()).toEqual(['adopt', expect.stringContaining('`/fairway adopt` opens it')]);
  });

  test('that is wrong keeps its form open, and nobody is asked anything', async () => {
    await call('view adopt-list', formBody('nodes: []')).done;
    expect(happened).toEqual([
      expect.stringMatching(/^ack \{"response_action":"errors","errors":\{"list":"Line 1, `cluster`/),
    ]);
    happened = [];
    await call('view adopt-list').done;
    expect(happened.slice(0, 2)).toEqual(['ack', 'looked whether it is new']);
    expect(effects()).toEqual(['adopt']);
  });

  test('goes out as an answer while it is short, else as a file', async () => {
    await call('command /fairway', slashBody('export')).done;
    expect(effects()).toEqual(['export', expect.stringContaining('*prod*: 2 nodes')]);
    happened = [];
    exported = 300;
    await call('command /fairway', slashBody('export')).done;
    expect(effects()).toEqual([
      'export',
      'upload prod-nodes.yaml to C0OPS',
      expect.stringContaining('comes as a file'),
    ]);
  });
});

describe('a manifest', () => {
  let findings = 1;
  let asked: BotCommand[];
  beforeEach(() => {
    allowed = true;
    asked = [];
    findings = 1;
    deps.desk.run = async (command) => {
      allow(command.kind);
      asked.push(command);
      if (command.kind !== 'check-manifest' || command.text === undefined)
        return { kind: 'form', form: 'manifest' };
      const finding = { rule: 'privileged', severity: 'fails', what: 'privileged' } as const;
      return {
        kind: 'manifest',
        cluster: 'prod',
        version: '1.31',
        pods: { windows: 1, linux: 0, unknown: 0 },
        findings: Array.from({ length: findings }, (_, i) => ({
          ...finding,
          line: i,
          kind: 'Pod',
          name: '',
        })),
        unknownBuilds: [],
      };
    };
  });

  test('is what stands below the words, as it stands there', async () => {
    const yaml = 'kind: Pod\nspec:\n  containers:\n  - image: "a&b"';
    for (const body of [
      slashBody(`check manifest\n${yaml}`),
      slashBody(`Check  manifest \`\`\`${yaml}\`\`\``),
      slashBody(`check manifest\n\`\`\`yaml\n${yaml}\n\`\`\`\nthanks`),
    ]) {
      asked = [];
      await call('command /fairway', { ...body, text: body.text.replaceAll('&', '&amp;') }).done;
      expect(asked).toEqual([{ kind: 'check-manifest', text: yaml }]);
    }
    await call('event app_mention', mentionBody(`<@U0BOT> check manifest\n\`\`\`\n${yaml}\`\`\``)).done;
    expect(asked.at(-1)).toEqual({ kind: 'check-manifest', text: yaml });
    expect(happened.at(-1)).toContain('1 failure on Windows');
  });

  test('that was not pasted is asked for in a form, or by a button that opens one', async () => {
    await call('command /fairway', slashBody('check manifest')).done;
    await call('action manifest:form').done;
    expect(effects()).toEqual(['check-manifest', 'modal', 'check-manifest', 'modal']);
    happened = [];
    await call('event app_mention', mentionBody('<@U0BOT> check manifest')).done;
    expect(effects()).toEqual(['check-manifest', expect.stringContaining('`/fairway check manifest`')]);
  });

  test('may be a file: the one that came along, else the newest of the thread', async () => {
    const body = mentionBody('<@U0BOT> check manifest');
    const files = [{ id: 'F1', name: 'pod.txt', size: 9, url_private: 'https://files.slack.com/x' }];
    await call('event app_mention', { ...body, event: { ...body.event, files } as never }).done;
    expect(happened).toContain('read pod.txt');
    expect(asked.at(-1)).toEqual({ kind: 'check-manifest', text: 'kind: Pod', file: 'pod.txt' });
    happened = [];
    shared = { id: 'F2', name: 'web.yaml' };
    const thread = mentionBody('<@U0BOT> check manifest');
    thread.event['thread_ts'] = '1.1';
    await call('event app_mention', thread).done;
    expect(effects()).toEqual([
      'check-manifest',
      'looked for files in C0OPS 1.1',
      'read web.yaml',
      'check-manifest',
      expect.stringContaining('1 failure on Windows'),
    ]);
  });

  test('is not fetched for whoever may not ask', async () => {
    allowed = false;
    const body = mentionBody('<@U0BOT> check manifest');
    body.event['thread_ts'] = '1.1';
    await call('event app_mention', body).done;
    expect(effects()).toEqual([expect.stringContaining('Only an operator may')]);
  });

  test('that can’t be read keeps its form open', async () => {
    await call('view manifest-text', manifestBody('a: b: c')).done;
    expect(happened).toEqual([
      expect.stringMatching(/^ack \{"response_action":"errors","errors":\{"manifest":"Line 1/),
    ]);
  });

  test('with more findings than an answer holds: all of them come as a file', async () => {
    findings = 200;
    await call('view manifest-text').done;
    expect(effects()).toEqual([
      'check-manifest',
      'upload manifest-findings.txt to C0OPS',
      expect.stringContaining('200 failures on Windows'),
    ]);
  });
});

test('a card from before Redis was lost bears the id of another change: its buttons do nothing', async () => {
  allowed = true;
  for (const press of ['cancel', 'retry', 'rollback']) {
    happened = [];
    await call(`action change:${press}`, clickBody(JSON.stringify({ id: 'c17', hash: '000000000000' }))).done;
    expect(effects()).toEqual([expect.stringContaining('older plan of `c17`')]);
  }
});
