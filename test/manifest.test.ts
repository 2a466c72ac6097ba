/** slack-manifest.yaml, as Slack would take it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { webApi } from '@slack/bolt';
import { parse } from 'yaml';
import { LISTENERS } from '../src/slack/listeners.js';

const root = join(__dirname, '..');
const manifest: unknown = parse(readFileSync(join(root, 'slack-manifest.yaml'), 'utf8'));

/** The same in Slack's own types, which the compiler checks. */
const typed = {
  display_information: {
    name: 'Fairway',
    description: 'Adds and removes the nodes of a Kubernetes cluster that mixes Linux and Windows',
    background_color: '#1f4e5f',
  },
  features: {
    bot_user: { display_name: 'Fairway', always_online: true },
    app_home: { messages_tab_enabled: true, messages_tab_read_only_enabled: true },
    slash_commands: [
      {
        command: '/fairway',
        description: 'Nodes of the cluster and the routes between them',
        usage_hint: 'help | nodes | add windows node win03 10.0.0.7 | remove node win03',
        should_escape: false,
      },
    ],
  },
  oauth_config: {
    scopes: {
      bot: [
        'commands',
        'app_mentions:read',
        'chat:write',
        'chat:write.public',
        'files:write',
        'files:read',
        'usergroups:read',
        'users:read',
      ],
    },
  },
  settings: {
    event_subscriptions: { bot_events: ['app_mention'] },
    interactivity: { is_enabled: true },
    org_deploy_enabled: false,
    socket_mode_enabled: true,
    token_rotation_enabled: false,
  },
} satisfies Exclude<webApi.AppsManifestCreateArguments['manifest'], string>;

/** What each Web API method asks for, by its page on docs.slack.dev; null: nothing. A method that is missing here fails the test. */
const SCOPES: Readonly<Record<string, string | null>> = {
  'auth.test': null,
  'chat.postMessage': 'chat:write',
  'chat.postEphemeral': 'chat:write',
  'chat.update': 'chat:write',
  'chat.getPermalink': null,
  'views.open': null,
  filesUploadV2: 'files:write',
  'files.list': 'files:read',
  'files.info': 'files:read',
  'usergroups.users.list': 'usergroups:read',
  'users.info': 'users:read',
};
/** What is asked for without a method of its own: to hear people, and to post where the bot was not invited. */
const WITHOUT_METHOD = ['commands', 'app_mentions:read', 'chat:write.public'];

/** Reading a channel back is a lot to ask for; without it a card may come twice after a crash, and nothing else is lost. */
const DONE_WITHOUT = ['conversations.history', 'conversations.replies'];

/** Every Web API method called in the sources. */
function methodsUsed(): string[] {
  const files = ['src', 'workers'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(root, folder, file), 'utf8')),
  );
  const call =
    /\b(?:slack|client)\s*\.((?:auth|chat|conversations|files|reactions|usergroups|users|views)\.[a-zA-Z.]+|filesUploadV2)\(/g;
  return [...new Set(files.flatMap((text) => [...text.matchAll(call)].map((found) => found[1] ?? '')))];
}

describe('slack-manifest.yaml', () => {
  test("is a manifest by Slack's own types", () => {
    expect(manifest).toEqual(typed);
  });

  test("is within Slack's limits", () => {
    const { display_information: shown, features } = typed;
    expect(shown.name.length).toBeLessThanOrEqual(35);
    expect(shown.description.length).toBeLessThanOrEqual(140);
    const [command] = features.slash_commands;
    expect(command?.command).toMatch(/^\/[a-z][a-z_-]{0,30}$/);
    expect(command?.description.length).toBeLessThanOrEqual(2000);
    expect(command?.usage_hint.length).toBeLessThanOrEqual(1000);
  });

  test('asks for what the Web API methods in use need', () => {
    const used = methodsUsed();
    expect(used).toEqual(
      expect.arrayContaining(['chat.postMessage', 'chat.update', 'usergroups.users.list']),
    );
    for (const method of used.filter((each) => !DONE_WITHOUT.includes(each))) {
      expect(Object.keys(SCOPES)).toContain(method);
      const scope = SCOPES[method];
      if (scope) expect(typed.oauth_config.scopes.bot).toContain(scope);
    }
  });

  test('asks for nothing that is not used', () => {
    const needed = methodsUsed().map((method) => SCOPES[method]);
    for (const scope of typed.oauth_config.scopes.bot)
      expect([...needed, ...WITHOUT_METHOD]).toContain(scope);
  });

  test('a slash command, mentions and buttons reach the bot', () => {
    expect(typed.oauth_config.scopes.bot).toEqual(expect.arrayContaining(['commands', 'app_mentions:read']));
    const heard = LISTENERS.filter(({ kind }) => kind === 'event').map(({ id }) => id);
    expect(typed.settings.event_subscriptions.bot_events).toEqual(heard);
    const commands = LISTENERS.filter(({ kind }) => kind === 'command').map(({ id }) => id);
    expect(typed.features.slash_commands.map(({ command }) => command)).toEqual(commands);
  });
});
